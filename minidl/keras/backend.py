"""``keras.backend``: the settings, the session's names, and a few functions on tensors that old programs use.

>>> from minidl.keras import backend as K
>>> K.clear_session()
>>> K.epsilon()
1e-07
"""

# isort: off
from minidl.keras.backend_functions import (
    abs, all, any, arange, argmax, argmin, batch_flatten, binary_crossentropy, cast,
    categorical_crossentropy, clip, concatenate, constant, cos, dot, dtype, elu, equal, exp, expand_dims,
    eye, flatten, gather, greater, greater_equal, l2_normalize, less, less_equal, log, logsumexp, max,
    maximum, mean, min, minimum, ndim, not_equal, one_hot, ones, ones_like, permute_dimensions, pow, prod,
    random_normal, random_uniform, relu, repeat, repeat_elements, reshape, round, shape, sigmoid, sign, sin,
    softmax, softplus, softsign, sparse_categorical_crossentropy, sqrt, square, squeeze, stack, std,
    stop_gradient, sum, switch, tanh, tile, transpose, truncated_normal, var, variable, zeros, zeros_like,
)  # fmt: skip

# isort: on
from minidl.keras.engine.keras_tensor import is_keras_tensor
from minidl.keras.engine.naming import auto_name, clear_session
from minidl.keras.engine.tensors import as_numpy, as_tensor, standardize_dtype
from minidl.keras.settings import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "backend", "batch_flatten", "binary_crossentropy",
    "cast", "cast_to_floatx", "categorical_crossentropy", "clear_session", "clip", "concatenate",
    "constant", "cos", "dot", "dtype", "elu", "epsilon", "equal", "eval", "exp", "expand_dims", "eye",
    "flatten", "floatx", "gather", "get_uid", "get_value", "greater", "greater_equal", "image_data_format",
    "int_shape", "is_float_dtype", "is_keras_tensor", "l2_normalize", "less", "less_equal", "log",
    "logsumexp", "max", "maximum", "mean", "min", "minimum", "ndim", "not_equal", "one_hot", "ones",
    "ones_like", "permute_dimensions", "pow", "prod", "random_normal", "random_uniform", "relu", "repeat",
    "repeat_elements", "reshape", "round", "set_epsilon", "set_floatx", "set_image_data_format",
    "set_value", "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "softsign",
    "sparse_categorical_crossentropy", "sqrt", "square", "squeeze", "stack", "standardize_dtype", "std",
    "stop_gradient", "sum", "switch", "tanh", "tile", "transpose", "truncated_normal", "var", "variable",
    "zeros", "zeros_like",
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


def get_uid(prefix=""):
    """The number of the next object with this prefix, from 1."""
    name = auto_name(f"uid_{prefix}")
    last = name.rpartition("_")[2]
    return int(last) + 1 if last.isdigit() and name != f"uid_{prefix}" else 1
