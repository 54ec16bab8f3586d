"""Switches of PyTorch's that programs set and that change little here, or say so.

>>> import minidl
>>> minidl.set_float32_matmul_precision("high")
>>> minidl.get_float32_matmul_precision()
'high'
"""

import warnings

from minidl.autograd import modes
from minidl.backends import determinism
from minidl.backends.device_calls import matmul_rounding

_state = {"deterministic": False, "warn_only": False, "warn_always": False}
_DEBUG_MODES = ("default", "warn", "error")


def set_float32_matmul_precision(precision):
    """``'highest'``: products of float32 are computed in float32. ``'high'`` and ``'medium'`` let a GPU round the
    operands to tf32 (10 bits of mantissa); on the CPU they change nothing.
    Source: ``torch.set_float32_matmul_precision``.
    """
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(
            f"float32_matmul_precision should be one of 'highest', 'high' or 'medium', got {precision!r}"
        )
    matmul_rounding.update(precision=precision, tf32=precision != "highest")


def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` was given. Source: ``torch.get_float32_matmul_precision``."""
    return matmul_rounding["precision"]


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Results are the same in every run unless this was called with False: then the kernels of a GPU may add in any
    order where that is faster (gradients of an embedding or an index). Source: ``torch.use_deterministic_algorithms``.
    """
    determinism.allow_any_order(not mode)
    _state.update(deterministic=bool(mode), warn_only=bool(warn_only))


def are_deterministic_algorithms_enabled() -> bool:
    """What ``use_deterministic_algorithms`` was given. Source: ``torch.are_deterministic_algorithms_enabled``."""
    return _state["deterministic"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether ``warn_only`` was given. Source: ``torch.is_deterministic_algorithms_warn_only_enabled``."""
    return _state["deterministic"] and _state["warn_only"]


def set_deterministic_debug_mode(debug_mode):
    """``use_deterministic_algorithms`` by one word or number: ``'default'`` (0) for False, ``'warn'`` (1) for True with
    ``warn_only``, ``'error'`` (2) for True. Source: ``torch.set_deterministic_debug_mode``.

    >>> import minidl
    >>> minidl.set_deterministic_debug_mode("warn")
    >>> minidl.get_deterministic_debug_mode()
    1
    >>> minidl.set_deterministic_debug_mode(0)
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if debug_mode not in _DEBUG_MODES and debug_mode not in (0, 1, 2):
        raise RuntimeError(
            "invalid value of debug_mode, expected one of `default`, `warn`, `error`"
            if isinstance(debug_mode, str)
            else f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}"
        )
    mode = _DEBUG_MODES.index(debug_mode) if isinstance(debug_mode, str) else int(debug_mode)
    use_deterministic_algorithms(mode > 0, warn_only=mode == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2, as ``set_deterministic_debug_mode`` takes them. Source: ``torch.get_deterministic_debug_mode``."""
    return 0 if not _state["deterministic"] else 1 if _state["warn_only"] else 2


def set_flush_denormal(mode) -> bool:
    """False: denormal numbers are kept. Source: ``torch.set_flush_denormal``."""
    return False


def compile(
    model=None, *, fullgraph=False, dynamic=None, backend=None, mode=None, options=None, disable=False
):
    """The function or module itself: programs run as they are written. Also a decorator. Source: ``torch.compile``.

    >>> import minidl
    >>> @minidl.compile
    ... def double(x):
    ...     return x * 2
    >>> double(minidl.ones(1))
    tensor([2.])
    """
    if model is None:
        return lambda decorated: decorated
    if not callable(model):
        raise TypeError(f"compile() takes a module or a function, not {model.__class__.__name__}")
    return model


def _assert(condition, message):
    """``assert``, by the name that programs use which are traced elsewhere. Source: ``torch._assert``."""
    if not condition:
        raise AssertionError(message)


def set_num_interop_threads(num):
    """Does nothing: operations run one after the other. Source: ``torch.set_num_interop_threads``."""
    if num <= 0:
        raise RuntimeError("Expects a positive number of threads")


def get_num_interop_threads() -> int:
    """1: operations run one after the other. Source: ``torch.get_num_interop_threads``."""
    return 1


def set_warn_always(b):
    """Makes Python show every warning each time, or once a place. Source: ``torch.set_warn_always``."""
    warnings.simplefilter("always" if b else "default")
    _state["warn_always"] = bool(b)


def is_warn_always_enabled() -> bool:
    """What ``set_warn_always`` was given. Source: ``torch.is_warn_always_enabled``."""
    return _state["warn_always"]


def is_anomaly_enabled() -> bool:
    """Whether ``autograd.set_detect_anomaly`` is on in this thread. Source: ``torch.is_anomaly_enabled``."""
    return bool(modes.is_anomaly_enabled())


def is_anomaly_check_nan_enabled() -> bool:
    """Whether it looks for NaN. Source: ``torch.is_anomaly_check_nan_enabled``."""
    return modes.is_anomaly_enabled() == "nan"
