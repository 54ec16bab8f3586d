"""Reading and writing by index: slices, ints, None, Ellipsis, integer and boolean tensors, gather and scatter."""

import numpy as np

from minidl import backends, dtypes
from minidl.autograd import Tensor, function, modes, op
from minidl.autograd.inplace import bump, check_writable, refuse_expanded, write
from minidl.autograd.tensor import TENSORS
from minidl.backends import of
from minidl.ops.common import wrap_dim


@op(
    input=lambda g, input_shape, index: index_add_at(g, index, input_shape), view=True, faces=(), method=False,
)  # fmt: skip
def index_with(input, index):
    """``input[index]`` for a raw index: ints, slices, None, Ellipsis and arrays, checked before."""
    return of(input).getitem(input, index)


@op(g=lambda g0, index: index_with(g0, index), faces=(), method=False)
def index_add_at(g, index, shape):
    """Zeros of ``shape`` with ``g`` added at ``index``."""
    return of(g).index_add(g, index, shape)


def _out_of_bounds(array, size, dim):
    low, high = (int(array.min()), int(array.max())) if array.size else (0, -1)
    if low < -size or high >= size:
        wrong = low if low < -size else high
        raise IndexError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")


def raw_index(index, array):
    """A user's index as one that arrays take, with PyTorch's errors."""
    parts = list(index) if isinstance(index, tuple) else [index]
    parts = [_raw_part(p, array) for p in parts]
    used = sum(
        p.ndim if getattr(p, "dtype", None) == dtypes.BOOL else p is not None and p is not Ellipsis
        for p in parts
    )
    if used > array.ndim:
        raise IndexError(f"too many indices for tensor of dimension {array.ndim}")
    dim = 0
    for p in parts:
        if p is Ellipsis:
            dim = array.ndim - sum(_dims_after(parts))
        elif p is not None:
            dim += _check_part(p, array, dim)
    if all(p.__class__ is int for p in parts):
        parts.append(Ellipsis)  # so that what is left is a view also where it has no dimension
    return tuple(parts)


def _dims_after(parts):
    place = next(i for i, p in enumerate(parts) if p is Ellipsis)
    for p in parts[place + 1 :]:
        yield 0 if p is None else p.ndim if getattr(p, "dtype", None) == dtypes.BOOL else 1


def _raw_part(part, array):
    cls = part.__class__
    if cls is int or part is None or part is Ellipsis or cls is slice:
        if cls is slice and part.step is not None and part.step <= 0:
            raise ValueError("step must be greater than zero. Hint: use .flip() for a reversed copy.")
        return part
    if cls in TENSORS:
        part = part._array
    elif isinstance(part, (list, tuple, range, np.ndarray, np.generic, bool)):
        part = np.asarray(part if not isinstance(part, range) else list(part))
        part = part.astype(np.int64) if part.size == 0 and part.dtype.kind == "f" else part
        part = backends.transfer(part, backends.device_of(array))
    elif hasattr(part, "__index__"):
        return part.__index__()
    if not backends.is_array(part) or dtypes.is_floating(part.dtype):
        what = dtypes.of(part.dtype) if backends.is_array(part) else cls.__name__
        raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, but got {what}")
    return part


def _check_part(part, array, dim):
    """Checks one part of an index against the array; gives how many dimensions it takes."""
    if isinstance(part, slice):
        return 1
    if part.__class__ is int:
        if not -array.shape[dim] <= part < array.shape[dim]:
            raise IndexError(
                f"index {part} is out of bounds for dimension {dim} with size {array.shape[dim]}"
            )
        return 1
    if part.dtype == dtypes.BOOL:
        for i, n in enumerate(part.shape):
            if n != array.shape[dim + i]:
                raise IndexError(
                    f"The shape of the mask {list(part.shape)} at index {i} does not match the shape "
                    "of the indexed tensor "
                    f"{list(array.shape)} at index {dim + i}"
                )
        return part.ndim
    _out_of_bounds(part, array.shape[dim], dim)
    return 1


def _getitem(self, index):
    """``self[index]``: a view for ints, slices, None and Ellipsis; a copy where tensors or lists select."""
    if index.__class__ is int and self._array.ndim and -self._array.shape[0] <= index < self._array.shape[0]:
        return index_with(self, index)
    if index.__class__ is int and self._array.ndim == 0:
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert it to a number"
        )
    return index_with(self, raw_index(index, self._array))


def _broadcast_to_index(value, target_shape):
    shape = value._array.shape
    lead = len(shape) - len(target_shape)
    if lead > 0 and all(n == 1 for n in shape[:lead]):
        value = value.reshape(shape[lead:])
    tail = value._array.shape
    if len(tail) > len(target_shape) or any(
        a not in (1, b) for a, b in zip(reversed(tail), reversed(target_shape), strict=False)
    ):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(shape)} cannot be broadcast to indexing "
            f"result of shape {list(target_shape)}"
        )
    return value


def _setitem(self, index, value):
    """``self[index] = value``, in place: the value is broadcast and cast."""
    index = raw_index(index, self._array)
    check_writable(self, "__setitem__")
    refuse_expanded(self._array)
    if not isinstance(value, Tensor):
        held = backends.transfer(np.asarray(value).astype(self._array.dtype), self.device)
        value = Tensor._from_array(held)
    if not (modes.is_grad_enabled() and (self.requires_grad or value.requires_grad)):
        space = of(self._array)
        with modes.no_grad():
            value = _broadcast_to_index(value, space.getitem(self._array, index).shape)
        of(self._array, value._array).setitem(self._array, index, value._array)
        bump(self)
        return
    plain = all(not hasattr(p, "dtype") for p in index)
    if plain:
        region = index_with(self, index)
        value = _broadcast_to_index(value, region._array.shape)
        region.copy_(value)
        return
    shape = of(self._array).getitem(self._array, index).shape
    write(self, _replaced(self, _broadcast_to_index(value, shape), index), "__setitem__")


@op(
    input=lambda g, index, value_shape: _replaced(g, mul_zero(index_with(g, index)), index),
    value=lambda g, index: index_with(g, index), faces=(), method=False,
)  # fmt: skip
def _replaced(input, value, index):
    out = of(input).copy(input)
    of(input).setitem(out, index, value)
    return out


@op(input=lambda g: mul_zero(g), faces=(), method=False)
def mul_zero(input):
    """Zeros of ``input``'s shape and dtype."""
    return of(input).zeros(input.shape, input.dtype)


Tensor.__getitem__ = _getitem
Tensor.__setitem__ = _setitem


def _checked_index(name, input, dim, index):
    if index.dtype != dtypes.INT64 and index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int64 for index, but got {dtypes.of(index.dtype)!r}")
    if index.ndim != input.ndim and input.ndim and index.ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    size = input.shape[dim] if input.ndim else 1
    low, high = (int(index.min()), int(index.max())) if index.size else (0, -1)
    if low < 0 or high >= size:
        raise RuntimeError(
            f"index {low if low < 0 else high} is out of bounds for dimension {dim} with size {size}"
        )
    for d, n in enumerate(index.shape):
        if d != dim and input.ndim and n > input.shape[d]:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {dim}"
            )


@op(input=lambda g, input_shape, dim, index: _scatter_zeros(g, input_shape, dim, index), constant="index")
def gather(input, dim, index, *, sparse_grad=False):
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on: picks along ``dim``.

    ``index`` (int64) has input's rank and no larger sizes beside ``dim``. Out of range raises
    ``RuntimeError``. Source: ``torch.gather``.

    >>> import minidl
    >>> minidl.gather(minidl.tensor([[1, 2], [3, 4]]), 1, minidl.tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    dim = wrap_dim(dim, input.ndim)
    _checked_index("gather", input, dim, index)
    return of(input).take_along(input, dim, index)


@op(g=lambda g0, dim, index: gather(g0, dim, index), constant="index", faces=(), method=False)
def _scatter_zeros(g, shape, dim, index):
    space = of(g)
    return space.add_along(space.zeros(shape, g.dtype), wrap_dim(dim, len(shape)), index, g)


@op(
    input=lambda g, dim, index: scatter(g, dim, index, 0.0),
    src=lambda g, dim, index, src_shape: _cropped_gather(g, dim, index, src_shape),
    constant="index", number="src", inplace=True,
)  # fmt: skip
def scatter(input, dim, index, src=None, *, value=None):
    """A copy of ``input`` with ``src`` written at ``index`` along ``dim``: out[index[i][j]][j] = src[i][j] for dim 0.

    ``src`` is a tensor no smaller than ``index``, or a number. Source: ``torch.scatter``.

    >>> import minidl
    >>> minidl.zeros(1, 3).scatter(1, minidl.tensor([[2]]), 1.0)
    tensor([[0., 0., 1.]])
    """
    dim, src = wrap_dim(dim, input.ndim), value if src is None else src
    _checked_index("scatter", input, dim, index)
    return of(input).put_along(input, dim, index, _cropped(src, index))


@op(
    input=lambda g: g, src=lambda g, dim, index, src_shape: _cropped_gather(g, dim, index, src_shape), constant="index",
    number="", inplace=True,
)  # fmt: skip
def scatter_add(input, dim, index, src):
    """A copy of ``input`` with ``src`` added at ``index`` along ``dim``; what meets at one place is summed.
    Source: ``torch.scatter_add``.

    >>> import minidl
    >>> minidl.zeros(2).scatter_add(0, minidl.tensor([0, 0]), minidl.ones(2))
    tensor([2., 0.])
    """
    dim = wrap_dim(dim, input.ndim)
    _checked_index("scatter_add", input, dim, index)
    return of(input).add_along(input, dim, index, _cropped(src, index))


def _cropped(src, index):
    """The part of ``src`` that ``index`` reads."""
    return src[tuple(slice(n) for n in index.shape)] if getattr(src, "shape", ()) else src


def _cropped_gather(g, dim, index, src_shape):
    taken = gather(g, dim, index)
    if tuple(index.shape) == tuple(src_shape):
        return taken
    return index_add_at(taken, tuple(slice(n) for n in index.shape), src_shape)


@function()
def index_select(input, dim, index):
    """The slices ``index`` (1-D, int64) along ``dim``, as a copy. Source: ``torch.index_select``.

    >>> import minidl
    >>> minidl.index_select(minidl.tensor([5, 6, 7]), 0, minidl.tensor([2, 0]))
    tensor([7, 5])
    """
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    return input[(slice(None),) * dim + (index.reshape(-1),)]


@function()
def take(input, index):
    """The elements of the flattened input at ``index``, in index's shape. Source: ``torch.take``."""
    return input.reshape(-1)[index]


@function()
def masked_select(input, mask):
    """The elements where ``mask`` (bool, broadcastable) holds, 1-D. Source: ``torch.masked_select``."""
    shape = np.broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    return input.expand(shape)[mask.expand(shape)]


@function()
def nonzero(input, *, as_tuple=False):
    """Indices of the elements that are not zero: rows of an (n, ndim) tensor, or one tensor a dimension.
    Source: ``torch.nonzero``.

    >>> import minidl
    >>> minidl.nonzero(minidl.tensor([0, 3, 4]))
    tensor([[1],
            [2]])
    """
    space = of(input._array)
    found = space.nonzero(input._array if input.ndim else input._array.reshape(1))
    if as_tuple:
        return tuple(Tensor._from_array(a) for a in found)
    stacked = space.stack(list(found), 1)
    return Tensor._from_array(stacked if input.ndim else stacked[:, :0])
