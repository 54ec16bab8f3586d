"""Conversions between float32 and the formats of 16 bits in C++; the others are NumPy's as they are."""

import numpy as np

from minidl import _native

_CONVERSIONS = {  # by the characters of NumPy's dtypes; E is ml_dtypes' bfloat16
    ("f", "e"): _native.to_float16,
    ("e", "f"): _native.from_float16,
    ("f", "E"): _native.to_bfloat16,
    ("E", "f"): _native.from_bfloat16,
}


def astype(input, dtype):
    kinds = input.dtype.char, getattr(dtype, "char", None)
    convert = _CONVERSIONS.get(kinds)
    if convert is not None and input.flags.c_contiguous and input.flags.aligned:
        out = _native.empty(input.shape, dtype)
        if convert(input, out):
            return out
    with np.errstate(all="ignore"):  # a NaN as an integer, a number too large for the narrower type
        return input.astype(dtype)
