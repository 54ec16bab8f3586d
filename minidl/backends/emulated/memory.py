"""Memory of emulated arrays: poisoned where a program may not rely on it, fenced against kernels that stray."""

import weakref

import numpy as np

_FENCE = 256  # bytes on either side
_PATTERN = 0xA5
_live = weakref.WeakValueDictionary()  # by address, the buffers whose fences are watched


def empty(shape, dtype):
    """An array whose floats are NaN and whose integers are huge, inside a fenced buffer."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    buffer = np.full(count * dtype.itemsize + 2 * _FENCE, _PATTERN, np.uint8)
    _live[buffer.__array_interface__["data"][0]] = buffer
    array = buffer[_FENCE : _FENCE + count * dtype.itemsize].view(dtype)
    array[...] = _poison(dtype)
    return array.reshape(shape)


def _poison(dtype):
    if dtype.kind in "iu":
        return np.iinfo(dtype).max
    return True if dtype.kind == "b" else np.nan


def check_fences():
    """Raises ``RuntimeError`` where a kernel wrote outside an array that ``empty`` made."""
    for buffer in list(_live.values()):
        for side, fence in (("before", buffer[:_FENCE]), ("after", buffer[-_FENCE:])):
            if (fence != _PATTERN).any():
                size = buffer.size - 2 * _FENCE
                raise RuntimeError(f"a kernel wrote {side} an emulated array of {size} bytes")
