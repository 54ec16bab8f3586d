"""Elementwise functions in C++ for float32 and float64, most called straight from the namespace."""

import math

from minidl import _native
from minidl._native import (
    abs,
    add,
    ceil,
    cos,
    digamma,
    div,
    erf,
    erf_grad,
    erfc,
    erfinv,
    exp,
    expm1,
    floor,
    fmod,
    hypot,
    lgamma,
    log,
    log1p,
    maximum,
    minimum,
    mul,
    nan_to_num,
    neg,
    pow,
    reciprocal,
    relu,
    relu_grad,
    remainder,
    rsqrt,
    sigmoid,
    sigmoid_grad,
    sign,
    sin,
    sqrt,
    square,
    sub,
    tanh,
    tanh_grad,
    trunc,
)


def clamp(input, min, max):
    """Limits that are one number each."""
    low, high = _limit(min, input, -math.inf), _limit(max, input, math.inf)
    return NotImplemented if low is None or high is None else _native.hardtanh(input, low, high)


def _limit(value, input, missing):
    if value is None:
        return missing
    if not isinstance(value, (int, float)) and (value.ndim or value.dtype != input.dtype):
        return None
    number = float(value)
    return None if math.isnan(number) else number


def round(input, decimals):
    return NotImplemented if decimals else _native.rint(input)
