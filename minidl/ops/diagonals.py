"""Diagonals and triangles, and copies with a part of them replaced."""

from minidl import backends, dtypes
from minidl.autograd import Tensor, function, op
from minidl.autograd.node import named
from minidl.autograd.tensor import leaf
from minidl.backends import of
from minidl.device import device as as_device
from minidl.ops.common import as_index, wrap_dim
from minidl.ops.formats import clone
from minidl.ops.joining import flip, narrow, select
from minidl.ops.reductions import sum
from minidl.ops.shapes import transpose


@op(
    input=lambda g, input_shape, offset, dim1, dim2: _diagonal_zeros(g, tuple(input_shape), offset, dim1, dim2),
    view=True, faces=(), method=False, shown="Diagonal",
)  # fmt: skip
def _diagonal(input, offset, dim1, dim2):
    return of(input).diagonal(input, offset, dim1, dim2)


@op(
    g=lambda g0, offset, dim1, dim2: _diagonal(g0, offset, dim1, dim2),
    shown="DiagEmbed",
    faces=(),
    method=False,
)
def _diagonal_zeros(g, shape, offset, dim1, dim2):
    """Zeros of ``shape`` with ``g`` on a diagonal."""
    return of(g).diagonal_zeros(g, shape, offset, dim1, dim2)


def _two_dims(name, dim1, dim2, ndim):
    dim1, dim2 = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if dim1 == dim2:
        raise RuntimeError(f"{name} dimensions cannot be identical {dim1}, {dim2}")
    return dim1, dim2


@function(tensors="input")
def diagonal(input, offset=0, dim1=0, dim2=1):
    """A view of the diagonal between two dimensions, which becomes the last one. Source: ``torch.diagonal``.

    >>> import minidl
    >>> minidl.arange(4).reshape(2, 2).diagonal()
    tensor([0, 3])
    """
    dim1, dim2 = _two_dims("diagonal", dim1, dim2, input.ndim)
    return _diagonal(input, offset, dim1, dim2)


@function(tensors="input")
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Matrices, zero beside the diagonal, that hold the last dimension of ``input``. Source: ``torch.diag_embed``.

    >>> import minidl
    >>> minidl.diag_embed(minidl.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    ndim = input.ndim + 1
    dim1, dim2 = _two_dims("diagonal", dim1, dim2, ndim)
    size, rest = input.shape[-1] + abs(offset), iter(input.shape[:-1])
    shape = tuple(size if d in (dim1, dim2) else next(rest) for d in range(ndim))
    return _diagonal_zeros(input, shape, offset, dim1, dim2)


@function(tensors="input")
def diag(input, diagonal=0):
    """Of a vector the matrix with this diagonal, of a matrix its diagonal. Source: ``torch.diag``.

    >>> import minidl
    >>> minidl.diag(minidl.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    return named(clone(_diagonal(input, diagonal, 0, 1)), "DiagonalBackward0_copy")


@function(tensors="input")
def diagflat(input, offset=0):
    """The matrix with the flattened input on its diagonal. Source: ``torch.diagflat``.

    >>> import minidl
    >>> minidl.diagflat(minidl.ones(2, 2)).shape
    torch.Size([4, 4])
    """
    return diag_embed(input.reshape(-1), offset)


@function(tensors="input", shown="Trace")
def trace(input):
    """The sum of a matrix' diagonal. Source: ``torch.trace``.

    >>> import minidl
    >>> minidl.eye(3).trace()
    tensor(3.)
    """
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return sum(_diagonal(input, 0, 0, 1))


def _fits(src, part, what):
    if src.shape != part.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the {what} of self. src size = {list(src.shape)}, {what} size = "
            f"{list(part.shape)}"
        )


@function(tensors="input src", shown="DiagonalScatter")
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """A copy of ``input`` with ``src`` on a diagonal. Source: ``torch.diagonal_scatter``.

    >>> import minidl
    >>> minidl.zeros(2, 2).diagonal_scatter(minidl.ones(2)).sum()
    tensor(2.)
    """
    out = clone(input)
    part = diagonal(out, offset, dim1, dim2)
    _fits(src, part, "slice")
    part.copy_(src)
    return out


@function(tensors="input src", shown="SelectScatter")
def select_scatter(input, src, dim, index):
    """A copy of ``input`` with ``src`` as slice ``index`` along ``dim``. Source: ``torch.select_scatter``.

    >>> import minidl
    >>> minidl.zeros(2, 2).select_scatter(minidl.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    out = clone(input)
    part = select(out, dim, index)
    _fits(src, part, "slice")
    part.copy_(src)
    return out


@function(tensors="input src", shown="SliceScatter")
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """A copy of ``input`` with ``src`` in place of ``[start:end:step]`` along ``dim``. Source: ``torch.slice_scatter``.

    >>> import minidl
    >>> minidl.zeros(4).slice_scatter(minidl.ones(2), 0, 1, 3)
    tensor([0., 1., 1., 0.])
    """
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    out = clone(input)
    part = out[(slice(None),) * wrap_dim(dim, input.ndim) + (slice(start, end, step),)]
    _fits(src, part, "slice")
    part.copy_(src)
    return out


@function(faces=(), tensors="self")
def fill_diagonal_(self, fill_value, wrap=False):
    """Writes a number on the main diagonal; with ``wrap`` again below each square. Source:
    ``torch.Tensor.fill_diagonal_``.

    >>> import minidl
    >>> minidl.zeros(2, 2).fill_diagonal_(1)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if self.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if self.ndim > 2 and len(set(self.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    count = min(self.shape)
    positions = [list(range(count))] * self.ndim
    if self.ndim == 2 and wrap and self.shape[0] > self.shape[1]:
        columns = self.shape[1]
        rows = [r for r in range(self.shape[0]) if r % (columns + 1) < columns]
        positions = [rows, [r % (columns + 1) for r in rows]]
    if count:
        self[tuple(positions)] = fill_value
    return self


@function(tensors="input", shown="Rot90")
def rot90(input, k=1, dims=(0, 1)):
    """Turned by ``k`` right angles in the plane of two dimensions, from the first to the second.
    Source: ``torch.rot90``.

    >>> import minidl
    >>> minidl.tensor([[0, 1], [2, 3]]).rot90()
    tensor([[1, 3],
            [0, 2]])
    """
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    a, b = (wrap_dim(d, input.ndim) for d in dims)
    if a == b:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    turns = k % 4
    if turns == 0:
        return clone(input)
    if turns == 2:
        return flip(input, (a, b))
    return transpose(flip(input, (b,)), a, b) if turns == 1 else flip(transpose(input, a, b), (b,))


def _flipped(name, dim, least, what):
    def forward(input):
        if input.ndim < least:
            raise RuntimeError(f"Input must be >= {least}-d.")
        return flip(input, (dim,))

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""A copy with its {what} in reverse order. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.ones(2, 2)).shape
    torch.Size([2, 2])
    """
    return function(tensors="input")(forward)


fliplr, flipud = _flipped("fliplr", 1, 2, "columns"), _flipped("flipud", 0, 1, "rows")


def _triangle_indices(name, inside, what):
    def forward(row, col, offset=0, *, dtype=None, device=None, requires_grad=False):
        rows, columns = as_index(row, "row"), as_index(col, "col")
        if rows < 0 or columns < 0:
            raise RuntimeError(
                f"{'row' if rows < 0 else 'col'} must be non-negative, got{min(rows, columns)}"
            )
        wanted = dtypes.INT64 if dtype is None else dtypes.numpy_dtype(dtype)
        if wanted not in (dtypes.INT64, dtypes.int32.numpy):
            raise RuntimeError(f"\"{name}\" not implemented for '{dtypes.scalar_name(wanted)}'")
        space = backends.on(as_device("cpu" if device is None else device))
        found = space.nonzero(getattr(space, inside)(space.full((rows, columns), True, dtypes.BOOL), offset))
        return leaf(space.astype(space.stack(list(found), 0), wanted), requires_grad)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""Rows and columns of the {what} triangle of a row by col matrix, (2, n).
    Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(2, 2).shape
    torch.Size([2, 3])
    """
    return function(method=False)(forward)


tril_indices = _triangle_indices("tril_indices", "tril", "lower")
triu_indices = _triangle_indices("triu_indices", "triu", "upper")


@function(faces=(), tensors="self", shown="NarrowCopy")
def narrow_copy(self, dim, start, length):
    """``narrow`` as a copy. Source: ``torch.Tensor.narrow_copy``.

    >>> import minidl
    >>> minidl.arange(5).narrow_copy(0, 1, 2)
    tensor([1, 2])
    """
    if isinstance(start, Tensor):
        raise TypeError("narrow_copy(): argument 'start' (position 3) must be int, not Tensor")
    if dim >= self.ndim > 0:
        raise RuntimeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false. "
            f"Hint: the tensor has {self.ndim} dimensions, and dim is {dim}."
        )
    size = self.size(dim) if self.ndim else 0
    if self.ndim and length < 0:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return clone(narrow(self, dim, start, length))


def _hermitian(self):
    if self.ndim not in (0, 2):
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor.")
    return transpose(self, 0, 1) if self.ndim else self


def _adjoint(self):
    if self.ndim == 1:
        raise RuntimeError(
            "tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    return transpose(self, -2, -1) if self.ndim else self


Tensor.H = property(_hermitian, doc="The transpose of a matrix, which is real.")
Tensor.mH = property(_adjoint, doc="The last two dimensions exchanged.")


@function(tensors="input")
def adjoint(input):
    """The last two dimensions exchanged: the transpose of real matrices. Source: ``torch.adjoint``.

    >>> import minidl
    >>> minidl.zeros(2, 3).adjoint().shape
    torch.Size([3, 2])
    """
    return _adjoint(input)
