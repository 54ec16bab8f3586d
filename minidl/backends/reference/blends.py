"""Elementwise functions of two operands beside arithmetic, and tests of single values."""


def copysign(xp, input, other):
    return xp.copysign(input, other)


def hypot(xp, input, other):
    return xp.hypot(input, other)


def fmax(xp, input, other):
    """The larger; NaN only where both are."""
    return xp.fmax(input, other)


def fmin(xp, input, other):
    """The smaller; NaN only where both are."""
    return xp.fmin(input, other)


def nextafter(xp, input, other):
    return xp.nextafter(input, other)


def heaviside(xp, input, values):
    """0 below zero, 1 above, ``values`` at zero; NaN counts as below."""
    step = xp.where(input > 0, xp.ones((), input.dtype), xp.zeros((), input.dtype))
    return xp.where(input == 0, values, step)


def gcd(xp, input, other):
    return xp.gcd(input, other)


def lcm(xp, input, other):
    """Non-negative."""
    return xp.absolute(xp.lcm(input, other))


def logaddexp2(xp, input, other):
    return xp.logaddexp2(input, other)


def signbit(xp, input):
    """Whether the sign is set: of -0.0 too."""
    return xp.signbit(input)


def nan_to_num(xp, input, nan, posinf, neginf):
    out = xp.where(xp.isnan(input), xp.full((), nan, input.dtype), input)
    out = xp.where(out == xp.inf, xp.full((), posinf, input.dtype), out)
    return xp.where(out == -xp.inf, xp.full((), neginf, input.dtype), out)


def frexp(xp, input):
    """Mantissas in (-1, -0.5] and [0.5, 1) and exponents (int32) with input = mantissa 2^exponent."""
    mantissa, exponent = xp.frexp(input)
    return mantissa, exponent.astype("int32")


def isin(xp, elements, test_elements):
    return xp.isin(elements, test_elements)


def bitwise_left_shift(xp, input, other):
    """Bits moved up; 0 where all have left."""
    bits = 8 * input.dtype.itemsize
    far = (other < 0) | (other >= bits)
    return xp.where(
        far, xp.zeros((), input.dtype), xp.left_shift(input, xp.where(far, 0, other).astype(input.dtype))
    )


def bitwise_right_shift(xp, input, other):
    """Bits moved down; the sign comes after them, 0 where there is none."""
    last = 8 * input.dtype.itemsize - (input.dtype.kind == "i")
    far = (other < 0) | (other > last)
    return xp.right_shift(input, xp.where(far, last, other).astype(input.dtype))
