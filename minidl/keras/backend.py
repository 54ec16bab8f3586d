"""``keras.backend``: the settings, the session's names, and a few functions on tensors that old programs use.

>>> from minidl.keras import backend as K
>>> K.clear_session()
>>> K.epsilon()
1e-07
"""

from minidl.keras.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.naming import auto_name, clear_session
from minidl.keras.engine.tensors import as_numpy, as_tensor, standardize_dtype

__all__ = [
    "backend", "cast_to_floatx", "clear_session", "epsilon", "eval", "floatx", "get_uid", "get_value",
    "image_data_format", "int_shape", "is_float_dtype", "is_keras_tensor", "set_epsilon", "set_floatx",
    "set_image_data_format", "set_value", "standardize_dtype",
]  # fmt: skip


def backend():
    """The name of the backend: ``'minidl'``."""
    return "minidl"


def cast_to_floatx(x):
    """``x`` as ``floatx()``: NumPy in, NumPy out; a tensor stays one.

    >>> import numpy as np
    >>> cast_to_floatx(np.array([1, 2])).dtype
    dtype('float32')
    """
    return as_tensor(x, floatx()) if hasattr(x, "requires_grad") else as_numpy(x).astype(floatx())


def get_value(x):
    """The values of a tensor or weight as NumPy."""
    return x.numpy() if hasattr(x, "assign") else as_numpy(x)


eval = get_value


def set_value(x, value):
    """Overwrites a weight."""
    x.assign(value)


def int_shape(x):
    """The shape as a tuple."""
    return tuple(x.shape)


def is_float_dtype(dtype):
    """Whether a dtype's name is one of a floating-point type."""
    return "float" in standardize_dtype(dtype)


def is_keras_tensor(x):
    """Whether ``x`` is symbolic."""
    return isinstance(x, KerasTensor)


def get_uid(prefix=""):
    """The number of the next object with this prefix, from 1."""
    name = auto_name(f"uid_{prefix}")
    last = name.rpartition("_")[2]
    return int(last) + 1 if last.isdigit() and name != f"uid_{prefix}" else 1
