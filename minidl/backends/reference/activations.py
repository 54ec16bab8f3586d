"""Activation functions on arrays. float16 and bfloat16 are computed in float32."""

import math

from minidl.backends.reference.elementwise import erf, sigmoid


def _wide(xp, input):
    return input.astype(xp.float32) if input.dtype.itemsize == 2 else input


def leaky_relu(xp, input, negative_slope):
    x = _wide(xp, input)
    return xp.where(x > 0, x, x * negative_slope).astype(input.dtype)


def leaky_relu_grad(xp, g, input, negative_slope):
    return xp.where(input > 0, g, _wide(xp, g) * negative_slope).astype(g.dtype)


def prelu(xp, input, weight):
    """weight x where x <= 0; the two broadcast."""
    return xp.where(input > 0, input, weight * input)


def elu(xp, input, alpha, scale, input_scale):
    """scale * (x where x > 0, alpha * (exp(input_scale * x) - 1) elsewhere)."""
    x = _wide(xp, input)
    low = xp.expm1(xp.minimum(x, 0) * input_scale) * alpha
    return (xp.where(x > 0, x, low) * scale).astype(input.dtype)


def elu_grad(xp, g, input, alpha, scale, input_scale):
    """g times (scale where x > 0, scale * alpha * input_scale * exp(input_scale * x) elsewhere)."""
    x = _wide(xp, input)
    low = xp.exp(xp.minimum(x, 0) * input_scale) * (alpha * scale * input_scale)
    return (_wide(xp, g) * xp.where(x > 0, x.dtype.type(scale), low)).astype(g.dtype)


def gelu(xp, input, approximate):
    x = _wide(xp, input)
    if approximate == "tanh":
        half = 0.5 * (1 + xp.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    else:
        half = 0.5 * (1 + erf(xp, x * math.sqrt(0.5)))
    return (x * half).astype(input.dtype)


def gelu_grad(xp, g, input, approximate):
    """g (P(X <= x) + x p(x)) for a standard normal X, or the derivative of the approximation by tanh."""
    x = _wide(xp, input)
    if approximate == "tanh":
        t = xp.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))
        inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
        slope = 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner
    else:
        density = xp.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        slope = 0.5 * (1 + erf(xp, x * math.sqrt(0.5))) + x * density
    return (_wide(xp, g) * slope).astype(g.dtype)


def silu(xp, input):
    x = _wide(xp, input)
    return (x * sigmoid(xp, x)).astype(input.dtype)


def silu_grad(xp, g, input):
    x = _wide(xp, input)
    s = sigmoid(xp, x)
    return (_wide(xp, g) * (s * (1 + x * (1 - s)))).astype(g.dtype)


def softplus(xp, input, beta, threshold):
    """log(1 + exp(beta x)) / beta, x itself where beta x > threshold."""
    x = _wide(xp, input)
    scaled = x * beta
    out = (xp.maximum(scaled, 0) + xp.log1p(xp.exp(-xp.absolute(scaled)))) / beta
    return xp.where(scaled > threshold, x, out).astype(input.dtype)


def softplus_grad(xp, g, input, beta, threshold):
    scaled = _wide(xp, input) * beta
    return xp.where(scaled > threshold, g, _wide(xp, g) * sigmoid(xp, scaled)).astype(g.dtype)


def mish(xp, input):
    x = _wide(xp, input)
    return (x * xp.tanh(xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.absolute(x))))).astype(input.dtype)


def mish_grad(xp, g, input):
    """g (t + x sigmoid(x) (1 - t^2)) with t = tanh(log(1 + exp(x)))."""
    x = _wide(xp, input)
    t = xp.tanh(xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.absolute(x))))
    return (_wide(xp, g) * (t + x * sigmoid(xp, x) * (1 - t * t))).astype(g.dtype)


def log_sigmoid(xp, input):
    x = _wide(xp, input)
    return (xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.absolute(x)))).astype(input.dtype)


def log_sigmoid_grad(xp, g, input):
    return (_wide(xp, g) * sigmoid(xp, -_wide(xp, input))).astype(g.dtype)


def hardsigmoid(xp, input):
    x = _wide(xp, input)
    return (xp.minimum(xp.maximum(x + 3, 0), 6) / 6).astype(input.dtype)


def hardsigmoid_grad(xp, g, input):
    inside = (input > -3) & (input < 3)
    return xp.where(inside, _wide(xp, g) * (1 / 6), xp.zeros((), g.dtype)).astype(g.dtype)


def hardswish(xp, input):
    x = _wide(xp, input)
    return (x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6).astype(input.dtype)


def hardswish_grad(xp, g, input):
    x, wide = _wide(xp, input), _wide(xp, g)
    inside = xp.where(x >= 3, wide, wide * (x * (1 / 3) + 0.5))
    return xp.where(x <= -3, xp.zeros((), inside.dtype), inside).astype(g.dtype)


def hardtanh(xp, input, low, high):
    """``input`` limited to [low, high]; NaN stays."""
    return xp.minimum(xp.maximum(input, input.dtype.type(low)), input.dtype.type(high))


def hardtanh_grad(xp, g, input, low, high):
    """g inside the limits, 0 at them and beyond; g where ``input`` is NaN."""
    return xp.where(
        (input <= input.dtype.type(low)) | (input >= input.dtype.type(high)), xp.zeros((), g.dtype), g
    )


def softshrink(xp, input, lambd):
    """x - lambd above lambd, x + lambd below -lambd, 0 between; NaN stays."""
    x = _wide(xp, input)
    inside = xp.where(x < -lambd, x + lambd, x * 0)
    return xp.where(x > lambd, x - lambd, inside).astype(input.dtype)


def hardshrink(xp, input, lambd):
    return xp.where(xp.absolute(input) <= lambd, xp.zeros((), input.dtype), input)


def threshold(xp, input, threshold, value):
    return xp.where(input <= threshold, xp.asarray(value).astype(input.dtype), input)
