"""Views by explicit strides, and the gathers and sums that are their gradients. Strides and offsets count elements."""

import numpy as np


def owner(xp, input):
    """The array that holds the memory that ``input`` views: in NumPy the last in the chain of bases."""
    base = input
    while isinstance(base.base, type(input)):
        base = base.base
    return base


def storage_offset(xp, input):
    """Elements from the start of the memory to the first element."""
    return (_address(input) - _address(owner(xp, input))) // input.dtype.itemsize


def _address(array):
    return array.ctypes.data if hasattr(array, "ctypes") else array.data.ptr


def as_strided(xp, input, size, stride, offset):
    """View of the memory that ``input`` views, from element ``offset`` on. Raises ``ValueError`` beyond its end."""
    base, item = owner(xp, input), input.dtype.itemsize
    steps = tuple(s * item for s in stride)
    if xp is np:
        return np.ndarray(size, input.dtype, buffer=base, offset=offset * item, strides=steps)
    flat = xp.lib.stride_tricks.as_strided(base, (base.nbytes // item - offset,), (item,))
    return xp.lib.stride_tricks.as_strided(flat[offset:], size, steps)


def _positions(xp, size, stride, offset):
    """Where in the memory each element lies."""
    out = xp.full((), offset, "int64")
    for d, (n, step) in enumerate(zip(size, stride, strict=True)):
        shape = [1] * len(size)
        shape[d] = n
        out = out + (xp.arange(n) * step).reshape(shape)
    return xp.broadcast_to(out, tuple(size))


def move_strided(xp, input, source, target, length):
    """The elements of ``input``, laid by geometry ``source`` into zeros of ``length``, read by geometry ``target``.

    A geometry is (size, stride, offset); what meets at one place is summed.
    """
    memory = xp.zeros((length,), input.dtype)
    xp.add.at(memory, _positions(xp, *source).reshape(-1), input.reshape(-1))
    return memory[_positions(xp, *target)]


def unfold(xp, input, dim, size, step):
    """View: windows of ``size`` along ``dim``, every ``step``; the place in the window is the last dimension."""
    count = (input.shape[dim] - size) // step + 1
    shape = (*input.shape[:dim], count, *input.shape[dim + 1 :], size)
    strides = (*input.strides[:dim], input.strides[dim] * step, *input.strides[dim + 1 :], input.strides[dim])
    if xp is np and min(strides) >= 0:
        base = owner(xp, input)
        if base.flags.c_contiguous:
            first = 0 if base is input else _address(input) - _address(base)
            return np.ndarray(shape, input.dtype, buffer=base, offset=first, strides=strides)
    return xp.lib.stride_tricks.as_strided(input, shape, strides)


def fold_windows(xp, g, shape, dim, size, step):
    """Zeros of ``shape`` with the windows ``g`` added where ``unfold`` reads them."""
    out = xp.zeros(shape, g.dtype)
    at = xp.arange(g.shape[dim])[:, None] * step + xp.arange(size)
    xp.add.at(out, (slice(None),) * dim + (at,), xp.moveaxis(g, -1, dim + 1))
    return out
