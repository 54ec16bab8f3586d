"""Elementwise functions, any strides, one kernel each. Numbers may stand for one of two operands.

The extension reads the arrays, makes the result and returns ``NotImplemented`` for what no kernel takes.
"""

_UNARY = (
    "neg abs sign square reciprocal sqrt rsqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh "
    "cosh asinh acosh atanh tanh sigmoid relu floor ceil trunc erf isnan isinf isfinite signbit logical_not"
)
_BINARY = (
    "add sub mul div floor_divide remainder fmod maximum minimum fmax fmin atan2 hypot copysign logaddexp heaviside "
    "eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor relu_grad tanh_grad "
    "sigmoid_grad erf_grad"
)


def _unary(name):
    def call(xp, ext, input):
        return getattr(ext, name)(xp, input)

    call.__name__ = name
    return call


def _binary(name):
    def call(xp, ext, input, other):
        return getattr(ext, name)(xp, input, other)

    call.__name__ = name
    return call


for _name in _UNARY.split():
    globals()[_name] = _unary(_name)
for _name in _BINARY.split():
    globals()[_name] = _binary(_name)


def bitwise_not(xp, ext, input):
    return (ext.logical_not if input.dtype.char == "?" else ext.bitwise_not)(xp, input)


def bitwise_left_shift(xp, ext, input, other):
    return ext.left_shift(xp, input, other)


def bitwise_right_shift(xp, ext, input, other):
    return ext.right_shift(xp, input, other)


def round(xp, ext, input, decimals):
    return ext.rint(xp, input) if decimals == 0 else NotImplemented


def pow(xp, ext, input, other):
    """Small whole exponents are products."""
    if other.__class__ in (int, float):
        if other == 2:
            return ext.square(xp, input)
        if other == -1:
            return ext.reciprocal(xp, input)
    return ext.pow(xp, input, other)


def clamp(xp, ext, input, min, max):
    if min is None:
        return NotImplemented if max is None else _limited(xp, ext, ext.minimum, input, max)
    if max is None:
        return _limited(xp, ext, ext.maximum, input, min)
    return _limited(xp, ext, ext.clamp, input, min, max)


def _limited(xp, ext, function, input, *limits):
    """Limits of one number or one element each do not change the shape."""
    if any(getattr(limit, "ndim", 0) > input.ndim for limit in limits):
        return NotImplemented
    return function(xp, input, *limits)
