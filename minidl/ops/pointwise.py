"""Functions of one operand, elementwise. Integers are computed in the default dtype where the result is no integer."""

import math

from minidl import dtypes
from minidl.autograd import function, op
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul, neg, sub, zeros_of
from minidl.ops.common import floating, refuse_bool


def _unary(name, equation, rule, example="0.5", floats=True, **naming):
    """An op of one operand; ``floats``: integers become the default dtype first."""

    def forward(input):
        if floats:
            input = floating(input)
        elif input.dtype is dtypes.BOOL:
            return _of_bool(name, input)
        return getattr(of(input), name)(input)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""{equation}, elementwise. Shape of ``input``; integers
    {"become the default dtype" if floats else "stay integers"}. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([{example}])).shape
    torch.Size([1])
    """
    return op(input=rule, inplace=True, **naming)(forward)


@function(dunder="pos", tensors="input")
def positive(input):
    """The input itself. Raises ``RuntimeError`` for bool. Source: ``torch.positive``.

    >>> import minidl
    >>> +minidl.tensor([1.0, -2.0])
    tensor([ 1., -2.])
    """
    if input.dtype is dtypes.bool_:
        raise RuntimeError(
            "The `+` operator, on a bool tensor is not supported. Hint: convert it first, with .int()."
        )
    return input


def _of_bool(name, input):
    """``square`` of bool is int64 and ``sign`` bool; the other functions have no bool form."""
    if name not in ("square", "sign"):
        refuse_bool(input, name)
    return input.astype(dtypes.INT64) if name == "square" else of(input).copy(input)


abs = _unary(
    "abs", "|x|", lambda g, input: mul(g, sign(input)), floats=False, dunder="abs", aliases=("absolute",)
)
square = _unary("square", "x^2", lambda g, input: mul(g, mul(input, 2)), floats=False, shown="Pow")
sign = _unary("sign", "-1, 0 or 1 by the sign of x", lambda g: zeros_of(g), floats=False)
floor = _unary("floor", "The largest integer <= x", lambda g: zeros_of(g), floats=False)
ceil = _unary("ceil", "The smallest integer >= x", lambda g: zeros_of(g), floats=False)
trunc = _unary("trunc", "x without its fraction", lambda g: zeros_of(g), floats=False, aliases=("fix",))
exp = _unary("exp", "e^x", lambda g, result: mul(g, result))
exp2 = _unary("exp2", "2^x", lambda g, result: mul(g, mul(result, math.log(2))))
expm1 = _unary("expm1", "e^x - 1, accurate near 0", lambda g, result: mul(g, add(result, 1)))
log = _unary("log", "Natural logarithm of x", lambda g, input: div(g, input))
log2 = _unary("log2", "Logarithm of x to base 2", lambda g, input: div(g, mul(input, math.log(2))))
log10 = _unary("log10", "Logarithm of x to base 10", lambda g, input: div(g, mul(input, math.log(10))))
log1p = _unary("log1p", "log(1 + x), accurate near 0", lambda g, input: div(g, add(input, 1)), shown="Log1P")
sqrt = _unary("sqrt", "Square root of x", lambda g, result: div(g, mul(result, 2)))
rsqrt = _unary("rsqrt", "1 / sqrt(x)", lambda g, result: mul(g, mul(mul(result, mul(result, result)), -0.5)))
reciprocal = _unary("reciprocal", "1 / x", lambda g, result: neg(mul(g, mul(result, result))))
sin = _unary("sin", "Sine of x in radians", lambda g, input: mul(g, cos(input)))
cos = _unary("cos", "Cosine of x in radians", lambda g, input: neg(mul(g, sin(input))))
tan = _unary("tan", "Tangent of x in radians", lambda g, result: mul(g, add(mul(result, result), 1)))
asin = _unary(
    "asin",
    "Inverse sine in radians",
    lambda g, input: mul(g, rsqrt(sub(1, mul(input, input)))),
    aliases=("arcsin",),
)
acos = _unary(
    "acos",
    "Inverse cosine in radians",
    lambda g, input: neg(mul(g, rsqrt(sub(1, mul(input, input))))),
    aliases=("arccos",),
)
atan = _unary(
    "atan",
    "Inverse tangent in radians",
    lambda g, input: div(g, add(mul(input, input), 1)),
    aliases=("arctan",),
)
sinh = _unary("sinh", "Hyperbolic sine", lambda g, input: mul(g, cosh(input)))
cosh = _unary("cosh", "Hyperbolic cosine", lambda g, input: mul(g, sinh(input)))
asinh = _unary(
    "asinh",
    "Inverse hyperbolic sine",
    lambda g, input: mul(g, rsqrt(add(mul(input, input), 1))),
    aliases=("arcsinh",),
)
acosh = _unary(
    "acosh",
    "Inverse hyperbolic cosine",
    lambda g, input: mul(g, rsqrt(sub(mul(input, input), 1))),
    "1.5",
    aliases=("arccosh",),
)
atanh = _unary(
    "atanh",
    "Inverse hyperbolic tangent",
    lambda g, input: div(g, sub(1, mul(input, input))),
    aliases=("arctanh",),
)
erf = _unary(
    "erf",
    "2/sqrt(pi) times the integral of exp(-t^2) from 0 to x",
    lambda g, input: _erf_grad(g, input),
)


@op(
    grad=lambda g, input: _erf_grad(g, input),
    input=lambda g, grad, input: mul(g, mul(_erf_grad(grad, input), mul(input, -2))),
    method=False, faces=(),
)  # fmt: skip
def _erf_grad(grad, input):
    return of(grad).erf_grad(grad, input)


@op(
    input=lambda g, result: _tanh_grad(g, result), faces=("torch", "functional"), inplace=True,
)  # fmt: skip
def tanh(input):
    """Hyperbolic tangent, (e^x - e^-x) / (e^x + e^-x), elementwise. Source: ``torch.tanh``.

    >>> import minidl
    >>> minidl.tanh(minidl.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    input = floating(input)
    return of(input).tanh(input)


@op(
    grad=lambda g, output: _tanh_grad(g, output), output=lambda g, grad, output: mul(g, mul(mul(grad, output), -2)),
    method=False, faces=(),
)  # fmt: skip
def _tanh_grad(grad, output):
    return of(grad).tanh_grad(grad, output)


@op(
    input=lambda g, result: _sigmoid_grad(g, result), faces=("torch", "functional"), inplace=True, aliases=("expit",),
)  # fmt: skip
def sigmoid(input):
    """1 / (1 + e^-x), elementwise, without overflow. Source: ``torch.sigmoid``.

    >>> import minidl
    >>> minidl.sigmoid(minidl.tensor([0.0, 1000.0]))
    tensor([0.5000, 1.0000])
    """
    input = floating(input)
    return of(input).sigmoid(input)


@op(
    grad=lambda g, output: _sigmoid_grad(g, output),
    output=lambda g, grad, output: mul(g, mul(grad, sub(1, mul(output, 2)))),
    method=False, faces=(),
)  # fmt: skip
def _sigmoid_grad(grad, output):
    return of(grad).sigmoid_grad(grad, output)


@op(input=lambda g, result: _relu_grad(g, result), faces=("torch", "functional"), inplace=True)
def relu(input, inplace=False):
    """max(x, 0), elementwise; NaN stays NaN; the gradient at 0 is 0. Source: ``torch.nn.functional.relu``.

    >>> import minidl
    >>> minidl.relu(minidl.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if input.dtype is dtypes.BOOL:
        raise RuntimeError(
            "Boolean inputs not supported for relu. Hint: convert the mask first, with .float()."
        )
    return of(input).relu(input)


@op(grad=lambda g, output: _relu_grad(g, output), output=lambda g: zeros_of(g), method=False, faces=())
def _relu_grad(grad, output):
    return of(grad).relu_grad(grad, output)


@op(
    input=lambda g, decimals: zeros_of(g), inplace=True,
    shown=lambda shape, kept: f"RoundBackward{1 if kept['decimals'] else 0}",
)  # fmt: skip
def round(input, *, decimals=0):
    """The nearest integer, or number of ``decimals`` digits; halves go to the even one. Source: ``torch.round``.

    >>> import minidl
    >>> minidl.round(minidl.tensor([0.5, 1.5, 2.4]))
    tensor([0., 2., 2.])
    """
    refuse_bool(input, "round")
    return of(input).round(input, decimals)
