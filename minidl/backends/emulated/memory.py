"""Memory of emulated arrays: poisoned where a program may not rely on it, fenced against kernels that stray.

It comes from a pool with a limit, as CuPy's does. Only what ``empty`` makes is counted, which is what kernels write:
results of NumPy's functions are not.
"""

import threading
import weakref
from types import SimpleNamespace

import numpy as np

_FENCE = 256  # bytes on either side
_PATTERN = 0xA5
_UNIT = 512  # bytes: what the pool rounds up to
_live = weakref.WeakValueDictionary()  # by address, the buffers whose fences are watched


class OutOfMemoryError(Exception):
    """``cupy.cuda.memory.OutOfMemoryError``."""


class MemoryPool:
    """``cupy.cuda.MemoryPool``: memory that is given back is kept, and counted as free. ``set_limit`` bounds both."""

    def __init__(self):
        self._used = self._total = self._limit = 0
        self._lock = threading.RLock()

    def malloc(self, size):
        rounded = -(-size // _UNIT) * _UNIT
        with self._lock:
            if rounded > self.free_bytes():
                if self._limit and self._used + rounded > self._limit:
                    raise OutOfMemoryError(f"Out of memory allocating {rounded:,} bytes")
                self._total = self._used + rounded
            self._used += rounded
        buffer = np.full(size + 2 * _FENCE, _PATTERN, np.uint8)
        weakref.finalize(buffer, self._free, rounded).atexit = False
        return SimpleNamespace(device_id=0, mem=buffer)

    def _free(self, rounded):
        with self._lock:
            self._used -= rounded

    def used_bytes(self):
        return self._used

    def total_bytes(self):
        return self._total

    def free_bytes(self):
        return self._total - self._used

    def free_all_blocks(self, stream=None):
        self._total = self._used

    def set_limit(self, size=None, fraction=None):
        self._limit = int(SIZE * fraction) if size is None and fraction is not None else size or 0

    def get_limit(self):
        return self._limit


SIZE = 2**36  # bytes that the emulated device has
pool = MemoryPool()
_allocate = pool.malloc


def set_allocator(allocator=None):
    """``cupy.cuda.set_allocator``."""
    global _allocate
    _allocate = pool.malloc if allocator is None else allocator


def mem_get_info():
    """``cupy.cuda.runtime.memGetInfo``: bytes free, and all."""
    return SIZE - pool.total_bytes(), SIZE


def empty(shape, dtype):
    """An array whose floats are NaN and whose integers are huge, inside a fenced buffer."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    buffer = _allocate(count * dtype.itemsize).mem
    _live[buffer.__array_interface__["data"][0]] = buffer
    array = buffer[_FENCE : _FENCE + count * dtype.itemsize].view(dtype)
    array[...] = _poison(dtype)
    return array.reshape(shape)


def is_buffer(values):
    """Whether a NumPy array is a buffer of ``empty``'s, fences and all."""
    return _live.get(values.__array_interface__["data"][0]) is values


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
