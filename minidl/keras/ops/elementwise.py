"""Functions of one or two numbers, elementwise and by NumPy's rules of shapes."""

import minidl
from minidl.keras.engine.tensors import named_dtype
from minidl.keras.ops.operation import both, floating, operation, tensor


def _named(function, name, text):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    function.__module__ = __name__
    return operation(function)


def _smooth(name, compute, text):
    """A function of floating-point numbers: whole ones become floatx."""
    return _named(lambda x: compute(floating(x)), name, text)


def _unary(name, compute, text):
    return _named(lambda x: compute(tensor(x)), name, text)


def _rounding(name, compute, text):
    """Rounding: a whole number becomes floatx, as Keras has it."""
    return _named(lambda x: compute(floating(x)), name, text)


def _binary(name, compute, text):
    return _named(lambda x1, x2: compute(*both(x1, x2)), name, text)


def _ratio(name, compute, text):
    def body(x1, x2):
        a, b = both(x1, x2)
        if not (a.is_floating_point() or b.is_floating_point()):
            a, b = floating(a), floating(b)
        return compute(a, b)

    return _named(body, name, text)


arccos = _smooth("arccos", minidl.acos, "The angle whose cosine is x.")
arccosh = _smooth("arccosh", minidl.acosh, "The inverse of cosh.")
arcsin = _smooth("arcsin", minidl.asin, "The angle whose sine is x.")
arcsinh = _smooth("arcsinh", minidl.asinh, "The inverse of sinh.")
arctan = _smooth("arctan", minidl.atan, "The angle whose tangent is x.")
arctanh = _smooth("arctanh", minidl.atanh, "The inverse of tanh.")
cos = _smooth("cos", minidl.cos, "Cosine of x.")
cosh = _smooth("cosh", minidl.cosh, "(e^x + e^-x) / 2.")
sin = _smooth("sin", minidl.sin, "Sine of x.")
sinh = _smooth("sinh", minidl.sinh, "(e^x - e^-x) / 2.")
tan = _smooth("tan", minidl.tan, "Tangent of x.")
tanh = _smooth("tanh", minidl.tanh, "Hyperbolic tangent of x.")
exp = _smooth("exp", minidl.exp, "e^x.")
exp2 = _smooth("exp2", minidl.exp2, "2^x.")
expm1 = _smooth("expm1", minidl.expm1, "e^x - 1, precise near 0.")
log = _smooth("log", minidl.log, "Natural logarithm of x.")
log10 = _smooth("log10", minidl.log10, "Logarithm of x to base 10.")
log1p = _smooth("log1p", minidl.log1p, "log(1 + x), precise near 0.")
log2 = _smooth("log2", minidl.log2, "Logarithm of x to base 2.")
sqrt = _smooth("sqrt", minidl.sqrt, "Square root of x.")
rsqrt = _smooth("rsqrt", minidl.rsqrt, "1 / sqrt(x).")
cbrt = _smooth("cbrt", lambda x: x.sign() * x.abs() ** (1 / 3), "Cube root of x, with its sign.")
erf = _smooth("erf", minidl.erf, "The error function.")
erfc = _smooth("erfc", minidl.erfc, "1 - erf(x).")
erfinv = _smooth("erfinv", minidl.erfinv, "The inverse of erf.")
sinc = _smooth("sinc", minidl.sinc, "sin(pi x) / (pi x), 1 at 0.")
i0 = _smooth("i0", minidl.i0, "The modified Bessel function of order 0.")
deg2rad = _smooth("deg2rad", minidl.deg2rad, "Degrees as radians.")
rad2deg = _smooth("rad2deg", minidl.rad2deg, "Radians as degrees.")
reciprocal = _smooth("reciprocal", minidl.reciprocal, "1 / x.")
logit = _smooth("logit", minidl.logit, "log(x / (1 - x)).")
ceil = _rounding("ceil", minidl.ceil, "The least whole number from x up.")
floor = _rounding("floor", minidl.floor, "The largest whole number up to x.")
trunc = _rounding("trunc", minidl.trunc, "x without its fraction.")
fabs = _rounding("fabs", minidl.abs, "|x| as a floating-point number.")
abs = _unary("abs", minidl.abs, "|x|.")
absolute = _unary("absolute", minidl.abs, "|x|.")
negative = _unary("negative", minidl.neg, "-x.")
sign = _unary("sign", minidl.sign, "-1, 0 or 1, as x is.")
signbit = _unary("signbit", minidl.signbit, "Whether x is below 0, or is -0.0.")
square = _unary("square", lambda x: (x.int() if x.dtype.name == "bool" else x).square(), "x * x.")
conj = conjugate = _unary("conj", minidl.conj, "The conjugate of x: x itself, being real.")
real = _unary("real", minidl.real, "The real part of x.")
isfinite = _unary("isfinite", minidl.isfinite, "Whether x is neither infinite nor NaN.")
isinf = _unary("isinf", minidl.isinf, "Whether x is infinite.")
isnan = _unary("isnan", minidl.isnan, "Whether x is NaN.")
isneginf = _unary("isneginf", minidl.isneginf, "Whether x is -inf.")
isposinf = _unary("isposinf", minidl.isposinf, "Whether x is +inf.")
isreal = _unary("isreal", minidl.isreal, "Whether x is real.")
logical_not = _unary("logical_not", minidl.logical_not, "Whether x is 0 or False.")
bitwise_not = bitwise_invert = _unary("bitwise_not", minidl.bitwise_not, "Every bit of x turned.")

add = _binary("add", minidl.add, "x1 + x2.")
subtract = _binary("subtract", minidl.sub, "x1 - x2.")
multiply = _binary("multiply", minidl.mul, "x1 * x2.")
divide = true_divide = _ratio("divide", minidl.div, "x1 / x2.")
floor_divide = _binary("floor_divide", minidl.floor_divide, "floor(x1 / x2).")
mod = _binary("mod", minidl.remainder, "The rest of x1 / x2, of x2's sign.")
power = _binary("power", minidl.pow, "x1 to the power of x2.")
maximum = _binary("maximum", minidl.maximum, "The larger of the two.")
minimum = _binary("minimum", minidl.minimum, "The smaller of the two.")
fmax = _binary("fmax", minidl.fmax, "The larger of the two; a NaN gives way.")
fmin = _binary("fmin", minidl.fmin, "The smaller of the two; a NaN gives way.")
arctan2 = _ratio("arctan2", minidl.atan2, "The angle of the point (x2, x1).")
hypot = _ratio("hypot", minidl.hypot, "sqrt(x1^2 + x2^2).")
logaddexp = _ratio("logaddexp", minidl.logaddexp, "log(e^x1 + e^x2).")
logaddexp2 = _ratio("logaddexp2", minidl.logaddexp2, "log2(2^x1 + 2^x2).")
heaviside = _ratio("heaviside", minidl.heaviside, "0 below 0, x2 at 0, 1 above.")
nextafter = _ratio("nextafter", minidl.nextafter, "The next number from x1 towards x2.")
gcd = _binary("gcd", minidl.gcd, "The greatest common divisor.")
lcm = _binary("lcm", minidl.lcm, "The least common multiple.")
ldexp = _named(lambda x1, x2: minidl.ldexp(floating(x1), tensor(x2)), "ldexp", "x1 * 2^x2.")
equal = _binary("equal", minidl.eq, "x1 == x2.")
not_equal = _binary("not_equal", minidl.ne, "x1 != x2.")
greater = _binary("greater", minidl.gt, "x1 > x2.")
greater_equal = _binary("greater_equal", minidl.ge, "x1 >= x2.")
less = _binary("less", minidl.lt, "x1 < x2.")
less_equal = _binary("less_equal", minidl.le, "x1 <= x2.")
logical_and = _binary("logical_and", minidl.logical_and, "Whether both are true.")
logical_or = _binary("logical_or", minidl.logical_or, "Whether one of the two is true.")
logical_xor = _binary("logical_xor", minidl.logical_xor, "Whether exactly one of the two is true.")
bitwise_and = _binary("bitwise_and", minidl.bitwise_and, "The bits that both have.")
bitwise_or = _binary("bitwise_or", minidl.bitwise_or, "The bits that one of the two has.")
bitwise_xor = _binary("bitwise_xor", minidl.bitwise_xor, "The bits that exactly one of the two has.")
bitwise_left_shift = left_shift = _binary(
    "bitwise_left_shift", minidl.bitwise_left_shift, "x1 * 2^x2, in bits."
)
bitwise_right_shift = right_shift = _binary(
    "bitwise_right_shift", minidl.bitwise_right_shift, "x1 / 2^x2, in bits."
)


@operation
def divide_no_nan(x1, x2):
    """x1 / x2, and 0 where x2 is 0."""
    a, b = both(x1, x2)
    a, b = floating(a), floating(b)
    return minidl.where(b == 0, a.new_zeros(()), a / minidl.where(b == 0, b.new_ones(()), b))


@operation
def round(x, decimals=0):
    """x rounded to ``decimals`` places, halves to the even one."""
    x = tensor(x)
    return minidl.round(x, decimals=decimals) if x.is_floating_point() else x


@operation
def clip(x, x_min, x_max):
    """x held between ``x_min`` and ``x_max``; numbers or tensors."""
    x = tensor(x)
    x = x.int() if x.dtype.name == "bool" else x
    low, high = (v if v is None or isinstance(v, (int, float)) else tensor(v) for v in (x_min, x_max))
    if isinstance(low, (int, float)) or isinstance(high, (int, float)):
        numbers = [v for v in (low, high) if isinstance(v, (int, float))]
        x = floating(x) if any(isinstance(v, float) for v in numbers) else x
        x = minidl.clamp(x, *(v if isinstance(v, (int, float)) else None for v in (low, high)))
    x = x if low is None or isinstance(low, (int, float)) else minidl.maximum(x, low)
    return x if high is None or isinstance(high, (int, float)) else minidl.minimum(x, high)


@operation
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with numbers for NaN and the infinities."""
    return minidl.nan_to_num(tensor(x), nan, posinf, neginf)


@operation
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """|x1 - x2| <= atol + rtol * |x2|."""
    a, b = both(x1, x2)
    return minidl.isclose(floating(a), floating(b), rtol, atol, equal_nan)


@operation
def where(condition, x1=None, x2=None):
    """x1 where the condition is true, x2 elsewhere; without them, the places where it is true."""
    condition = tensor(condition).bool()
    if x1 is None and x2 is None:
        return minidl.nonzero(condition).transpose(0, 1).int()
    return minidl.where(condition, *both(x1, x2))


@operation
def cast(x, dtype):
    """x as another dtype."""
    return tensor(x).to(named_dtype(dtype))


@operation
def saturate_cast(x, dtype):
    """x as another dtype, held within what it can hold."""
    x, wanted = tensor(x), named_dtype(dtype)
    info = minidl.finfo(wanted) if wanted.is_floating_point else minidl.iinfo(wanted)
    return x.clamp(float(info.min) if x.is_floating_point() else info.min, info.max).to(wanted)


@operation
def stop_gradient(variable):
    """The values of a tensor, through which no gradient flows."""
    return tensor(variable).detach()


@operation
def copy(x):
    """A tensor of the same values."""
    return tensor(x).clone()


@operation
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all entries are close, as ``isclose`` has it."""
    a, b = both(x1, x2)
    return minidl.isclose(floating(a), floating(b), rtol, atol, equal_nan).all()


fmod = _binary("fmod", minidl.fmod, "The rest of x1 / x2, of x1's sign.")
imag = _unary("imag", minidl.zeros_like, "The imaginary part of x: 0, x being real.")


@operation
def angle(x):
    """0 for numbers that are not negative, pi for the others."""
    return minidl.angle(floating(x))
