"""Powers, remainders and angles."""

import math

from minidl import dtypes
from minidl.autograd import op
from minidl.backends import of
from minidl.ops.arithmetic import (
    add,
    binary,
    div,
    floor_quotient,
    is_number,
    mul,
    neg,
    refuse_zero,
    sub,
    zeros_of,
)
from minidl.ops.common import checked, fitting, floating, promote, refuse_bool
from minidl.ops.comparison import eq, ge, logical_and
from minidl.ops.pointwise import floor, log, trunc
from minidl.ops.selection import where


def _of_divisor(name):
    """PyTorch numbers a remainder's node 1 where the divisor is a tensor; seen where it has a gradient."""
    return lambda shape, kept: f"{name}Backward{int(kept['edges'][-1] is not None)}"


@op(input=lambda g: zeros_of(g), other=lambda g: zeros_of(g), dunder="floordiv", inplace=True)
def floor_divide(input, other):
    """floor(input / other), elementwise, in the promoted dtype. Source: ``torch.floor_divide``.

    >>> import minidl
    >>> minidl.tensor([7, -7]) // 2
    tensor([ 3, -4])
    """
    return floor_quotient(input, other)


@op(
    input=lambda g: g, other=lambda g, input, other: neg(mul(g, floor(div(input, other)))), dunder="mod", inplace=True,
    shown=_of_divisor("Remainder"),
)  # fmt: skip
def remainder(input, other):
    """input - other * floor(input / other): the result has the divisor's sign. Source: ``torch.remainder``.

    >>> import minidl
    >>> minidl.tensor([7.0, -7.0]) % 4
    tensor([3., 1.])
    """
    promoted, divisor = promote(input, other)
    array = promoted if hasattr(promoted, "dtype") else divisor
    if not dtypes.is_floating(array.dtype):
        refuse_bool(array, "remainder")
        refuse_zero(divisor)
    return binary("remainder", input, other)


@op(
    input=lambda g: g, other=lambda g, input, other: neg(mul(g, trunc(div(input, other)))), number="other",
    inplace=True, shown=_of_divisor("Fmod"),
)  # fmt: skip
def fmod(input, other):
    """input - other * trunc(input / other): the result has the dividend's sign. Source: ``torch.fmod``.

    >>> import minidl
    >>> minidl.fmod(minidl.tensor([7.0, -7.0]), 4)
    tensor([ 3., -3.])
    """
    promoted, divisor = promote(input, other)
    array = promoted if hasattr(promoted, "dtype") else divisor
    if not dtypes.is_floating(array.dtype):
        refuse_bool(array, "fmod")
        refuse_zero(divisor)
    return binary("fmod", input, other)


def _pow_input(g, input, exponent):
    """d/dx x^p = p x^(p-1), which is 0 for p = 0 also at x = 0."""
    if isinstance(exponent, (bool, int, float)):
        return zeros_of(g) if exponent == 0 else mul(g, mul(pow(input, exponent - 1), exponent))
    slope = mul(g, mul(exponent, pow(input, sub(exponent, 1))))
    return where(eq(exponent, 0), 0.0, slope)


def _pow_other(g, input, exponent, result):
    """d/dp x^p = x^p log x, which is 0 at x = 0 for p >= 0."""
    if isinstance(input, (bool, int, float)):
        if input == 0:
            return mul(g, where(ge(exponent, 0), 0.0, mul(result, -float("inf"))))
        return mul(g, mul(result, math.log(input) if input > 0 else float("nan")))
    flat = logical_and(eq(input, 0), ge(exponent, 0))
    slope = mul(result, log(where(flat, add(mul(input, 0), 1), input)))
    return mul(g, where(flat, 0.0, slope))


def _of_bools(input, other):
    kinds = {getattr(value, "dtype", value.__class__) for value in (input, other)}
    return kinds <= {dtypes.BOOL, bool}


def _bool_power(input, other):
    """x to the power True or False is x or True; other powers of bools PyTorch has not."""
    if hasattr(other, "dtype"):
        refuse_bool(other, "pow")
    return of(input).copy(input) if other else of(input).full(input.shape, True, dtypes.BOOL)


def _reciprocal_power(input, other):
    """Integers to powers some of which are negative: there the result is 0, but for the bases 1 and -1."""
    space, negative = of(other), other < 0
    zero = space.zeros((), other.dtype)
    power = checked(space.pow, input, space.where(negative, zero, other))
    unit = space.where((input == 1) | (input == -1), space.pow(input, other & 1), zero)
    return space.where(negative, unit, power)


def _pow_name(shape, kept):
    """PyTorch numbers a power by its operands: 0 with a number as exponent, 1 of tensors, 2 of a number."""
    base, exponent = kept.get("input"), kept.get("exponent")
    return f"PowBackward{2 if is_number(base) else int(hasattr(exponent, 'dtype'))}"


@op(
    input=_pow_input, exponent=_pow_other, number="input exponent", dunder="pow", inplace=True, shown=_pow_name,
)  # fmt: skip
def pow(input, exponent):
    """input to the power of exponent, elementwise.

    Integers to negative integer powers raise ``RuntimeError``. Source: ``torch.pow``.

    >>> import minidl
    >>> minidl.tensor([1.0, 2.0, 3.0]) ** 2
    tensor([1., 4., 9.])
    """
    if is_number(exponent) and hasattr(input, "dtype") and dtypes.is_floating(input.dtype):
        if exponent == 2:
            return of(input).square(input)
        if exponent == 0.5:
            return of(input).sqrt(input)
    elif _of_bools(input, exponent):
        return _bool_power(input, exponent)
    elif exponent.__class__ is int and hasattr(input, "dtype") and not dtypes.is_floating(input.dtype):
        _check_exponent(input, exponent)
    input, exponent = promote(input, exponent)
    array = input if hasattr(input, "dtype") else exponent
    if not dtypes.is_floating(array.dtype) and _is_negative(exponent):
        return _reciprocal_power(input, exponent)
    return binary("pow", input, exponent)


def _check_exponent(input, other):
    """Raises ``RuntimeError`` for a number to which integers cannot be raised in their dtype."""
    if other < 0:
        raise RuntimeError(
            "Integers to negative integer powers are not allowed. Hint: make one of them floating point."
        )
    if input.dtype != dtypes.BOOL:
        fitting(input, other)


def _is_negative(other):
    return other < 0 if is_number(other) else other.dtype.kind == "i" and bool((other < 0).any())


def _hypotenuse_squared(input, other):
    return add(mul(input, input), mul(other, other))


@op(
    input=lambda g, input, other: mul(g, div(other, _hypotenuse_squared(input, other))),
    other=lambda g, input, other: neg(mul(g, div(input, _hypotenuse_squared(input, other)))),
    number="", inplace=True, aliases=("arctan2",),
)  # fmt: skip
def atan2(input, other):
    """The angle of the point (other, input) from the first axis, in radians, in (-pi, pi]. Source: ``torch.atan2``.

    >>> import minidl
    >>> minidl.atan2(minidl.tensor([1.0]), minidl.tensor([1.0]))
    tensor([0.7854])
    """
    input, other = promote(floating(input), floating(other))
    return binary("atan2", input, other)
