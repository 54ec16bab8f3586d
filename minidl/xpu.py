"""``torch.xpu``: Intel's GPUs, which minidl does not use. Programs ask whether there is one before they use it.

>>> import minidl
>>> minidl.xpu.is_available(), minidl.xpu.device_count()
(False, 0)
"""

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]


def is_available() -> bool:
    """False. Source: ``torch.xpu.is_available``, ``torch.mps.is_available``."""
    return False


def device_count() -> int:
    """0. Source: ``torch.xpu.device_count``, ``torch.mps.device_count``."""
    return 0


def manual_seed(seed):
    """Does nothing: there is no generator to seed. Source: ``torch.xpu.manual_seed``, ``torch.mps.manual_seed``."""


def empty_cache():
    """Does nothing: no memory is held. Source: ``torch.xpu.empty_cache``, ``torch.mps.empty_cache``."""


def synchronize(device=None):
    """Does nothing: nothing is running there. Source: ``torch.xpu.synchronize``, ``torch.mps.synchronize``."""
