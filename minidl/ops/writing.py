"""In-place writes that are no in-place form of another op: copy_, fill_, zero_, masked_fill_."""

import numpy as np

from minidl import backends, dtypes
from minidl.autograd import Tensor, function, modes, op
from minidl.autograd.inplace import check_writable, write, written
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.common import broadcast_error, fitting
from minidl.ops.indexing import mul_zero
from minidl.ops.reductions import sum
from minidl.ops.selection import clamp, where


@op(input=lambda g: mul_zero(g), source=lambda g: g, shown="CopyBackwards", faces=(), method=False)
def _copied(input, source):
    """``source`` broadcast to ``input``'s shape and cast to its dtype."""
    space = of(input)
    return space.copy(space.broadcast_to(source.astype(input.dtype), input.shape))


@function(faces=())
def copy_(self, src, non_blocking=False):
    """Writes ``src``, broadcast, cast and moved to this device, into the tensor.

    ``non_blocking``: as of ``to``, where one of the two is on a GPU, the other in page-locked memory, and neither
    dtype nor shape changes. Source: ``torch.Tensor.copy_``.

    >>> import minidl
    >>> minidl.zeros(2).copy_(minidl.tensor([1, 2]))
    tensor([1., 2.])
    """
    check_writable(self, "copy_")
    if not isinstance(src, Tensor):
        raise TypeError(f"copy_(): argument 'src' must be Tensor, not {src.__class__.__name__}")
    mine, theirs = self._array.shape, src._array.shape
    if backends.of(src._array) is not backends.of(self._array):
        taped = modes.is_grad_enabled() and (self.requires_grad or src.requires_grad)
        if mine == theirs and not taped and backends.copy_across(self._array, src._array, non_blocking):
            written(self, src)
            return self
        src = src.to(self.device, non_blocking=non_blocking and not self.is_cpu)
    if len(theirs) > len(mine) or any(
        a not in (1, b) for a, b in zip(reversed(theirs), reversed(mine), strict=False)
    ):
        raise broadcast_error(self._array, src._array) or RuntimeError(
            f"output with shape {list(mine)} doesn't match the broadcast shape "
            f"{list(np.broadcast_shapes(mine, theirs))}"
        )
    return write(self, _copied(self, src), "copy_")


@op(input=lambda g: mul_zero(g), value=lambda g: sum(g), shown="Fill", faces=(), method=False, number="value")
def _filled(input, value):
    value = fitting(input, value) if not hasattr(value, "dtype") else value.astype(input.dtype)
    space = of(input)
    return space.copy(space.broadcast_to(value, input.shape))


@function(tensors="self")
def fill_(self, value):
    """Writes a number, or a 0-d tensor, everywhere. Source: ``torch.Tensor.fill_``.

    >>> import minidl
    >>> minidl.zeros(2).fill_(3)
    tensor([3., 3.])
    """
    check_writable(self, "fill_")
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions."
        )
    number = not isinstance(value, Tensor)
    return write(
        self, named(_filled(self, value), "FillBackward2" if number else "Fill"), "fill_", constant=number
    )


@function(tensors="self")
def zero_(self):
    """Writes zeros. Source: ``torch.Tensor.zero_``."""
    check_writable(self, "zero_")
    return write(self, named(_filled(self, 0), "Zero"), "zero_", constant=True)


@function(tensors="input mask")
def masked_fill(input, mask, value):
    """A copy with ``value`` where ``mask`` (bool, broadcastable) holds. Source: ``torch.Tensor.masked_fill``.

    >>> import minidl
    >>> minidl.ones(2).masked_fill(minidl.tensor([True, False]), 0.0)
    tensor([0., 1.])
    """
    if mask.dtype is not dtypes.bool_:
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype!r}"
        )
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    name = f"MaskedFillBackward{int(isinstance(value, Tensor))}"
    if not isinstance(value, Tensor):
        value = Tensor._from_array(fitting(input._array, value))
    return named(where(mask, value, input).to(input.dtype), name)


@function(faces=(), tensors="self mask")
def masked_fill_(self, mask, value):
    """In-place form of ``masked_fill``."""
    check_writable(self, "masked_fill_")
    return write(self, masked_fill(self.clone(), mask, value), "masked_fill_")


@function(aliases=("clip_",), tensors="self")
def clamp_(self, min=None, max=None):
    """In-place form of ``clamp``."""
    check_writable(self, "clamp_")
    return write(self, clamp(self.clone(), min, max), "clamp_")


def _refuse_grad(self, name):
    if self.requires_grad:
        raise RuntimeError(
            f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
        )


@function(faces=())
def apply_(self, callable):
    """Writes ``callable`` of each element, called one by one with Python numbers. Source: ``torch.Tensor.apply_``.

    >>> import minidl
    >>> minidl.tensor([1.0, 2.0]).apply_(lambda x: x + 1)
    tensor([2., 3.])
    """
    _refuse_grad(self, "apply_")
    return self.copy_(_listed(self, [callable(x) for x in self.reshape(-1).tolist()]))


@function(faces=())
def map_(self, tensor, callable):
    """Writes ``callable`` of each element and that of ``tensor``, which broadcasts. Source: ``torch.Tensor.map_``.

    >>> import minidl
    >>> minidl.tensor([1.0, 2.0]).map_(minidl.tensor([3.0, 4.0]), lambda x, y: x * y)
    tensor([3., 8.])
    """
    _refuse_grad(self, "map_")
    others = tensor.expand(*self.shape).reshape(-1).tolist()
    return self.copy_(_listed(self, map(callable, self.reshape(-1).tolist(), others)))


def _listed(self, values):
    return self.new_tensor(list(values)).reshape(self.shape)
