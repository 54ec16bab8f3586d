"""Between arrays and tensors: NumPy of a tensor, a tensor of anything that holds numbers, names of dtypes."""

import numpy as np

from minidl import backends, dtypes
from minidl.autograd.convert import to_array
from minidl.autograd.tensor import Tensor, make
from minidl.keras.settings import floatx, named_dtype


def standardize_dtype(dtype):
    """The name of a dtype given as a string, a NumPy or a minidl dtype; ``floatx()`` for None.

    >>> import minidl
    >>> standardize_dtype(minidl.int64)
    'int64'
    """
    if isinstance(dtype, str):
        return dtype.removeprefix("minidl.")
    return named_dtype(dtype).name


def numpy_dtype(name):
    """NumPy's dtype for a dtype's name, or for a NumPy or minidl dtype; of ``floatx()`` for None."""
    return named_dtype(name).numpy


def as_tensor(value, dtype=None, where=None):
    """A tensor of ``value``; of ``dtype``'s name, or else float64 as ``floatx()`` and everything else as it is."""
    if isinstance(value, Tensor) and dtype is None and where is None:
        return value
    if isinstance(value, Tensor):
        return value.to(
            value.device if where is None else where, value.dtype if dtype is None else named_dtype(dtype)
        )
    if dtype is not None:
        return make(to_array(foreign(value), numpy_dtype(dtype), where), None)
    array = to_array(foreign(value), None, where)
    if array.dtype == dtypes.FLOAT64:
        array = backends.of(array).astype(array, numpy_dtype(floatx()))
    return make(array, None)


def foreign(value):
    """``value``, where it is a tensor of PyTorch off its tape and on the host, so that NumPy can read it."""
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        return value.detach().cpu()
    return value


def as_numpy(value):
    """A NumPy array of a tensor, wherever it is and whether or not it is on the tape; bfloat16 as float32."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        if value.dtype.name == "bfloat16":
            value = value.float()
        return Tensor.numpy(value)
    return np.asarray(foreign(value))
