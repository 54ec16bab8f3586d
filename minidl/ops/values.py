"""Functions of single values beside ``pointwise``: signs, angles, tests, and what is trivial for real numbers."""

import math

from minidl import dtypes, return_types
from minidl.autograd import Tensor, function, op
from minidl.backends import of
from minidl.ops.arithmetic import div, mul, sub, zeros_of
from minidl.ops.common import floating
from minidl.ops.comparison import eq, isfinite, logical_not
from minidl.ops.memory_formats import clone
from minidl.ops.pointwise import cos, sign, sin, trunc
from minidl.ops.selection import clamp, where

Frexp = return_types.define("frexp", "mantissa exponent")


@function(shown="Sgn")
def sgn(input):
    """-1, 0 or 1 by the sign of x: ``sign``, which complex numbers would not have. Source: ``torch.sgn``.

    >>> import minidl
    >>> minidl.sgn(minidl.tensor([-2.0, 0.0]))
    tensor([-1.,  0.])
    """
    return sign(input)


@function(tensors="input", shown="Frac")
def frac(input):
    """x without its integer part, x - trunc(x). Source: ``torch.frac``.

    >>> import minidl
    >>> minidl.frac(minidl.tensor([1.5, -2.5]))
    tensor([ 0.5000, -0.5000])
    """
    if not input.is_floating_point():
        raise NotImplementedError(
            f"\"frac_cpu\" not implemented for '{dtypes.scalar_name(input._array.dtype)}'"
        )
    return sub(input, trunc(input).detach())


@op(constant="input")
def signbit(input):
    """Whether the sign is set, of -0.0 too. Source: ``torch.signbit``.

    >>> import minidl
    >>> minidl.signbit(minidl.tensor([-1.0, 2.0]))
    tensor([ True, False])
    """
    space = of(input)
    return (
        space.signbit(input)
        if dtypes.is_floating(input.dtype)
        else space.lt(input, space.zeros((), input.dtype))
    )


def _sinc_rule(g, input):
    """(cos(pi x) - sinc(x)) / x, and 0 at 0."""
    turned = mul(input, math.pi)
    zero = eq(input, 0)
    safe = where(zero, 1.0, turned)
    slope = div(sub(mul(cos(safe), safe), sin(safe)), mul(safe, safe))
    return mul(g, where(zero, 0.0, mul(slope, math.pi)))


@op(input=_sinc_rule)
def sinc(input):
    """sin(pi x) / (pi x), 1 at 0. Source: ``torch.sinc``.

    >>> import minidl
    >>> minidl.sinc(minidl.zeros(1))
    tensor([1.])
    """
    input = floating(input)
    space = of(input)
    turned = space.mul(input, space.full((), math.pi, input.dtype))
    zero = space.eq(input, space.zeros((), input.dtype))
    one = space.full((), 1, input.dtype)
    safe = space.where(zero, one, turned)
    return space.where(zero, one, space.div(space.sin(safe), safe))


def _scaled(name, factor, what):
    def forward(input):
        return mul(input, factor)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""{what}; integers become the default dtype. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([0.0]))
    tensor([0.])
    """
    return function(tensors="input", shown=name.title())(forward)


deg2rad = _scaled("deg2rad", math.pi / 180, "Degrees as radians")
rad2deg = _scaled("rad2deg", 180 / math.pi, "Radians as degrees")


@op(input=lambda g, input: mul(g, _ones_where(isfinite(input), g)))
def nan_to_num(input, nan=None, posinf=None, neginf=None):
    """``nan`` (0), ``posinf`` and ``neginf`` (the dtype's limits) in place of what is no finite number.
    Source: ``torch.nan_to_num``.

    >>> import minidl
    >>> minidl.nan_to_num(minidl.tensor([1.0, float("nan")]))
    tensor([1., 0.])
    """
    if not dtypes.is_floating(input.dtype):
        return of(input).copy(input)
    limits = dtypes.finfo(dtypes.of(input.dtype))
    chosen = (0.0 if nan is None else nan, limits.max if posinf is None else posinf)
    return of(input).nan_to_num(input, *chosen, limits.min if neginf is None else neginf)


def _ones_where(mask, like):
    return where(mask, 1.0, mul(like, 0.0))


def _infinite(name, sign_, number):
    def forward(input):
        space = of(input)
        if not dtypes.is_floating(input.dtype):
            return space.zeros(input.shape, dtypes.BOOL)
        return space.eq(input, space.full((), number, input.dtype))

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""Whether each element is {sign_}infinity. The result is bool. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([1.0, float("{sign_}inf")]))
    tensor([False,  True])
    """
    return op(constant="input")(forward)


isposinf, isneginf = _infinite("isposinf", "", math.inf), _infinite("isneginf", "-", -math.inf)


@op(constant="input")
def isreal(input):
    """True everywhere: there are no complex tensors. Source: ``torch.isreal``.

    >>> import minidl
    >>> minidl.isreal(minidl.zeros(2))
    tensor([True, True])
    """
    return of(input).full(input.shape, True, dtypes.BOOL)


@op(constant="elements test_elements", number="elements test_elements", faces=(), method=False)
def _isin(elements, test_elements):
    space = of(elements if hasattr(elements, "dtype") else test_elements)
    elements, test_elements = (
        v if hasattr(v, "dtype") else space.asarray([v], None).reshape(()) for v in (elements, test_elements)
    )
    return space.isin(elements, test_elements)


@function(method=False)
def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """Whether each of ``elements`` is among ``test_elements``. Source: ``torch.isin``.

    >>> import minidl
    >>> minidl.isin(minidl.tensor([1, 2, 3]), minidl.tensor([2]))
    tensor([False,  True, False])
    """
    found = _isin(elements, test_elements)
    return logical_not(found) if invert else found


@op(input=lambda g0, result1: _ldexp_grad(g0, result1), returns=Frexp)
def frexp(input):
    """(mantissa, exponent) with input = mantissa * 2^exponent and |mantissa| in [0.5, 1). Source: ``torch.frexp``.

    >>> import minidl
    >>> minidl.frexp(minidl.tensor([8.0])).exponent
    tensor([4], dtype=minidl.int32)
    """
    if not dtypes.is_floating(input.dtype):
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return of(input).frexp(input)


def _ldexp_grad(g, exponent):
    return div(g, _power_of_two(exponent, g))


@op(constant="exponent", faces=(), method=False)
def _power_of_two(exponent, like):
    space = of(exponent)
    return space.exp2(space.astype(exponent, dtypes.FLOAT64))


def _logit_rule(g, input, eps):
    inside = div(g, mul(input, sub(1, input)))
    low, high = (0.0, 1.0) if eps is None else (eps, 1 - eps)
    return where(eq(clamp(input, low, high), input), inside, float("nan") if eps is None else 0.0)


@op(input=_logit_rule)
def logit(input, eps=None):
    """log(x / (1 - x)), of x limited to [eps, 1 - eps] where ``eps`` is given. Source: ``torch.logit``.

    >>> import minidl
    >>> minidl.logit(minidl.tensor([0.5]))
    tensor([0.])
    """
    input = floating(input)
    space = of(input)
    if eps is not None:
        limits = (space.full((), v, input.dtype) for v in (eps, 1 - eps))
        input = space.clamp(input, *limits)
    return space.log(space.div(input, space.sub(space.full((), 1, input.dtype), input)))


def _itself(name, what):
    def forward(input):
        return input

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""{what}: the tensor itself, which is real. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.ones(2))
    tensor([1., 1.])
    """
    return function(tensors="input")(forward)


conj = _itself("conj", "The complex conjugate")
resolve_conj = _itself("resolve_conj", "Conjugation carried out")
resolve_neg = _itself("resolve_neg", "Negation carried out")


@function(method=False, tensors="input")
def real(input):
    """The real part: the tensor itself. Source: ``torch.real``.

    >>> import minidl
    >>> minidl.real(minidl.ones(2))
    tensor([1., 1.])
    """
    return input


@function(tensors="input")
def conj_physical(input):
    """The complex conjugate as a copy: the tensor itself where it is real. Source: ``torch.conj_physical``.

    >>> import minidl
    >>> minidl.conj_physical(minidl.ones(2))
    tensor([1., 1.])
    """
    return clone(input)


@op(input=lambda g: zeros_of(g))
def angle(input):
    """The angle of real numbers: 0, or pi for negative ones; NaN for NaN. Source: ``torch.angle``.

    >>> import minidl
    >>> minidl.angle(minidl.tensor([1.0, -1.0]))
    tensor([0.0000, 3.1416])
    """
    input = floating(input)
    space = of(input)
    zero = space.zeros((), input.dtype)
    turned = space.where(space.lt(input, zero), space.full((), math.pi, input.dtype), zero)
    return space.where(space.isnan(input), input, turned)


def _answer(name, what, answer):
    def forward(input):
        return answer(input)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""{what}. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.ones(1)) in (True, False)
    True
    """
    forward.__annotations__ = {"return": bool}
    return function(tensors="input")(forward)


def _is_nonzero(input):
    if input.numel() != 1:
        raise RuntimeError(
            "Boolean value of Tensor with no values is ambiguous"
            if input.numel() == 0
            else "Boolean value of Tensor with more than one value is ambiguous"
        )
    return bool(input)


is_nonzero = _answer("is_nonzero", "Whether the only element is not zero", _is_nonzero)
is_conj = _answer("is_conj", "Whether the tensor is marked for conjugation: never", lambda input: False)
is_neg = _answer("is_neg", "Whether the tensor is marked for negation: never", lambda input: False)
is_signed = _answer(
    "is_signed", "Whether the dtype holds negative numbers", lambda input: input.dtype.is_signed
)


@function(tensors="input other")
def is_same_size(input, other) -> bool:
    """Whether both tensors have the same sizes. Source: ``torch.is_same_size``.

    >>> import minidl
    >>> minidl.is_same_size(minidl.ones(2), minidl.ones(3))
    False
    """
    return input.shape == other.shape


Tensor.real = property(lambda self: self, doc="The real part: the tensor itself.")
