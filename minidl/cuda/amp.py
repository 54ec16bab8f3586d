"""``minidl.cuda.amp``: the older names of ``minidl.amp``, for GPUs. Each warns, as PyTorch's does, what to write."""

import functools
import warnings

from minidl import amp, dtypes
from minidl.amp import custom_bwd as _custom_bwd
from minidl.amp import custom_fwd as _custom_fwd

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


def _deprecated(name, instead):
    warnings.warn(
        f"`minidl.cuda.amp.{name}(args...)` is deprecated. Please use `minidl.amp.{instead}` instead.",
        FutureWarning,
        stacklevel=3,
    )


class autocast(amp.autocast):
    """``minidl.amp.autocast('cuda', ...)``. Source: ``torch.cuda.amp.autocast``."""

    def __init__(self, enabled=True, dtype=dtypes.float16, cache_enabled=True):
        _deprecated("autocast", "autocast('cuda', args...)")
        super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(amp.GradScaler):
    """``minidl.amp.GradScaler('cuda', ...)``. Source: ``torch.cuda.amp.GradScaler``."""

    def __init__(
        self, init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True
    ):
        _deprecated("GradScaler", "GradScaler('cuda', args...)")
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)


def custom_fwd(fwd=None, *, cast_inputs=None):
    """``minidl.amp.custom_fwd(device_type='cuda')``. Source: ``torch.cuda.amp.custom_fwd``."""
    _deprecated("custom_fwd", "custom_fwd(args..., device_type='cuda')")
    made = functools.partial(_custom_fwd, device_type="cuda", cast_inputs=cast_inputs)
    return made if fwd is None else made(fwd)


def custom_bwd(bwd=None):
    """``minidl.amp.custom_bwd(device_type='cuda')``. Source: ``torch.cuda.amp.custom_bwd``."""
    _deprecated("custom_bwd", "custom_bwd(args..., device_type='cuda')")
    made = functools.partial(_custom_bwd, device_type="cuda")
    return made if bwd is None else made(bwd)
