"""Writing by index: scatter_reduce and the index_*, put and masked families, each also in place."""

from minidl import dtypes
from minidl.autograd import Saved, Tensor, function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.arithmetic import div, mul
from minidl.ops.common import fitting, told_later, wrap_dim
from minidl.ops.comparison import eq, logical_and
from minidl.ops.create import zeros_like
from minidl.ops.indexing import (
    _checked_index,
    _cropped,
    _cropped_gather,
    _scatter,
    gather,
    index_add_at,
    index_with,
    mul_zero,
    scatter_add,
)
from minidl.ops.selection import where
from minidl.ops.shapes import expand

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _reduce_input(g, input, src, result, count, index, dim, reduce, include_self):
    """What of the gradient the old values keep."""
    if not include_self:
        return _scatter(g, dim, index, 0.0)
    if reduce == "sum":
        return g
    if reduce == "mean":
        return div(g, count)
    if reduce == "prod":  # the product of the others: with 1 in place of a zero
        safe = where(eq(input, 0), 1.0, input)
        return mul(g, div(_scatter_reduce(safe, dim, index, src, reduce, True), safe))
    return where(eq(input, result), div(g, count), 0.0)


def _reduce_src(g, input, src, result, count, index, dim, reduce, include_self, src_shape):
    if reduce == "sum":
        return _cropped_gather(g, dim, index, src_shape)
    if reduce == "mean":
        return _cropped_gather(div(g, count), dim, index, src_shape)
    taken, values = gather(result, dim, index), _cropped_part(src, index)
    if reduce == "prod":
        return _padded(_other_products(g, input, values, taken, index, dim, include_self), src_shape)
    return _padded(where(eq(values, taken), gather(div(g, count), dim, index), 0.0), src_shape)


def _other_products(g, input, values, taken, index, dim, include_self):
    """g times the product of all others at the place of each value, which may be zero."""
    zero = eq(values, 0)
    zeros = gather(scatter_add(mul_zero(input), dim, index, where(zero, 1.0, mul_zero(values))), dim, index)
    alone = logical_and(zero, eq(zeros, 1))
    others = _scatter_reduce(input, dim, index, where(alone, 1.0, values), "prod", include_self)
    beside = div(taken, where(zero, 1.0, values))
    return mul(gather(g, dim, index), where(alone, gather(others, dim, index), beside))


def _cropped_part(src, index):
    return index_with(src, tuple(slice(n) for n in index.shape))


def _padded(part, shape):
    return part if tuple(part.shape) == tuple(shape) else index_add_at(part, _corner(part), tuple(shape))


def _corner(part):
    return tuple(slice(n) for n in part.shape)


@op(
    input=lambda g, input, src, result, count, index, dim, reduce, include_self: _reduce_input(
        g, input, src, result, count, index, dim, reduce, include_self
    ),
    src=lambda g, input, src, result, count, index, dim, reduce, include_self, src_shape: _reduce_src(
        g, input, src, result, count, index, dim, reduce, include_self, src_shape
    ),
    constant="index", faces=(), method=False, shown="ScatterReduce",
)  # fmt: skip
def _scatter_reduce(input, dim, index, src, reduce, include_self):
    space, part = of(input), _cropped(src, index)
    out, met = space.scatter_reduce(input, dim, index, part, reduce, include_self)
    if reduce in ("amax", "amin"):
        hits = space.eq(space.take_along(out, dim, index), part).astype(dtypes.INT64)
        kept = (
            space.eq(input, out).astype(dtypes.INT64)
            if include_self
            else space.zeros(input.shape, dtypes.INT64)
        )
        met = space.add_along(kept, dim, index, hits)
    count = space.clamp(met, space.full((), 1, dtypes.INT64), None)
    return out, Saved(count=count.astype(input.dtype))


@function(tensors="input index src", shown="ScatterReduce")
def scatter_reduce(input, dim, index, src, reduce, *, include_self=True):
    """A copy of ``input`` with ``src`` reduced into it at ``index`` along ``dim``: sum, prod, mean, amax or amin.

    Without ``include_self`` the places that are reached forget what they held. Source: ``torch.scatter_reduce``.

    >>> import minidl
    >>> minidl.zeros(2).scatter_reduce(
    ...     0, minidl.tensor([0, 0]), minidl.tensor([1.0, 3.0]), "mean", include_self=False
    ... )
    tensor([2., 0.])
    """
    if reduce not in REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if input.dtype is not src.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    dim = wrap_dim(dim, input.ndim)
    _checked_index("scatter", input._array, dim, index._array, src._array)
    if input.ndim == 0:
        flat = [t.reshape(-1) for t in (input, index, src)]
        return scatter_reduce(flat[0], 0, flat[1], flat[2], reduce, include_self=include_self).reshape(())
    return _scatter_reduce(input, dim, index, src, reduce, include_self)


def _slices(name, input, dim, index, source):
    """The checked dimension, and ``index`` as it reads in the shape of ``source``, for the index_* functions."""
    dim = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError(
            f"{name}(): Index is supposed to be a vector, but got dim: {index.ndim} with type: Long"
        )
    if index.dtype.name not in ("int64", "int32"):
        raise IndexError(f"{name}(): Expected dtype int32/int64 for index but got: {index.dtype!r}")
    if source is not None:
        if input.dtype is not source.dtype:
            raise RuntimeError(
                f"{name}(): self ({dtypes.scalar_name(input._array.dtype)}) and source "
                f"({dtypes.scalar_name(source._array.dtype)}) must have the same scalar type"
            )
        beside = [
            (a, b)
            for d, (a, b) in enumerate(zip(input.shape, source.shape, strict=False))
            if d != dim and a != b
        ]
        if source.ndim and (source.ndim != input.ndim or beside):
            raise RuntimeError(
                f"source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape "
                f"= {list(input.shape)} source.shape = {list(source.shape)}"
            )
        if source.ndim and source.shape[dim] != index.numel():
            raise IndexError(
                f"{name}(): Number of indices ({index.numel()}) should be equal to source.size(dim): "
                f"({source.shape[dim]}), for dim: {dim}"
            )
    size = input.shape[dim] if input.ndim else 1
    if index.numel() and not told_later(index._array, input._array):
        low, high = int(index.min()), int(index.max())
        if low < -size or high >= size:
            raise IndexError(
                f"{name}(): index {high if high >= size else low} is out of range for dim of size {size}"
            )
    return dim, index.reshape(-1)


def _spread_index(index, dim, shape):
    """A vector of indices along ``dim`` as ``gather`` and ``scatter`` take it, for a source of ``shape``."""
    lying = index.reshape([-1 if d == dim else 1 for d in range(len(shape))])
    return expand(lying, tuple(shape))


def _rank_one(function_):
    """Lets a function of arrays with dimensions take 0-d ones."""

    def call(input, dim, index, source, *args, **kwargs):
        if input.ndim:
            return function_(input, dim, index, source, *args, **kwargs)
        return function_(input.reshape(1), dim, index, source, *args, **kwargs).reshape(())

    call.__wrapped__, call.__name__, call.__qualname__ = function_, function_.__name__, function_.__qualname__
    call.__doc__, call.__module__ = function_.__doc__, function_.__module__
    return call


@function(tensors="input index source", shown="IndexAdd")
@_rank_one
def index_add(input, dim, index, source, *, alpha=1):
    """A copy of ``input`` with ``alpha * source`` added to the slices ``index`` along ``dim``.
    Source: ``torch.index_add``.

    >>> import minidl
    >>> minidl.zeros(3).index_add(0, minidl.tensor([0, 0]), minidl.ones(2))
    tensor([2., 0., 0.])
    """
    dim, index = _slices("index_add", input, dim, index, source)
    if source.ndim == 0:
        source = source.reshape(1)
    wide = _spread_index(index, dim, source.shape)
    return scatter_add(input, dim, wide, source if alpha == 1 else mul(source, alpha))


@function(tensors="input index source", shown="IndexCopy")
@_rank_one
def index_copy(input, dim, index, source):
    """A copy of ``input`` with ``source`` as the slices ``index`` along ``dim``. Source: ``torch.index_copy``.

    >>> import minidl
    >>> minidl.zeros(3).index_copy(0, minidl.tensor([2]), minidl.ones(1))
    tensor([0., 0., 1.])
    """
    dim, index = _slices("index_copy", input, dim, index, source)
    if source.ndim == 0:
        source = source.reshape(1)
    return _scatter(input, dim, _spread_index(index, dim, source.shape), source)


@function(tensors="input index")
@_rank_one
def index_fill(input, dim, index, value):
    """A copy of ``input`` with a number in the slices ``index`` along ``dim``. Source: ``torch.index_fill``.

    >>> import minidl
    >>> minidl.zeros(3).index_fill(0, minidl.tensor([1]), 5.0)
    tensor([0., 5., 0.])
    """
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    dim, index = _slices("index_fill_", input, dim, index, None)
    shape = [index.numel() if d == dim else n for d, n in enumerate(input.shape)]
    places = _spread_index(where(index < 0, index + input.shape[dim], index), dim, shape)
    label = f"IndexFillBackward{int(isinstance(value, Tensor))}"
    if not isinstance(value, Tensor):
        value = Tensor._from_array(fitting(input._array, value))
    chosen = _scatter(zeros_like(input, dtype=dtypes.bool_), dim, places, True)
    return named(where(chosen, value.to(input.dtype), input), label)


@function(tensors="input index source", shown="IndexReduce")
@_rank_one
def index_reduce(input, dim, index, source, reduce, *, include_self=True):
    """A copy of ``input`` with ``source`` reduced into the slices ``index`` along ``dim``: prod, mean, amax or amin.
    Source: ``torch.index_reduce``.

    >>> import minidl
    >>> minidl.ones(2).index_reduce(0, minidl.tensor([0]), minidl.tensor([3.0]), "prod")
    tensor([3., 1.])
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}."
        )
    dim, index = _slices("index_reduce", input, dim, index, source)
    source = source.reshape(1) if source.ndim == 0 else source
    return scatter_reduce(
        input, dim, _spread_index(index, dim, source.shape), source, reduce, include_self=include_self
    )
