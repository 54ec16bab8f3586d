"""``torch.accelerator``: the GPU that there is, by whatever name. Here that is CUDA's.

>>> import minidl
>>> device = minidl.accelerator.current_accelerator() if minidl.accelerator.is_available() else "cpu"
>>> minidl.ones(1, device=device).tolist()
[1.0]
"""

from minidl import cuda
from minidl.device import device

__all__ = [
    "current_accelerator", "current_device_index", "current_stream", "device_count", "device_index", "empty_cache",
    "is_available", "max_memory_allocated", "memory_allocated", "memory_reserved", "memory_stats",
    "reset_peak_memory_stats", "set_device_index", "set_stream", "synchronize",
]  # fmt: skip


def is_available():
    """Whether there is a GPU that can be used. Source: ``torch.accelerator.is_available``."""
    return cuda.is_available()


def current_accelerator(check_available=False):
    """``device('cuda')``, or None where there is none. Source: ``torch.accelerator.current_accelerator``."""
    return device("cuda") if cuda.is_available() else None


def device_count():
    """How many there are. Source: ``torch.accelerator.device_count``."""
    return cuda.device_count()


def current_device_index():
    """The number of the current one. Source: ``torch.accelerator.current_device_index``."""
    return cuda.current_device()


def set_device_index(device):
    """Makes one the current one of this thread. Source: ``torch.accelerator.set_device_index``."""
    cuda.set_device(device)


device_index = cuda.device
current_stream = cuda.current_stream
set_stream = cuda.set_stream
synchronize = cuda.synchronize
empty_cache = cuda.empty_cache
memory_allocated = cuda.memory_allocated
memory_reserved = cuda.memory_reserved
max_memory_allocated = cuda.max_memory_allocated
memory_stats = cuda.memory_stats
reset_peak_memory_stats = cuda.reset_peak_memory_stats
