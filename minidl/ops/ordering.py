"""Order: max and min with indices, argmax, sort, topk, unique."""

from minidl import dtypes, return_types
from minidl.autograd import Saved, Tensor, function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.common import wrap_dim
from minidl.ops.indexing import _scatter_zeros
from minidl.ops.reductions import amax, amin, with_kept
from minidl.ops.selection import maximum, minimum
from minidl.ops.shapes import _reshape, movedim

ValueIndex = {name: return_types.define(name, "values indices") for name in ("max", "min", "sort", "topk")}


def _along(g0, input_shape, indices, dim, keepdim):
    if not input_shape:
        return g0
    shape = with_kept(input_shape, dim)
    g0 = g0 if keepdim else _reshape(g0, shape)
    return _scatter_zeros(g0, input_shape, dim, _reshape(indices, shape))


def _extremum(name):
    def forward(input, dim, keepdim):
        space = of(input)
        if input.ndim == 0:
            wrap_dim(dim, 0)
            return (space.copy(input), space.zeros((), dtypes.INT64)), Saved(indices=None)
        d = wrap_dim(dim, input.ndim)
        if input.shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")
        kept = getattr(space, "arg" + name)(input, d, True)
        values = space.take_along(input, d, kept)
        if not keepdim:
            values, kept = space.squeeze(values, (d,)), space.squeeze(kept, (d,))
        return (values, kept), Saved(indices=kept)

    forward.__name__ = f"_{name}_along"
    return op(
        input=lambda g0, input_shape, indices, dim, keepdim: _along(g0, input_shape, indices, dim, keepdim),
        returns=ValueIndex[name], shown=name.capitalize(), faces=(), method=False,
    )(forward)  # fmt: skip


_max_along, _min_along = _extremum("max"), _extremum("min")


def _max_or_min(name, along, over_all, pairwise, what):
    def forward(input, *args, dim=None, keepdim=False, other=None):
        if args:
            dim, other = (None, args[0]) if isinstance(args[0], Tensor) else (args[0], None)
            keepdim = args[1] if len(args) > 1 else keepdim
        if other is not None:
            return pairwise(input, other)
        if dim is None:
            if input.numel() == 0:
                raise RuntimeError(
                    f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                    "Specify the reduction dim with the 'dim' argument."
                )
            return named(over_all(input), f"{name.capitalize()}Backward1")
        return along(input, dim, keepdim)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""The {what} element: of all; along ``dim`` as (values, indices); or, of two tensors,
    elementwise.

    NaN wins. The gradient along ``dim`` goes to the first such element. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([[1.0, 1.0]]), 1).indices
    tensor([0])
    """
    return function(tensors="input")(forward)


max = _max_or_min("max", _max_along, amax, maximum, "largest")
min = _max_or_min("min", _min_along, amin, minimum, "smallest")


def _position(name, what):
    def forward(input, dim=None, keepdim=False):
        space = of(input)
        if input.dtype is dtypes.BOOL:
            raise RuntimeError(
                f"{name}(): does not support bool input. Hint: convert the mask first, with .int()."
            )
        if input.size == 0 and (dim is None or input.shape[wrap_dim(dim, input.ndim)] == 0):
            raise IndexError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify "
                "the reduction dim with the 'dim' argument."
            )
        if dim is None or input.ndim == 0:
            out = getattr(space, name)(space.reshape(input, (input.size,)), 0, False)
            return space.reshape(out, (1,) * input.ndim) if keepdim else out
        return getattr(space, name)(input, wrap_dim(dim, input.ndim), keepdim)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""The index (int64) of the first {what} element along ``dim``,
    or of all elements flattened. NaN wins. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([1.0, 1.0]))
    tensor(0)
    """
    return op(constant="input")(forward)


argmax, argmin = _position("argmax", "largest"), _position("argmin", "smallest")


def _sort_rule(g0, input_shape, order, dim):
    return _scatter_zeros(g0, input_shape, dim, order) if input_shape else g0


@op(input=_sort_rule, returns=ValueIndex["sort"], faces=(), method=False)
def _sort(input, dim, descending):
    space = of(input)
    if input.ndim == 0:
        return (space.copy(input), space.zeros((), dtypes.INT64)), Saved(order=None)
    values, order = space.sort(input, wrap_dim(dim, input.ndim), descending)
    return (values, order), Saved(order=order)


@op(input=_sort_rule, returns=ValueIndex["topk"], shown="Topk", faces=(), method=False)
def _topk(input, dim, descending, count):
    values, order = of(input).sort_first(input, dim, descending, count)
    return (values, order), Saved(order=order)


@function(tensors="input")
def sort(input, dim=-1, descending=False, stable=False):
    """Values in order along ``dim`` and their indices. Always stable; NaN counts as largest. Source: ``torch.sort``.

    >>> import minidl
    >>> minidl.sort(minidl.tensor([3.0, 1.0])).indices
    tensor([1, 0])
    """
    out = _sort(input, dim, bool(descending))
    return named(out, "SortBackward1") if stable else out


@function(tensors="input")
def argsort(input, dim=-1, descending=False, stable=False):
    """Indices that sort along ``dim``. Source: ``torch.argsort``.

    >>> import minidl
    >>> minidl.argsort(minidl.tensor([3.0, 1.0]))
    tensor([1, 0])
    """
    return sort(input.detach(), dim, descending).indices


@function(tensors="input", shown="Topk")
def topk(input, k, dim=-1, largest=True, sorted=True):
    """The ``k`` largest (or smallest) values along ``dim`` in order, and their indices. Source: ``torch.topk``.

    >>> import minidl
    >>> minidl.topk(minidl.tensor([1.0, 3.0, 2.0]), 2).values
    tensor([3., 2.])
    """
    d = wrap_dim(dim, input.ndim)
    if input.dtype is dtypes.bool_:
        raise RuntimeError(
            "topk does not support bool dtypes on CPU. Hint: convert the mask first, with .int()."
        )
    if not 0 <= k <= (input.size(d) if input.ndim else 1):
        raise RuntimeError(
            f"selected index k out of range: k={k} for size {input.size(d) if input.ndim else 1}"
        )
    if input.ndim == 0:
        return ValueIndex["topk"](*_sort(input, dim, bool(largest)))
    return _topk(input, d, bool(largest), k)


@function(tensors="input")
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct values in order, with each element's index among them and their counts where asked.
    Source: ``torch.unique``.

    >>> import minidl
    >>> minidl.unique(minidl.tensor([3, 1, 3]))
    tensor([1, 3])
    """
    if dim is not None:
        return _unique_slices(input, wrap_dim(dim, input.ndim), return_inverse, return_counts)
    found = [Tensor._from_array(a) for a in of(input._array).unique(input._array)]
    out = (found[0], *found[1:2] * return_inverse, *found[2:] * return_counts)
    return out if len(out) > 1 else out[0]


def _unique_slices(input, dim, return_inverse, return_counts):
    """``unique`` of the slices along ``dim``."""
    moved = movedim(input.detach(), dim, 0)
    if moved.shape[0] and moved.numel() == 0:
        raise RuntimeError(
            "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
        )
    count = moved.shape[0]
    flat = moved.reshape(count, moved.numel() // count if count else 0)
    values, inverse, counts = (Tensor._from_array(a) for a in of(flat._array).unique_rows(flat._array))
    values = movedim(values.reshape(values.shape[0], *moved.shape[1:]), 0, dim)
    out = (values, *[inverse] * return_inverse, *[counts] * return_counts)
    return out if len(out) > 1 else values
