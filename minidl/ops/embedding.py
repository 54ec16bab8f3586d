"""Embedding: rows of a table by index; and one-hot rows."""

from minidl import dtypes
from minidl.autograd import function, no_grad, op
from minidl.autograd.inplace import bump, check_writable
from minidl.backends import of


def _checked_indices(indices, rows, deferred=True):
    """Raises where indices are no integers or lie outside [0, rows); the latter later, where that may be deferred."""
    if indices.dtype.kind not in "iu":
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{dtypes.scalar_name(indices.dtype)}Tensor instead (while checking arguments for "
            "embedding). Hint: use .long()."
        )
    space = of(indices)
    if deferred and space.defers_index_errors():
        return
    if space.first_out_of_range(indices, rows, None) >= 0:
        dims = tuple(range(indices.ndim))
        low, high = (int(f(indices, dims, False)) for f in (space.amin, space.amax))
        raise IndexError(
            f"index out of range in self. Hint: the table has {rows} rows, so indices lie in [0, {rows - 1}]; the ones "
            f"given span [{low}, {high}] (negative indices do not count from the end)."
        )


def _row_number(padding_idx):
    return -1 if padding_idx is None else padding_idx


def _embedding_rule(g, input, weight_shape, padding_idx, scale_grad_by_freq):
    return embedding_dense_backward(g, input, weight_shape[0], _row_number(padding_idx), scale_grad_by_freq)


@op(weight=_embedding_rule, constant="input", shown="Embedding", faces=(), method=False)
def embedding_rows(input, weight, padding_idx=None, scale_grad_by_freq=False):
    """weight[input]; the public function is ``embedding``."""
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D. Got shape {list(weight.shape)}")
    _checked_indices(input, weight.shape[0])
    return of(weight).embedding(input, weight)


@op(
    grad_output=lambda g, indices, padding_idx, scale_grad_by_freq: embedding_dense_double_backward(
        g, indices, padding_idx, scale_grad_by_freq
    ),
    constant="indices",
    faces=(),
    method=False,
)
def embedding_dense_backward(grad_output, indices, num_weights, padding_idx=-1, scale_grad_by_freq=False):
    """Gradient of a table of ``num_weights`` rows from that of its looked-up rows; padding_idx -1 means none."""
    return of(grad_output).embedding_dense_backward(
        grad_output, indices, num_weights, padding_idx, bool(scale_grad_by_freq)
    )


@op(
    grad=lambda g, indices, grad_shape, padding_idx, scale_grad_by_freq: embedding_dense_backward(
        g, indices, grad_shape[0], padding_idx, scale_grad_by_freq
    ),
    constant="indices",
    faces=(),
    method=False,
)
def embedding_dense_double_backward(grad, indices, padding_idx=-1, scale_grad_by_freq=False):
    """The transpose of ``embedding_dense_backward``."""
    return of(grad).embedding_dense_double_backward(grad, indices, padding_idx, bool(scale_grad_by_freq))


def _shorten_rows(weight, indices, max_norm, norm_type):
    """Scales the rows in use that are longer than ``max_norm`` down to it, in the table itself, off the tape."""
    with no_grad():
        check_writable(weight, "embedding_renorm_")
        _checked_indices(indices._array, weight.shape[0], deferred=False)
        of(weight._array).embedding_renorm(weight._array, indices._array, float(max_norm), float(norm_type))
        bump(weight)


@function(faces=("functional",), method=False)
def embedding(
    input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False
):
    """Rows of ``weight`` by the indices in ``input``.

    Shapes: input (*) of integers, weight (V, D), output (*, D). Row ``padding_idx`` gets no gradient. ``max_norm``
    first scales used rows whose ``norm_type``-norm exceeds it, in place. ``scale_grad_by_freq`` divides the gradient
    of a row by the number of its uses.

    Raises ``IndexError`` for an index outside [0, V), negative ones too; ``RuntimeError`` for indices that are no
    integers; ``AssertionError`` for a ``padding_idx`` outside [-V, V); ``NotImplementedError`` for ``sparse=True``.

    >>> import minidl
    >>> table = minidl.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> minidl.nn.functional.embedding(minidl.tensor([1, 0]), table)
    tensor([[3., 4.],
            [1., 2.]])
    """
    if sparse:
        raise NotImplementedError(
            "embedding(sparse=True): sparse gradients are not supported. Hint: sparse=False gives a dense one."
        )
    if padding_idx is not None:
        rows = weight.shape[0]
        if not (-rows <= padding_idx < rows):
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx = padding_idx % rows
    if max_norm is not None:
        _shorten_rows(weight, input, max_norm, norm_type)
    return embedding_rows(input, weight, padding_idx, bool(scale_grad_by_freq))


@op(constant="tensor", faces=("functional",), method=False)
def one_hot(tensor, num_classes=-1):
    """1 in the place of each index along a new last dimension, 0 elsewhere.

    Shapes: tensor (*) of integers, output (*, num_classes), int64; -1 classes means the largest index + 1.
    Raises ``RuntimeError`` for negative indices, or ones that are not smaller than ``num_classes``.

    >>> import minidl
    >>> minidl.nn.functional.one_hot(minidl.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.dtype.kind not in "iu":
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor. Got {dtypes.of(tensor.dtype)!r}"
        )
    space, dims = of(tensor), tuple(range(tensor.ndim))
    if tensor.size == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return space.zeros((*tensor.shape, num_classes), dtypes.INT64)
    low, high = (int(f(tensor, dims, False)) for f in (space.amin, space.amax))
    if low < 0:
        raise RuntimeError(f"Class values must be non-negative. Got {low}")
    if num_classes != -1 and num_classes < 1:
        raise RuntimeError(f"num_classes should be positive. Got {num_classes}")
    if num_classes != -1 and high >= num_classes:
        raise RuntimeError(
            f"Class values must be smaller than num_classes. Got {high} with num_classes={num_classes}"
        )
    return space.one_hot(tensor, high + 1 if num_classes == -1 else num_classes)
