"""CuPy's memory pool, watched: how much was held at most, and what an error says when there is no more.

How much is held, the pool knows: it keeps a counter (from CuPy 14.1 on; before, it added up its blocks), which is read
after every allocation. What is allocated besides the pool, or before minidl's first look at the GPU, raises no peak.
"""

import threading

from minidl.errors import OutOfMemoryError


class Record:
    """What is remembered of a device: bytes that arrays held and that the pool had taken at most, and refusals."""

    __slots__ = ("peak", "peak_reserved", "refusals")

    def __init__(self):
        self.peak = self.peak_reserved = self.refusals = 0

    def raise_to(self, used, reserved=0):
        """Raises the peaks. Threads may do so at once."""
        with _lock:
            self.peak = max(self.peak, used)
            self.peak_reserved = max(self.peak_reserved, reserved)


_lock = threading.RLock()  # a finalizer may allocate, in the thread that holds it
_records = {}  # by array library and device number


def record(cupy, device):
    """The record of a device."""
    return _records[id(cupy), device]


def watch(cupy):
    """Has CuPy allocate through its pool and this module. Called once, when the backend is made."""
    pool, of_library = cupy.get_default_memory_pool(), id(cupy)
    malloc, used_bytes, records = pool.malloc, pool.used_bytes, _records
    for device in range(cupy.cuda.runtime.getDeviceCount()):
        records[of_library, device] = Record()  # made before threads can meet
    refused = cupy.cuda.memory.OutOfMemoryError

    def allocate(size):
        try:
            pointer = malloc(size)
        except refused:
            raise _error(cupy, pool, size) from None
        held, used = records[of_library, pointer.device_id], used_bytes()
        if used > held.peak:
            held.raise_to(used)
        return pointer

    cupy.cuda.set_allocator(allocate)


def look(cupy, device):
    """Has the record take in what is held now. Called before the pool gives memory back, and before anybody asks."""
    pool = cupy.get_default_memory_pool()
    found = record(cupy, device)
    found.raise_to(pool.used_bytes(), pool.total_bytes())
    return found


def reset(cupy, device):
    """Lets the peaks begin anew at what is held now."""
    pool, found = cupy.get_default_memory_pool(), record(cupy, device)
    with _lock:
        found.peak, found.peak_reserved = pool.used_bytes(), pool.total_bytes()


def _error(cupy, pool, size):
    device = cupy.cuda.runtime.getDevice()
    look(cupy, device).refusals += 1
    free, total = cupy.cuda.runtime.memGetInfo()
    return OutOfMemoryError(
        f"CUDA out of memory. Tried to allocate {_spelt(size)}. GPU {device} has a total capacity of {_spelt(total)} "
        f"of which {_spelt(free)} is free. Arrays hold {_spelt(pool.used_bytes())}, and the pool keeps "
        f"{_spelt(pool.free_bytes())} more for reuse{_limit(pool)}. Hint: a smaller batch, fewer saved activations "
        "(no_grad where no gradient is needed), del of what is done, or minidl.cuda.empty_cache() where another "
        "process needs the pool's memory. Nothing was lost, and the process goes on."
    )


def _limit(pool):
    limit = pool.get_limit()
    return f"; it may take {_spelt(limit)} at most" if limit else ""


def _spelt(size):
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.2f} MiB"
