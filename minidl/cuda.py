"""``minidl.cuda``: whether and which GPUs can be used (a name room; see ``backends``)."""

from minidl import backends
from minidl.errors import DeviceError, OutOfMemoryError

__all__ = ["OutOfMemoryError", "device_count", "is_available"]


def is_available():
    """Whether ``device='cuda'`` works: a driver, CuPy, and at least one GPU.

    >>> import minidl
    >>> isinstance(minidl.cuda.is_available(), bool)
    True
    """
    try:
        backends.on("cuda")
    except DeviceError:
        return False
    return True


def device_count():
    """How many GPUs there are; 0 where CUDA is not available."""
    return backends.on("cuda").xp.cuda.runtime.getDeviceCount() if is_available() else 0
