"""``torch.cpu``: the host, where operations are done when they return.

>>> import minidl
>>> minidl.cpu.is_available(), minidl.cpu.device_count(), minidl.cpu.current_device()
(True, 1, 'cpu')
"""

__all__ = ["current_device", "device_count", "is_available", "is_initialized", "synchronize"]


def is_available() -> bool:
    """True. Source: ``torch.cpu.is_available``."""
    return True


def is_initialized() -> bool:
    """True. Source: ``torch.cpu.is_initialized``."""
    return True


def device_count() -> int:
    """1. Source: ``torch.cpu.device_count``."""
    return 1


def current_device() -> str:
    """``'cpu'``. Source: ``torch.cpu.current_device``."""
    return "cpu"


def synchronize(device=None):
    """Does nothing: operations are done when they return. Source: ``torch.cpu.synchronize``."""
