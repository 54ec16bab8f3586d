"""Special functions: of errors, gamma, zeta, Bessel. Computed in float64; integers become the default dtype."""

import math

from minidl import dtypes
from minidl.autograd import function, op
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul, neg, sub
from minidl.ops.common import checked, floating, promote
from minidl.ops.comparison import eq
from minidl.ops.pointwise import exp, log, sign
from minidl.ops.selection import where


def _unary(name, equation, rule, faces=("torch",), example="0.5", **naming):
    """An op of one operand, in the face ``torch`` (and then a method too) or in ``special`` alone."""

    def forward(input):
        input = floating(input)
        return getattr(of(input), name)(input)

    home = "minidl" if "torch" in faces else "minidl.special"
    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""{equation}, elementwise. Integers become the default dtype.
    Source: ``torch.{"" if home == "minidl" else "special."}{name}``.

    >>> import minidl
    >>> {home}.{name}(minidl.tensor([{example}])).shape
    torch.Size([1])
    """
    rules = {"constant": "input"} if rule is None else {"input": rule}
    return op(faces=faces, method="torch" in faces, **rules, **naming)(forward)


_SPECIAL = ("special",)


def _gaussian(x, scale):
    """scale * exp(-x^2)"""
    return mul(exp(neg(mul(x, x))), scale)


erfc = _unary(
    "erfc",
    "1 - erf(x), accurate in the tail",
    lambda g, input: mul(g, _gaussian(input, -2 / math.sqrt(math.pi))),
)
erfinv = _unary(
    "erfinv",
    "The inverse of erf, on (-1, 1)",
    lambda g, result: mul(g, mul(exp(mul(result, result)), math.sqrt(math.pi) / 2)),
)
erfcx = _unary(
    "erfcx",
    "exp(x^2) erfc(x)",
    lambda g, input, result: mul(g, sub(mul(mul(input, result), 2), 2 / math.sqrt(math.pi))),
    _SPECIAL,
    shown="SpecialErfcx",
)
log_ndtr = _unary(
    "log_ndtr",
    "log of the normal distribution's integral up to x",
    lambda g, input: mul(g, _inverse_mills(input)),
    _SPECIAL,
    shown="SpecialLogNdtr",
)
ndtri = _unary(
    "ndtri",
    "The quantile of the normal distribution",
    lambda g, result: mul(g, mul(exp(mul(mul(result, result), 0.5)), math.sqrt(2 * math.pi))),
    _SPECIAL,
    shown="SpecialNdtri",
)
lgamma = _unary("lgamma", "log |Gamma(x)|", lambda g, input: mul(g, digamma(input)))
digamma = _unary("digamma", "The derivative of log Gamma", lambda g, input: mul(g, _polygamma(input, 1)))
i0 = _unary("i0", "The modified Bessel function of order 0", lambda g, input: mul(g, i1(input)))
i0e = _unary(
    "i0e",
    "exp(-|x|) I0(x)",
    lambda g, input, result: mul(g, sub(i1e(input), mul(sign(input), result))),
    _SPECIAL,
    shown="SpecialI0E",
)
i1 = _unary(
    "i1",
    "The modified Bessel function of order 1",
    lambda g, input, result: mul(g, sub(i0(input), _over(result, input))),
    _SPECIAL,
    shown="SpecialI1",
)
i1e = _unary(
    "i1e",
    "exp(-|x|) I1(x)",
    lambda g, input, result: mul(g, sub(i0e(input), add(_over(result, input), mul(sign(input), result)))),
    _SPECIAL,
    shown="SpecialI1E",
)


def _inverse_mills(x):
    """The normal density over its integral up to x: sqrt(2/pi) / erfcx(-x / sqrt 2)."""
    return div(math.sqrt(2 / math.pi), erfcx(mul(x, -1 / math.sqrt(2))))


def _over(result, x):
    """I1(x) / x, which is 1/2 at 0."""
    zero = eq(x, 0)
    return where(zero, 0.5, div(result, where(zero, 1.0, x)))


@op(input=lambda g, input, n: mul(g, _polygamma(input, n + 1)), faces=(), method=False)
def _polygamma(input, n):
    """The n-th derivative of digamma, n >= 1."""
    input = floating(input)
    return of(input).polygamma(input, n)


def _order(n):
    if n.__class__ is not int:
        raise TypeError(f"polygamma(): argument 'n' (position 1) must be int, not {n.__class__.__name__}")
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")


@function(method=False)
def polygamma(n, input):
    """The ``n``-th derivative of digamma. Raises ``RuntimeError`` for n < 0. Source: ``torch.polygamma``.

    >>> import minidl
    >>> minidl.polygamma(1, minidl.tensor([1.0]))
    tensor([1.6449])
    """
    _order(n)
    return _polygamma(input, n) if n else digamma(input)


def _polygamma_of(self, n):
    """``polygamma`` with the tensor first. Source: ``torch.Tensor.polygamma``."""
    _order(n)
    return _polygamma(self, n) if n else digamma(self)


_polygamma_of.__name__ = "polygamma"
function(faces=())(_polygamma_of)


@function(tensors="input", shown="Mvlgamma")
def mvlgamma(input, p):
    """log of the ``p``-variate gamma function. Raises ``RuntimeError`` for p < 1. Source: ``torch.mvlgamma``.

    >>> import minidl
    >>> minidl.mvlgamma(minidl.tensor([3.0]), 1)
    tensor([0.6931])
    """
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    if input.dtype is dtypes.bool_:
        raise RuntimeError("The input tensor may not be a boolean tensor.")
    out = lgamma(input)
    for i in range(1, p):
        out = add(out, lgamma(sub(input, i / 2)))
    return add(out, p * (p - 1) / 4 * math.log(math.pi))


def _pair(name, input, other):
    """Two operands of a function that computes on both, as arrays of one floating dtype."""
    input, other = promote(input, other)
    space = of(input if hasattr(input, "dtype") else other)
    input, other = (floating(v) if hasattr(v, "dtype") else v for v in (input, other))
    dtype = (input if hasattr(input, "dtype") else other).dtype
    input, other = (v if hasattr(v, "dtype") else space.full((), v, dtype) for v in (input, other))
    return checked(lambda a, b: getattr(space, name)(*_broadcast(space, a, b)), input, other)


def _broadcast(space, a, b):
    shape = space.add(a, b).shape
    return space.broadcast_to(a, shape), space.broadcast_to(b, shape)


def _gamma_density(input, other):
    """The derivative of igamma by its second argument: x^(a-1) e^-x / Gamma(a)."""
    return exp(sub(sub(mul(sub(input, 1), log(other)), other), lgamma(input)))


@op(other=lambda g, input, other: mul(g, _gamma_density(input, other)), constant="input", number="")
def igamma(input, other):
    """P(input, other), the regularised lower incomplete gamma function. No gradient of the first argument.
    Source: ``torch.igamma``.

    >>> import minidl
    >>> minidl.igamma(minidl.tensor([1.0]), minidl.tensor([1.0]))
    tensor([0.6321])
    """
    return _pair("igamma", input, other)


@op(other=lambda g, input, other: neg(mul(g, _gamma_density(input, other))), constant="input", number="")
def igammac(input, other):
    """Q(input, other) = 1 - P(input, other). No gradient of the first argument. Source: ``torch.igammac``.

    >>> import minidl
    >>> minidl.igammac(minidl.tensor([1.0]), minidl.tensor([1.0]))
    tensor([0.3679])
    """
    return _pair("igammac", input, other)


@op(
    other=lambda g, input, other: neg(mul(g, mul(input, zeta(add(input, 1), other)))), constant="input",
    faces=_SPECIAL, method=False,
)  # fmt: skip
def zeta(input, other):
    """The sum of (other + k)^-input over k >= 0. No gradient of the first argument. Source: ``torch.special.zeta``.

    >>> import minidl
    >>> minidl.special.zeta(minidl.tensor([2.0]), minidl.tensor([1.0]))
    tensor([1.6449])
    """
    return _pair("zeta", input, other)


@function(faces=_SPECIAL, method=False, tensors="input", shown="MulBackward1")
def ndtr(input):
    """The normal distribution's integral up to x. Source: ``torch.special.ndtr``.

    >>> import minidl
    >>> minidl.special.ndtr(minidl.zeros(1))
    tensor([0.5000])
    """
    return mul(erfc(mul(input, -1 / math.sqrt(2))), 0.5)


def _entr_rule(g, input):
    return mul(g, neg(add(log(input), 1)))


@op(input=_entr_rule, shown="SpecialEntr", faces=_SPECIAL, method=False)
def entr(input):
    """-x log x; 0 at 0, -inf below. Source: ``torch.special.entr``.

    >>> import minidl
    >>> minidl.special.entr(minidl.tensor([0.0, 1.0])).abs()
    tensor([0., 0.])
    """
    input = floating(input)
    space = of(input)
    zero = space.zeros((), input.dtype)
    out = space.neg(space.mul(input, space.log(input)))
    out = space.where(space.lt(input, zero), space.full((), -math.inf, input.dtype), out)
    return space.where(space.eq(input, zero), zero, out)
