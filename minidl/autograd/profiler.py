"""``torch.autograd.profiler``: the older place of ``minidl.profiler``."""

from minidl.profiler import profile, record_function

__all__ = ["profile", "record_function"]
