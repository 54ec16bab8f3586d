"""Empties the caches, for timings that start cold."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from minidl import backends


class Evictor:
    """Called, it writes through ``bytes`` of memory from ``threads`` threads at once: nothing else stays in a cache.

    The threads are none of any library's pool, so none of them is awake because of it.
    """

    def __init__(self, bytes, threads=1):
        self._parts = np.array_split(np.zeros(max(bytes // 8, threads)), threads)
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self):
        list(self._pool.map(_touch, self._parts))

    def close(self):
        """Ends the threads."""
        self._pool.shutdown()


class DeviceEvictor:
    """The same on a GPU, by a fill of twice what its second-level cache holds."""

    def __init__(self, xp):
        size = xp.cuda.Device().attributes["L2CacheSize"]
        self._buffer = xp.zeros(2 * size, dtype="uint8")

    def __call__(self):
        self._buffer.fill(1)

    def close(self):
        """Frees the memory."""
        self._buffer = None


def _touch(part):
    np.add(part, 1.0, out=part)


def evictor_of(device, cache_bytes, threads):
    """What empties the caches of a device; ``cache_bytes`` is the size of the CPU's last level."""
    if device.startswith("cuda"):
        return DeviceEvictor(backends.on("cuda").xp)
    return Evictor(2 * cache_bytes, threads)
