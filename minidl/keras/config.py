"""``keras.config``: what Keras keeps for the whole program, and the policy of dtypes.

>>> from minidl import keras
>>> keras.config.floatx(), keras.config.backend()
('float32', 'minidl')
"""

from minidl.keras.backend import backend
from minidl.keras.engine.policy import dtype_policy, set_dtype_policy
from minidl.keras.settings import (
    disable_interactive_logging,
    enable_interactive_logging,
    enable_unsafe_deserialization,
    epsilon,
    floatx,
    image_data_format,
    is_interactive_logging_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_max_epochs,
    set_max_steps_per_epoch,
    set_random_seed,
    standardize_data_format,
)

__all__ = [
    "backend", "disable_interactive_logging", "disable_traceback_filtering", "dtype_policy",
    "enable_interactive_logging", "enable_traceback_filtering", "enable_unsafe_deserialization",
    "epsilon", "floatx", "image_data_format",
    "is_interactive_logging_enabled", "is_traceback_filtering_enabled", "max_epochs", "max_steps_per_epoch",
    "set_backend", "set_dtype_policy", "set_epsilon", "set_floatx", "set_image_data_format", "set_max_epochs",
    "set_max_steps_per_epoch", "set_random_seed", "standardize_data_format",
]  # fmt: skip


def set_backend(name):
    """There is one backend, ``'minidl'``: ``NotImplementedError`` for another."""
    if name != backend():
        raise NotImplementedError(f"minidl.keras computes on minidl's tensors; there is no backend {name!r}")


def disable_traceback_filtering():
    """Tracebacks are whole anyway."""


def enable_traceback_filtering():
    """Does nothing: tracebacks stay whole."""


def is_traceback_filtering_enabled():
    """False: tracebacks are whole."""
    return False
