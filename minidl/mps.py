"""``torch.mps``: Apple's GPUs, which minidl does not use. Programs ask whether there is one before they use it.

>>> import minidl
>>> minidl.mps.is_available(), minidl.mps.device_count()
(False, 0)
"""

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]


def is_available() -> bool:
    """False. Source: ``torch.mps.is_available``."""
    return False


def device_count() -> int:
    """0. Source: ``torch.mps.device_count``."""
    return 0


def manual_seed(seed):
    """Does nothing: there is no generator to seed. Source: ``torch.mps.manual_seed``."""


def empty_cache():
    """Does nothing: no memory is held. Source: ``torch.mps.empty_cache``."""


def synchronize():
    """Does nothing: nothing is running there. Source: ``torch.mps.synchronize``."""
