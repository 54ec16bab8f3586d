"""``minidl.cuda.memory``: what arrays hold on a GPU, what CuPy's pool keeps for reuse, and limits."""

import collections
import contextlib

from minidl.backends import device_memory
from minidl.cuda import _gpu

__all__ = [
    "empty_cache", "ipc_collect", "max_memory_allocated", "max_memory_cached", "max_memory_reserved", "mem_get_info",
    "memory_allocated", "memory_cached", "memory_reserved", "memory_stats", "memory_summary",
    "reset_max_memory_allocated", "reset_peak_memory_stats", "set_per_process_memory_fraction",
]  # fmt: skip


@contextlib.contextmanager
def _pool(device):
    """The memory pool, on a device, and what is remembered of that."""
    cupy, number = _gpu.cupy(), _gpu.number(device)
    with cupy.cuda.Device(number):
        yield cupy.get_default_memory_pool(), device_memory.look(cupy, number)


def memory_stats(device=None):
    """The memory of a GPU in numbers, by PyTorch's keys: ``allocated_bytes.all.current`` and ``.peak``,
    ``reserved_bytes.all.current`` and ``.peak``, ``inactive_split_bytes.all.current`` (kept for reuse), ``num_ooms``.
    Empty where CUDA is not available.

    >>> import minidl
    >>> minidl.cuda.memory_stats().get("num_ooms", 0) >= 0
    True
    """
    if not _gpu.is_available():
        return collections.OrderedDict()
    with _pool(device) as (pool, record):
        return collections.OrderedDict(
            {
                "allocated_bytes.all.current": pool.used_bytes(),
                "allocated_bytes.all.peak": record.peak,
                "inactive_split_bytes.all.current": pool.free_bytes(),
                "num_ooms": record.refusals,
                "reserved_bytes.all.current": pool.total_bytes(),
                "reserved_bytes.all.peak": record.peak_reserved,
            }
        )


def memory_allocated(device=None):
    """Bytes that arrays hold on a GPU; 0 where there is none."""
    return memory_stats(device).get("allocated_bytes.all.current", 0)


def max_memory_allocated(device=None):
    """Bytes that arrays held at most, since the start or ``reset_peak_memory_stats``."""
    return memory_stats(device).get("allocated_bytes.all.peak", 0)


def memory_reserved(device=None):
    """Bytes that the pool has taken from a GPU: those of arrays, and those kept for reuse."""
    return memory_stats(device).get("reserved_bytes.all.current", 0)


def max_memory_reserved(device=None):
    """Bytes that the pool had taken at most, as seen when somebody asked or ``empty_cache`` gave some back."""
    return memory_stats(device).get("reserved_bytes.all.peak", 0)


def reset_peak_memory_stats(device=None):
    """Lets ``max_memory_allocated`` and ``max_memory_reserved`` begin anew."""
    cupy, number = _gpu.cupy(), _gpu.number(device)
    with cupy.cuda.Device(number):
        device_memory.reset(cupy, number)


def set_per_process_memory_fraction(fraction, device=None):
    """Lets the pool take no more than a part of a GPU's memory; what is beyond raises ``OutOfMemoryError``.

    Raises ``TypeError`` for what is no float, ``ValueError`` outside [0, 1].
    """
    if not isinstance(fraction, float):
        raise TypeError("Invalid type for fraction argument, must be `float`")
    if not 0 <= fraction <= 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    with _pool(device) as (pool, _):
        if fraction:
            pool.set_limit(fraction=fraction)
        else:
            pool.set_limit(size=1)  # 0 would lift the limit


memory_cached, max_memory_cached = memory_reserved, max_memory_reserved  # as they were called before
reset_max_memory_allocated = reset_peak_memory_stats


def ipc_collect():
    """Does nothing: memory is not shared between processes."""


def mem_get_info(device=None):
    """(free, total) bytes of a GPU."""
    with _gpu.cupy().cuda.Device(_gpu.number(device)):
        return _gpu.cupy().cuda.runtime.memGetInfo()


def empty_cache():
    """Gives back what the pool keeps for reuse. Arrays keep what they hold."""
    if _gpu.is_available():
        with _pool(None) as (pool, _):
            pool.free_all_blocks()


def memory_summary(device=None, abbreviated=False):
    """The memory of a GPU in words; so few that ``abbreviated`` leaves none out."""
    stats, (free, total) = memory_stats(device), mem_get_info(device)
    rows = {
        "arrays hold": stats["allocated_bytes.all.current"],
        "arrays held at most": stats["allocated_bytes.all.peak"],
        "the pool has taken": stats["reserved_bytes.all.current"],
        "it had taken at most": stats["reserved_bytes.all.peak"],
        "free on the GPU": free,
        "the GPU has": total,
    }
    lines = [f"{text:20} {size / 2**20:12.1f} MiB" for text, size in rows.items()]
    refusals = f"out of memory {stats['num_ooms']} times"
    number = _gpu.number(device)
    name = _gpu.cupy().cuda.runtime.getDeviceProperties(number)["name"].decode()
    return "\n".join([f"cuda:{number} {name}", *lines, refusals])
