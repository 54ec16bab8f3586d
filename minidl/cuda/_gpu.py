"""What the modules of ``minidl.cuda`` ask before all else: CuPy, whether there is a GPU, and a device's number."""

from minidl import backends
from minidl.device import device as _device
from minidl.errors import DeviceError


def cupy():
    """CuPy. Raises ``DeviceError`` with the reason where there is no GPU."""
    return backends.on("cuda").xp


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


def count():
    """How many GPUs there are; 0 where CUDA is not available.

    >>> import minidl
    >>> minidl.cuda.device_count() >= 0
    True
    """
    return cupy().cuda.runtime.getDeviceCount() if is_available() else 0


def current_device():
    """The number of the current GPU."""
    return cupy().cuda.runtime.getDevice()


def number(device):
    """The number of a device; the current one for None. Raises ``ValueError`` for a device that is no GPU."""
    if isinstance(device, int):
        return device
    chosen = None if device is None else _device(device)
    if chosen is not None and chosen.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {chosen}")
    return current_device() if chosen is None or chosen.index is None else chosen.index
