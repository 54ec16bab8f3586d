"""Elementwise functions of the standard: PyTorch's, with operands promoted by the standard's table.

>>> from minidl import array_api as xp
>>> xp.add(xp.asarray(1, dtype=xp.int64), xp.asarray([1], dtype=xp.int8)).dtype
minidl.int64
"""

import minidl
from minidl.array_api.operands import as_array, common_dtype, is_array, together

_UNARY = (
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "bitwise_invert", "ceil", "cos", "cosh", "exp", "expm1",
    "floor", "isfinite", "isinf", "isnan", "log", "log10", "log1p", "log2", "logical_not", "negative", "positive",
    "reciprocal", "round", "signbit", "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
)  # fmt: skip
_BINARY = (
    "add", "atan2", "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "copysign",
    "divide", "equal", "greater", "greater_equal", "hypot", "less", "less_equal", "logaddexp", "logical_and",
    "logical_or", "logical_xor", "maximum", "minimum", "multiply", "nextafter", "not_equal", "pow", "remainder",
    "subtract",
)  # fmt: skip
_OURS = {
    "bitwise_invert": "bitwise_not",
    "equal": "eq",
}  # where the names differ, or the face's is no comparison

__all__ = [*_UNARY, *_BINARY, "clip", "conj", "floor_divide", "imag", "real", "sign"]


def _unary(name, op):
    def elementwise(x, /):
        return op(as_array(x))

    return _named(elementwise, name, op)


def _binary(name, op):
    def elementwise(x1, x2, /):
        if not (is_array(x1) and is_array(x2) and x1.dtype is x2.dtype):
            x1, x2 = together(x1, x2)
        return op(x1, x2)

    return _named(elementwise, name, op)


def _named(made, name, op):
    made.__name__ = made.__qualname__ = name
    made.__doc__ = f"""``minidl.{op.__name__}``, elementwise. Source: the array API standard's ``{name}``."""
    return made


globals().update({name: _unary(name, getattr(minidl, _OURS.get(name, name))) for name in _UNARY})
globals().update({name: _binary(name, getattr(minidl, _OURS.get(name, name))) for name in _BINARY})


def clip(x, /, min=None, max=None):
    """min(max(x, min), max), elementwise and in ``x``'s dtype; None is no limit.

    >>> from minidl import array_api as xp
    >>> xp.clip(xp.asarray([1, 5, 9]), 2, 6)
    tensor([2, 5, 6])
    """
    out = as_array(x)
    for limit, choose in ((min, minidl.maximum), (max, minidl.minimum)):
        if limit is not None:
            out = choose(*together(out, limit))
    return out.to(x.dtype) if out is not x else x.clone()


def sign(x, /):
    """-1, 0 or 1; NaN of NaN, where PyTorch has 0.

    >>> from minidl import array_api as xp
    >>> xp.sign(xp.asarray([-2.0, 0.0, float("nan")]))
    tensor([-1.,  0., nan])
    """
    x = as_array(x)
    return minidl.where(minidl.isnan(x), x, minidl.sign(x)) if x.is_floating_point() else minidl.sign(x)


def floor_divide(x1, x2, /):
    """floor(x1 / x2), elementwise. Of an infinite float the standard wants an infinity, PyTorch and Python NaN."""
    x1, x2 = together(x1, x2)
    out = minidl.floor_divide(x1, x2)
    if not out.is_floating_point():
        return out
    return minidl.where(minidl.isinf(x1) | minidl.isinf(x2), minidl.floor(x1 / x2), out)


def conj(x, /):
    """The array itself: all arrays are real."""
    return as_array(x)


def real(x, /):
    """The array itself: all arrays are real."""
    return as_array(x)


def imag(x, /):
    """Raises ``TypeError``: the standard takes complex arrays here, and minidl has none."""
    raise TypeError(
        f"imag() takes complex arrays, and complex numbers are not supported; got {common_dtype(x)}"
    )
