"""Reading and writing by index: slices, ints, None, Ellipsis, integer and boolean tensors, gather and scatter."""

import numpy as np

from minidl import backends, dtypes
from minidl.autograd import Tensor, function, modes, op
from minidl.autograd.convert import to_array
from minidl.autograd.inplace import bump, check_writable, refuse_expanded, write
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.common import check_fits, common_shape, fitting, scalar_like, told_later, wrap_dim
from minidl.ops.index_parts import split_index


def _index_name(shape, kept):
    """PyTorch's name for the last step of an index: that of the parts that select, where there are any."""
    index = kept.get("index", 0)
    parts = index if isinstance(index, tuple) else (index,)
    if any(hasattr(p, "dtype") for p in parts):
        return "Index"
    last = [p for p in parts if p is not Ellipsis][-1:]
    if not last or last[0].__class__ is int:
        return "Select"
    return "Unsqueeze" if last[0] is None else "Slice"


@op(
    input=lambda g, input_shape, input_strides, index: index_add_at(g, index, input_shape, input_strides),
    view=True,
    shown=_index_name,
    faces=(),
    method=False,
)
def index_with(input, index):
    """``input[index]`` for a raw index: ints, slices, None, Ellipsis and arrays, checked before."""
    return of(input).getitem(input, index)


@op(
    input=lambda g, input_shape, index: index_add_at(g, index, input_shape),
    shown=_index_name,
    faces=(),
    method=False,
)
def _pick(input, index):
    """``input[index]`` for arrays among slices: a copy."""
    return of(input).pick(input, index)


@op(g=lambda g0, index: index_with(g0, index), faces=(), method=False)
def index_add_at(g, index, shape, strides=None):
    """Zeros of ``shape`` with ``g`` added at ``index``, in the order of ``strides`` in memory."""
    return of(g).index_add(g, index, shape, strides)


def _getitem(self, index):
    """``self[index]``: a view for ints, slices, None and Ellipsis; a copy where tensors or lists select."""
    if index.__class__ is int and self._array.ndim and -self._array.shape[0] <= index < self._array.shape[0]:
        return index_with(self, index)
    if index.__class__ is int and self._array.ndim == 0:
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert it to a number"
        )
    basic, advanced = split_index(index, self._array, keep=self._edge is not None)
    out = self if basic is None else index_with(self, basic)
    return out if advanced is None else _pick(out, advanced)


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
    """``self[index] = value``, in place: the value is broadcast; numbers, and all that ints and slices select, are
    cast. Raises ``RuntimeError`` where tensors or lists select and the dtypes differ.
    """
    recorded = modes.is_grad_enabled()
    own, (basic, advanced) = index, split_index(index, self._array, keep=recorded)
    check_writable(self, "__setitem__")
    if advanced is None and not isinstance(value, Tensor) and _write_number(self, basic, value, recorded):
        return
    if not isinstance(value, Tensor):
        value = Tensor._from_array(_constant(value, self._array))
    if recorded and (self.requires_grad or value.requires_grad):
        region = self if basic is None else index_with(self, basic)
        if advanced is None:
            region.copy_(_broadcast_to_index(value, region._array.shape))
            return
        shape = of(self._array).getitem(region._array, advanced).shape
        value = _of_dtype(_broadcast_to_index(value, shape), region._array, own, advanced)
        write(region, _replaced(region, value, advanced), "__setitem__")
        return
    space = of(self._array, value._array)
    if advanced is None and not value._array.ndim and 0 not in self._array.strides:
        space.setitem(self._array, basic, value._array)
        bump(self)
        return
    region = self._array if basic is None else space.getitem(self._array, basic)
    refuse_expanded(region)
    index = (Ellipsis,) if advanced is None else advanced
    with modes.no_grad():
        value = _broadcast_to_index(value, space.getitem(region, index).shape)
        if advanced is not None:
            value = _of_dtype(value, region, own, advanced)
    space.setitem(region, index, value._array)
    bump(self)


def _write_number(self, basic, number, recorded):
    """Whether it wrote a Python number into a region of a tensor of floats: what most loops over elements do."""
    array = self._array
    if number.__class__ not in (float, int) or array.dtype not in (dtypes.FLOAT32, dtypes.FLOAT64):
        return False
    if 0 in array.strides or (recorded and self.requires_grad):
        return False
    check_fits(array.dtype, number)
    of(array).setitem(array, basic, number)
    bump(self)
    return True


def _of_dtype(value, array, index, advanced):
    """``value`` where it may be written: one mask alone takes one number of any dtype, other tensors only their own."""
    if value._array.dtype == array.dtype:
        return value
    selecting = [part for part in advanced if hasattr(part, "dtype")]
    masked = len(selecting) == 1 and selecting[0].dtype == dtypes.BOOL
    if masked and (value._array.size == 1 or index is True or index is False):
        return value
    raise RuntimeError(dtypes_differ(array, value._array))


def dtypes_differ(array, source):
    return (
        f"Index put requires the source and destination dtypes match, got {dtypes.scalar_name(array.dtype)} for the "
        f"destination and {dtypes.scalar_name(source.dtype)} for the source."
    )


def _constant(value, array):
    """What is no Tensor, as an array of ``array``'s dtype and device. Numbers too large for 16 bits are infinite."""
    if isinstance(value, (bool, int, float)):
        half = array.dtype.itemsize == 2 and dtypes.is_floating(array.dtype)
        return scalar_like(array, value) if half else fitting(array, value)
    if isinstance(value, np.generic):
        return to_array(value, array.dtype, backends.device_of(array))
    kind = f"{value.__class__.__module__}.{value.__class__.__name__}".removeprefix("builtins.")
    raise TypeError(
        f"can't assign a {kind} to a torch.{dtypes.scalar_name(array.dtype)}Tensor. Hint: minidl.tensor(...) makes one."
    )


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


def _checked_index(name, input, dim, index, src=None, own="self"):
    """Raises PyTorch's errors for what does not fit in ``gather`` (``own`` is "input") and the scatter family."""
    if index.dtype != dtypes.INT64 and index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int64 for index, but got {dtypes.of(index.dtype)!r}")
    if src is not None and src.dtype != input.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
    if index.size and max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {own} tensor")
    if src is not None and index.size and max(index.ndim, 1) != max(src.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    _check_sizes(input, dim, index, src)
    size = input.shape[dim] if input.ndim else 1
    if told_later(index, input):
        return
    distinct = index[
        tuple(slice(1) if step == 0 else slice(None) for step in index.strides)
    ]  # once if repeated
    if index.size and of(index).first_out_of_range(distinct, size, None) >= 0:
        low, high = int(distinct.min()), int(distinct.max())
        raise RuntimeError(
            f"index {low if low < 0 else high} is out of bounds for dimension {dim} with size {size}"
        )


def _check_sizes(input, dim, index, src):
    for d, n in enumerate(index.shape):
        beside = d != dim and d < input.ndim and n > input.shape[d]
        if index.size and (beside or (src is not None and d < src.ndim and n > src.shape[d])):
            beyond = "" if src is None else f" and to be no larger size than src {list(src.shape)}"
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {dim}{beyond}"
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
    _checked_index("gather", input, dim, index, own="input")
    if input.ndim != index.ndim:  # one of them 0-d, or the index empty
        return of(input).full(index.shape, input.reshape(-1)[0] if index.size else 0, input.dtype)
    return of(input).take_along(input, dim, index)


@op(g=lambda g0, dim, index: gather(g0, dim, index), constant="index", faces=(), method=False)
def _scatter_zeros(g, shape, dim, index):
    space, dim = of(g), wrap_dim(dim, len(shape))
    if len(shape) != index.ndim:
        return _rank_raised("add_along", space.zeros(shape, g.dtype), dim, index, g)
    return space.add_along(space.zeros(shape, g.dtype), dim, index, g)


@op(
    input=lambda g, dim, index: _scatter(g, dim, index, 0.0),
    src=lambda g, dim, index, src_shape: _cropped_gather(g, dim, index, src_shape),
    constant="index", number="src", faces=(), method=False, shown="Scatter",
)  # fmt: skip
def _scatter(input, dim, index, src):
    dim, tensor = wrap_dim(dim, input.ndim), hasattr(src, "dtype")
    _checked_index("scatter", input, dim, index, src if tensor else None)
    if input.ndim == 0 or index.ndim == 0:
        return _rank_raised("put_along", input, dim, index, src)
    return of(input).put_along(input, dim, index, _cropped(src, index))


def _rank_raised(name, input, dim, index, src):
    """A scatter where the input or the index is 0-d, which counts as one element; an empty index changes nothing."""
    if not index.size:
        return of(input).copy(input)
    raised = [a.reshape(1) if getattr(a, "ndim", 1) == 0 else a for a in (input, index, src)]
    out = getattr(of(input), name)(raised[0], dim, raised[1], _cropped(raised[2], raised[1]))
    return out.reshape(input.shape)


@function()
def scatter(input, dim, index, src=None, *, value=None, reduce=None):
    """A copy of ``input`` with ``src`` written at ``index`` along ``dim``: out[index[i][j]][j] = src[i][j] for dim 0.

    ``src`` is a tensor no smaller than ``index``, or a number. ``reduce`` ('add' or 'multiply', which PyTorch gave up
    for ``scatter_reduce``) combines it with what is there. Source: ``torch.scatter``.

    >>> import minidl
    >>> minidl.zeros(1, 3).scatter(1, minidl.tensor([[2]]), 1.0)
    tensor([[0., 0., 1.]])
    """
    src = value if src is None else src
    if reduce is None:
        out = _scatter(input, dim, index, src)
        return out if isinstance(src, Tensor) else named(out, "ScatterBackward1")
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    source = src if isinstance(src, Tensor) else input.new_full(index.shape, src)
    return input.scatter_reduce(dim, index, source, {"add": "sum", "multiply": "prod"}[reduce])


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
    _checked_index("scatter", input, dim, index, src)
    if input.ndim == 0 or index.ndim == 0:
        return _rank_raised("add_along", input, dim, index, src)
    return of(input).add_along(input, dim, index, _cropped(src, index))


def _cropped(src, index):
    """The part of ``src`` that ``index`` reads."""
    return src[tuple(slice(n) for n in index.shape)] if getattr(src, "shape", ()) else src


def _cropped_gather(g, dim, index, src_shape):
    taken = gather(g, dim, index)
    if tuple(index.shape) == tuple(src_shape):
        return taken
    return index_add_at(taken, tuple(slice(n) for n in index.shape), src_shape)


@function(tensors="input index", shown="IndexSelect")
def index_select(input, dim, index):
    """The slices ``index`` (1-D, int64) along ``dim``, as a copy. Source: ``torch.index_select``.

    >>> import minidl
    >>> minidl.index_select(minidl.tensor([5, 6, 7]), 0, minidl.tensor([2, 0]))
    tensor([7, 5])
    """
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if input.ndim == 0:
        return input.reshape(1)[index.reshape(-1)].reshape(())
    return input[(slice(None),) * dim + (index.reshape(-1),)]


@function(tensors="input index", shown="Take")
def take(input, index):
    """The elements of the flattened input at ``index``, in index's shape. Source: ``torch.take``."""
    return input.reshape(-1)[index]


@function(tensors="input mask", shown="MaskedSelect")
def masked_select(input, mask):
    """The elements where ``mask`` (bool, broadcastable) holds, 1-D. Source: ``torch.masked_select``."""
    if mask.dtype is not dtypes.bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask. Hint: convert it with .bool().")
    shape = common_shape(tuple(mask.shape), tuple(input.shape))
    return input.expand(shape)[mask.expand(shape)]


@function(tensors="input")
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
