"""Activation functions on arrays. float16 and bfloat16 are computed in float32."""

import math

from minidl.backends.reference.elementwise import erf, sigmoid


def _wide(xp, input):
    return input.astype(xp.float32) if input.dtype.itemsize == 2 else input


def leaky_relu(xp, input, negative_slope):
    x = _wide(xp, input)
    return xp.where(x > 0, x, x * negative_slope).astype(input.dtype)


def elu(xp, input, alpha, scale, input_scale):
    """scale * (x where x > 0, alpha * (exp(input_scale * x) - 1) elsewhere)."""
    x = _wide(xp, input)
    low = xp.expm1(xp.minimum(x, 0) * input_scale) * alpha
    return (xp.where(x > 0, x, low) * scale).astype(input.dtype)


def gelu(xp, input, approximate):
    x = _wide(xp, input)
    if approximate == "tanh":
        half = 0.5 * (1 + xp.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    else:
        half = 0.5 * (1 + erf(xp, x * math.sqrt(0.5)))
    return (x * half).astype(input.dtype)


def silu(xp, input):
    x = _wide(xp, input)
    return (x * sigmoid(xp, x)).astype(input.dtype)


def softplus(xp, input, beta, threshold):
    """log(1 + exp(beta x)) / beta, x itself where beta x > threshold."""
    x = _wide(xp, input)
    scaled = x * beta
    out = (xp.maximum(scaled, 0) + xp.log1p(xp.exp(-xp.absolute(scaled)))) / beta
    return xp.where(scaled > threshold, x, out).astype(input.dtype)


def mish(xp, input):
    x = _wide(xp, input)
    return (x * xp.tanh(xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.absolute(x))))).astype(input.dtype)


def log_sigmoid(xp, input):
    x = _wide(xp, input)
    return (xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.absolute(x)))).astype(input.dtype)


def hardsigmoid(xp, input):
    x = _wide(xp, input)
    return (xp.minimum(xp.maximum(x + 3, 0), 6) / 6).astype(input.dtype)


def hardswish(xp, input):
    x = _wide(xp, input)
    return (x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6).astype(input.dtype)


def softshrink(xp, input, lambd):
    """x - lambd above lambd, x + lambd below -lambd, 0 between; NaN stays."""
    x = _wide(xp, input)
    inside = xp.where(x < -lambd, x + lambd, x * 0)
    return xp.where(x > lambd, x - lambd, inside).astype(input.dtype)


def hardshrink(xp, input, lambd):
    return xp.where(xp.absolute(input) <= lambd, xp.zeros((), input.dtype), input)


def threshold(xp, input, threshold, value):
    return xp.where(input <= threshold, xp.asarray(value).astype(input.dtype), input)
