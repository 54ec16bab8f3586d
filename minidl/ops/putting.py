"""Writing at indices and masks: index_put, put, masked_scatter, fill; also in place."""

import numpy as np

from minidl import dtypes
from minidl.autograd import Tensor, function, op
from minidl.autograd.inplace import check_writable, write
from minidl.backends import of
from minidl.ops.arithmetic import add
from minidl.ops.index_parts import split_index
from minidl.ops.indexing import _replaced, dtypes_differ, index_add_at
from minidl.ops.memory_formats import clone
from minidl.ops.selection import where
from minidl.ops.shapes import expand


def _put(input, indices, values, accumulate):
    """``input`` with ``values`` written (or added) at a tuple of index tensors, None standing for a whole dimension."""
    index = tuple(slice(None) if i is None else i for i in indices)
    _, advanced = split_index(index, input._array, keep=True)
    if advanced is None:
        advanced = (Ellipsis,)
    shape = of(input._array).getitem(input._array, advanced).shape
    try:
        values = expand(values, shape)
    except RuntimeError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of "
            f"shape {list(shape)}"
        ) from None
    if not accumulate:
        return _replaced(input, values, advanced)
    return add(input, index_add_at(values, advanced, tuple(input.shape)))


@function(tensors="input values", shown="IndexPut")
def index_put(input, indices, values, accumulate=False):
    """A copy of ``input`` with ``values`` written, or added, at ``indices``, a tuple of index tensors.
    Source: ``torch.index_put``.

    >>> import minidl
    >>> minidl.zeros(3).index_put((minidl.tensor([0, 0]),), minidl.ones(1), accumulate=True)
    tensor([2., 0., 0.])
    """
    if input.dtype is not values.dtype:
        raise RuntimeError(dtypes_differ(input._array, values._array))
    return _put(input, tuple(map(_with_a_dimension, indices)), values, accumulate)


def _with_a_dimension(index):
    """An index of one number as one of one element, which selects the same."""
    number = (
        isinstance(index, Tensor) and index.ndim == 0 and not index.dtype.name.startswith(("bool", "uint8"))
    )
    return index.reshape(1) if number else index


@function(faces=("torch",), tensors="input values")
def index_put_(input, indices, values, accumulate=False):
    """In-place form of ``index_put``."""
    check_writable(input, "index_put_")
    return write(input, index_put(clone(input), indices, values, accumulate), "index_put_")


@function(tensors="input index source", shown="Put")
def put(input, index, source, accumulate=False):
    """A copy of ``input`` with ``source`` written, or added, at the flat positions ``index``. Source: ``torch.put``.

    >>> import minidl
    >>> minidl.zeros(2, 2).put(minidl.tensor([3]), minidl.tensor([7.0])).sum()
    tensor(7.)
    """
    if index.dtype.name != "int64":
        raise IndexError(
            f"put_(): Expected a long tensor for index, but got {dtypes.scalar_name(index._array.dtype)}"
        )
    if input.dtype is not source.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {input.dtype!r} and "
            f"source.dtype = {source.dtype!r}"
        )
    if index.numel() != source.numel():
        raise RuntimeError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.numel()}, index.numel() = {index.numel()}"
        )
    if input.numel() == 0 and index.numel():
        raise IndexError("put_(): tried to put elements into an empty tensor")
    return _put(input.reshape(-1), (index.reshape(-1),), source.reshape(-1), accumulate).reshape(input.shape)


@function(faces=(), tensors="self index source")
def put_(self, index, source, accumulate=False):
    """In-place form of ``put``."""
    check_writable(self, "put_")
    return write(self, put(clone(self), index, source, accumulate), "put_")


def _masked_input(g, mask):
    return where(mask, 0.0, g)


@op(
    input=lambda g, mask: _masked_input(g, mask), source=lambda g, mask, source_shape: _taken(g, mask, source_shape),
    constant="mask", faces=(), method=False, shown="MaskedScatter",
)  # fmt: skip
def _masked_scatter(input, mask, source):
    return of(input).masked_scatter(input, mask, source)


@op(
    g=lambda g0, mask: _masked_scatter(_zeros_at(mask, g0), mask, g0), constant="mask", faces=(), method=False
)
def _taken(g, mask, shape):
    """The elements of ``g`` where ``mask`` holds, in order, as the first ones of zeros of ``shape``."""
    space = of(g)
    chosen = space.getitem(g, (mask,))
    flat = space.zeros((int(np.prod(shape)),), g.dtype)
    space.setitem(flat, (slice(chosen.shape[0]),), chosen)
    return space.reshape(flat, tuple(shape))


@op(constant="mask g", faces=(), method=False)
def _zeros_at(mask, g):
    """Zeros of the mask's shape in ``g``'s dtype."""
    return of(g).zeros(mask.shape, g.dtype)


@function(tensors="input mask source")
def masked_scatter(input, mask, source):
    """A copy of ``input`` with the first elements of ``source`` in order where ``mask`` (bool) holds.
    Source: ``torch.masked_scatter``.

    >>> import minidl
    >>> minidl.zeros(3).masked_scatter(minidl.tensor([True, False, True]), minidl.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    if mask.dtype is not dtypes.bool_:
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype!r}"
        )
    if input.dtype is not source.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {input.dtype!r} and {source.dtype!r}"
        )
    shape = np.broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    input, mask = expand(input, shape), expand(mask, shape)
    count = int(mask.sum())
    if count > source.numel():
        raise RuntimeError(
            f"masked_scatter: expected the number of elements of source to be at least {count} (ones in mask), but got "
            f"{source.numel()}"
        )
    return _masked_scatter(input, mask, source)


@function(faces=(), tensors="self mask source")
def masked_scatter_(self, mask, source):
    """In-place form of ``masked_scatter``."""
    check_writable(self, "masked_scatter_")
    return write(
        self, masked_scatter(clone(self), expand(mask, tuple(self.shape)), source), "masked_scatter_"
    )


@function(method=False, tensors="input")
def fill(input, value):
    """A tensor like ``input`` filled with a number, or a 0-d tensor. Source: ``torch.fill``.

    >>> import minidl
    >>> minidl.fill(minidl.zeros(2), 3)
    tensor([3., 3.])
    """
    return clone(input).fill_(value)


@function(tensors="input")
def argwhere(input):
    """Rows of indices of the elements that are not zero. Source: ``torch.argwhere``.

    >>> import minidl
    >>> minidl.tensor([0, 3]).argwhere()
    tensor([[1]])
    """
    return input.nonzero()
