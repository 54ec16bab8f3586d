"""Array-likes into tensors, as the Keras face takes them: NumPy, lists, pandas, tensors, variables."""

import numpy as np

from minidl import argmax, dtypes
from minidl.autograd.tensor import Tensor
from minidl.keras.settings import named_dtype
from minidl.ops.create import as_tensor

__all__ = ["place_of_largest", "to_float", "to_tensor"]


def to_tensor(value, dtype=None, like=None):
    """``value`` as a tensor: as it is where it is one, else made of it; ``dtype`` and ``like``'s device where given.

    Strings raise ``TypeError`` that says to encode them.
    """
    if not isinstance(value, Tensor):
        held = getattr(value, "value", None)  # a variable of a layer holds its tensor
        if isinstance(held, Tensor):
            value = held
    if not isinstance(value, Tensor):
        array = np.asarray(value)
        if array.dtype.kind in "OSU":
            try:
                array = array.astype(named_dtype().numpy)
            except (TypeError, ValueError):
                raise TypeError(
                    f"expected numbers, but got {array.dtype} values like {array.ravel()[0]!r}. Hint: encode them "
                    "first, e.g. with minidl.preprocessing.LabelEncoder."
                ) from None
        if not isinstance(value, (np.ndarray, np.generic)) and array.dtype == np.float64:
            array = array.astype(named_dtype().numpy)  # Python's floats are floatx
        value = as_tensor(array)
    if dtype is not None and value.dtype != dtype:
        value = value.to(dtype)
    if like is not None and value.device != like.device:
        value = value.to(like.device)
    return value


def to_float(value, like=None):
    """``value`` as a floating-point tensor: integers and booleans become floatx, or ``like``'s dtype."""
    tensor = to_tensor(value, like=like)
    if like is not None and like.is_floating_point():
        return tensor if tensor.dtype == like.dtype else tensor.to(like.dtype)
    if dtypes.is_floating(tensor.dtype.numpy):
        return tensor
    return tensor.to(named_dtype())


def place_of_largest(x, axis=-1):
    """The place of the largest along ``axis``; of the first True among truth values, as one-hot targets may be."""
    return argmax(x.int() if x.dtype == dtypes.bool_ else x, axis)
