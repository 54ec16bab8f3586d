"""``torch.mps``: Apple's GPUs, which minidl does not use. Programs ask whether there is one before they use it.

>>> import minidl
>>> minidl.mps.is_available(), minidl.mps.device_count()
(False, 0)
"""

from minidl.xpu import device_count, empty_cache, is_available, manual_seed, synchronize

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]
