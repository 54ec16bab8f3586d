"""Sums, means and maxima of rows of a table, one a bag of indices."""

import math
from typing import NamedTuple

from minidl import dtypes
from minidl.autograd import Tensor, function, op
from minidl.backends import of
from minidl.ops.arithmetic import div, mul
from minidl.ops.comparison import eq, lt, ne
from minidl.ops.create import arange, full, ones, ones_like, zeros
from minidl.ops.embedding import _checked_indices, _shorten_rows, embedding_dense_backward, embedding_rows
from minidl.ops.indexing import gather
from minidl.ops.loss_reduction import check_tensors
from minidl.ops.reductions import sum
from minidl.ops.scatters import index_add, scatter_reduce
from minidl.ops.search import searchsorted
from minidl.ops.selection import clamp, where
from minidl.ops.shapes import expand, reshape, unsqueeze

_MODES = ("sum", "mean", "max")


class _Bags(NamedTuple):
    """Where the M indices belong: the bag of each (M,), the number of bags, which indices count (M,) or None for all.

    ``width`` is the number of indices of every bag, or None where they differ.
    """

    bag: Tensor
    count: int
    kept: Tensor | None
    width: int | None


@op(
    weights=lambda g, indices, table: _bag_weights(g, indices, table),
    table=lambda g, indices, weights, table_shape: _bag_table(g, indices, weights, table_shape[0]),
    constant="indices", faces=(), method=False,
)  # fmt: skip
def bag_rows(indices, weights, table):
    """The sum over k of weights[b, k] table[indices[b, k]]: (B, K), (B, K) and (V, D) give (B, D).

    With it and the two below, each of which is linear in what the others are gradients by, gradients of every order.
    """
    _checked_indices(indices, table.shape[0])
    return of(table).bag_rows(indices, weights, table)


@op(
    grad=lambda g, indices, weights: bag_rows(indices, weights, g),
    weights=lambda g, grad, indices: _bag_weights(grad, indices, g),
    constant="indices", faces=(), method=False,
)  # fmt: skip
def _bag_table(grad, indices, weights, rows):
    return of(grad).bag_table(grad, indices, weights, rows)


@op(
    grad=lambda g, indices, table: bag_rows(indices, g, table),
    table=lambda g, grad, indices, table_shape: _bag_table(grad, indices, g, table_shape[0]),
    constant="indices", faces=(), method=False,
)  # fmt: skip
def _bag_weights(grad, indices, table):
    return of(grad).bag_weights(grad, indices, table)


def _check_shapes(input, weight, offsets, per_sample_weights):
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
    elif input.ndim == 1:
        if not isinstance(offsets, Tensor):
            raise ValueError(f"offsets has to be a 1D Tensor but got {offsets}")
        if offsets.ndim != 1:
            raise ValueError("offsets has to be a 1D Tensor")
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")


def _check_options(mode, scale_grad_by_freq, sparse, per_sample_weights):
    if mode not in _MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if sparse:
        raise NotImplementedError(
            "embedding_bag(sparse=True): sparse gradients are not supported. Hint: sparse=False gives a dense one."
        )
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode='{mode}'). Hint: mode='sum' of weights that are divided by their number is a mean."
        )


def _check_values(input, weight, offsets, per_sample_weights, padding_idx, include_last_offset):
    """Dtypes, indices and offsets. Raises ``RuntimeError``; gives ``padding_idx`` counted from the front."""
    for name, given in (("indices", input), ("offsets", offsets)):
        if given is not None and given.dtype not in (dtypes.int64, dtypes.int32):
            raise RuntimeError(
                f"Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but "
                f"got torch.{_kind(given)}Tensor instead. Hint: it is {name} that needs .long()."
            )
    if not weight.is_floating_point():
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, "
            f"Float, Double; but got torch.{_kind(weight)}Tensor instead"
        )
    if per_sample_weights is not None and per_sample_weights.dtype is not weight.dtype:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
            f"'per_sample_weights'; but type torch.{_kind(weight)}Tensor does not equal "
            f"torch.{_kind(per_sample_weights)}Tensor"
        )
    if offsets is not None:
        _check_offsets(offsets, input.shape[0], include_last_offset)
    rows = weight.shape[0]
    space = of(input._array)
    wrong = -1 if space.defers_index_errors() else space.first_out_of_range(input._array, rows, None)
    if wrong >= 0:
        raise RuntimeError(
            "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be "
            f"{int(reshape(input, (-1,))[wrong])}. Hint: the table has {rows} rows."
        )
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, -{rows} through {rows - 1}, but got {padding_idx}"
        )
    return padding_idx % rows


def _kind(tensor):
    return dtypes.scalar_name(tensor._array.dtype)


def _check_offsets(offsets, length, include_last_offset):
    count = offsets.shape[0]
    if include_last_offset and count < 1:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if not count:
        return
    first, last = int(offsets[0]), int(offsets[-1])
    if first != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
            f"However, got {first}"
        )
    if last > length:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {length} but got offsets[-1] of {last}"
        )
    if (lt(offsets[1:], offsets[:-1])).any():
        raise RuntimeError("embedding_bag: offsets must not decrease")


def _bags(input, offsets, padding_idx, include_last_offset):
    flat, width = reshape(input, (-1,)), None
    places = arange(flat.shape[0], device=input.device)
    if offsets is None:
        count, width = input.shape
        bag, kept = places // max(width, 1), None
    else:
        count = offsets.shape[0] - bool(include_last_offset)
        bag = searchsorted(offsets.long(), places, right=True) - 1
        kept = lt(bag, count)  # what lies behind the last offset is in no bag
        bag = clamp(bag, 0, max(count - 1, 0))
    if padding_idx is not None:
        other = ne(flat, padding_idx)
        kept = other if kept is None else kept & other
    return _Bags(bag, count, kept, width)


def _added(values, bags):
    """(B, D): the sums of (M, D) values of each bag."""
    if bags.width is not None:
        return sum(reshape(values, (bags.count, bags.width, values.shape[1])), 1)
    return embedding_dense_backward(values, bags.bag, bags.count) if bags.count else values[:0]


def _sizes(bags):
    """(B,): how many indices of each bag count."""
    kept = ones_like(bags.bag) if bags.kept is None else bags.kept.long()
    if bags.width is not None:
        return sum(reshape(kept, (bags.count, bags.width)), 1)
    empty = zeros((bags.count,), dtype=dtypes.int64, device=kept.device)
    return index_add(empty, 0, bags.bag, kept) if bags.count else empty


def _masked(rows, bags, number):
    """Rows (M, D) with a number in the place of those that do not count."""
    return rows if bags.kept is None else where(unsqueeze(bags.kept, 1), rows, number)


def _first_of_largest(rows, bags):
    """(B, D): the place among the M rows of each bag's first largest element, M where a bag has none."""
    length, columns = rows.shape
    rows = _masked(rows.detach(), bags, -math.inf)
    index = expand(unsqueeze(bags.bag, 1), (length, columns))
    lowest = full((bags.count, columns), -math.inf, dtype=rows.dtype, device=rows.device)
    largest = scatter_reduce(lowest, 0, index, rows, "amax")
    hit = eq(rows, largest[bags.bag])
    hit = hit if bags.kept is None else hit & unsqueeze(bags.kept, 1)
    place = where(hit, unsqueeze(arange(length, device=rows.device), 1), length)
    none = full((bags.count, columns), length, dtype=dtypes.int64, device=rows.device)
    return scatter_reduce(none, 0, index, place, "amin")


def pooled(rows, mode, bags):
    """Rows (M, D) as one a bag, (B, D)."""
    if mode == "max" and bags.count and rows.shape[0]:
        place = _first_of_largest(rows, bags)
        found = lt(place, rows.shape[0])
        return where(found, gather(rows, 0, where(found, place, 0)), 0.0)
    out = _added(_masked(rows, bags, 0.0), bags)
    return div(out, unsqueeze(clamp(_sizes(bags), 1), 1).to(out.dtype)) if mode == "mean" else out


@function(faces=("functional",), method=False, shown="EmbeddingBag")
def embedding_bag(
    input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode="mean", sparse=False,
    per_sample_weights=None, include_last_offset=False, padding_idx=None,
):  # fmt: skip
    """The sum, mean or maximum of the rows of ``weight`` that each bag of indices names.

    Shapes: weight (V, D); input (B, N) of integers, or (M,) with ``offsets`` (B,), where each bag begins, or (B + 1,)
    with ``include_last_offset``, the last being where the last bag ends; per_sample_weights as input, by which ``mode``
    'sum' multiplies the rows; output (B, D). An empty bag gives 0. Indices equal to ``padding_idx`` do not count and
    have no gradient; ``max_norm``, ``norm_type`` and ``scale_grad_by_freq`` are those of ``embedding``. Of equal maxima
    the first has the gradient.

    Raises ``ValueError`` for shapes and options that do not fit, ``RuntimeError`` for dtypes, indices out of range and
    offsets that do not begin with 0 or decrease, ``NotImplementedError`` for ``sparse=True`` and for per_sample_weights
    in another mode.

    >>> import minidl
    >>> table = minidl.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> minidl.nn.functional.embedding_bag(minidl.tensor([0, 1, 2]), table, minidl.tensor([0, 2]))
    tensor([[2., 3.],
            [5., 6.]])
    """
    check_tensors("embedding_bag", input=input, weight=weight)
    _check_shapes(input, weight, offsets, per_sample_weights)
    _check_options(mode, scale_grad_by_freq, sparse, per_sample_weights)
    padding_idx = _check_values(input, weight, offsets, per_sample_weights, padding_idx, include_last_offset)
    if max_norm is not None:
        _shorten_rows(weight, input, max_norm, norm_type)
    if input.ndim == 2 and mode != "max" and padding_idx is None and not scale_grad_by_freq:
        shares = ones(input.shape, dtype=weight.dtype, device=weight.device)
        out = bag_rows(input, shares if per_sample_weights is None else per_sample_weights, weight)
        return div(out, max(input.shape[1], 1)) if mode == "mean" else out
    rows = embedding_rows(reshape(input, (-1,)), weight, padding_idx, bool(scale_grad_by_freq))
    if per_sample_weights is not None:
        rows = mul(rows, reshape(per_sample_weights, (-1, 1)))
    return pooled(rows, mode, _bags(input, offsets, padding_idx, include_last_offset))


def described(input, weight, offsets, largest, include_last_offset, padding_idx):
    """What the function at the top level gives beside the output, of arguments that ``embedding_bag`` has taken."""
    padding_idx = None if padding_idx is None else padding_idx % weight.shape[0]
    bags = _bags(input, offsets, padding_idx, include_last_offset)
    size = _sizes(bags)
    if not largest:
        return bags.bag, size, size
    if not bags.count or not input.shape[0]:
        return bags.bag, size, zeros((bags.count, weight.shape[1]), dtype=dtypes.int64, device=weight.device)
    place = _first_of_largest(embedding_rows(input, weight.detach()), bags)
    found = lt(place, input.shape[0])
    return bags.bag, size, where(found, input.long()[where(found, place, 0)], 0)
