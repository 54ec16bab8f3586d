"""Special functions, computed in float64 and given in the input's dtype.

Series and fractions are those of Abramowitz and Stegun, "Handbook of Mathematical Functions"; integrals over a period
and over the whole line are trapezoidal sums, which converge exponentially there.
"""

import functools
import math

import numpy as np

_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
_BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
)


def _in_float64(function):
    """``function`` of float64 arrays; its result takes the dtype of the first array."""

    @functools.wraps(function)
    def call(xp, input, *args):
        wide = [a.astype("float64") if hasattr(a, "astype") else a for a in (input, *args)]
        return function(xp, *wide).astype(input.dtype)

    return call


def _erfcx_positive(xp, x):
    """exp(x^2) erfc(x) for x >= 2.5, by the continued fraction."""
    fraction = x
    for n in range(80, 0, -1):
        fraction = x + (n / 2) / fraction
    return 1 / (fraction * math.sqrt(math.pi))


def _erf_small(xp, x):
    """erf(x) for |x| <= 2.5, by its series."""
    term = total = x
    for n in range(1, 60):
        term = term * (-(x * x) / n)
        total = total + term / (2 * n + 1)
    return total * (2 / math.sqrt(math.pi))


def _erfc(xp, x):
    size = xp.absolute(x)
    large = xp.maximum(size, 2.5)
    tail = xp.exp(-large * large) * _erfcx_positive(xp, large)
    out = xp.where(size < 2.5, 1 - _erf_small(xp, xp.clip(x, -2.5, 2.5)), xp.where(x > 0, tail, 2 - tail))
    return xp.where(xp.isnan(x), x, out)


@_in_float64
def erfc(xp, input):
    """1 - erf(x), accurate in the tail."""
    return _erfc(xp, input)


def _erfcx(xp, x):
    large = xp.maximum(x, 2.5)
    near = xp.exp(xp.minimum(x, 2.5) ** 2) * _erfc(xp, xp.minimum(x, 2.5))
    out = xp.where(x < 2.5, near, _erfcx_positive(xp, large))
    return xp.where(xp.isnan(x), x, out)


@_in_float64
def erfcx(xp, input):
    """exp(x^2) erfc(x)."""
    return _erfcx(xp, input)


# Quantiles of the normal distribution by three rational functions: of q^2 in the middle, of the root of -log p beside
# it and far out; coefficients from the highest power down.
# Source: M. Wichura, "Algorithm AS 241", Applied Statistics 37, 1988.
_MIDDLE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
_BESIDE = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip
_FAR = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)  # fmt: skip
_PIECE = 1 << 15  # elements that stay in a CPU's cache through all steps


def _ratio(polynomials, x):
    values = []
    for coefficients in polynomials:
        total = coefficients[0] * x + coefficients[1]
        for coefficient in coefficients[2:]:
            total *= x
            total += coefficient
        values.append(total)
    return values[0] / values[1]


def _quantile(xp, q, least):
    """The quantile of the normal distribution at 1/2 + q, where ``least`` is the smaller of 1/2 + q and 1/2 - q."""
    out = q * _ratio(_MIDDLE, 0.180625 - q * q)
    outside = xp.absolute(q) > 0.425
    far = xp.nonzero(outside)
    if far[0].size:
        tail, root = least[far], xp.sqrt(-xp.log(least[far]))
        size = xp.where(root <= 5, _ratio(_BESIDE, root - 1.6), _ratio(_FAR, xp.minimum(root, 30.0) - 5))
        out[far] = xp.copysign(xp.where(tail == 0, xp.inf, xp.where(tail < 0, xp.nan, size)), q[far])
    return out


def _in_pieces(xp, function, x):
    """``function`` of an array of any size: on a CPU, a piece at a time."""
    x = x.reshape(-1)
    if xp is not np or x.size <= _PIECE:
        return function(x)
    return xp.concatenate([function(x[i : i + _PIECE]) for i in range(0, x.size, _PIECE)])


@_in_float64
def erfinv(xp, input):
    """Inverse of erf: the quantile of the normal distribution at (1 + x) / 2, over the root of 2."""

    def piece(x):
        return _quantile(xp, x / 2, (1 - xp.absolute(x)) / 2) / math.sqrt(2)

    return _in_pieces(xp, piece, input).reshape(input.shape)


@_in_float64
def ndtri(xp, input):
    """The quantile of the normal distribution."""

    def piece(p):
        return _quantile(xp, p - 0.5, xp.minimum(p, 1 - p))

    return _in_pieces(xp, piece, input).reshape(input.shape)


@_in_float64
def log_ndtr(xp, input):
    """log of the normal distribution's integral up to x."""
    left = xp.minimum(input, -1.0)
    tail = xp.log(_erfcx(xp, -left / math.sqrt(2)) / 2) - left * left / 2
    return xp.where(input < -1, tail, xp.log1p(-_erfc(xp, xp.maximum(input, -1.0) / math.sqrt(2)) / 2))


def _lgamma_positive(xp, x):
    """log Gamma for x >= 0.5: Stirling's series, above 10."""
    product, shifted = xp.ones_like(x), x
    for _ in range(10):
        low = shifted < 10
        product = xp.where(low, product * shifted, product)
        shifted = xp.where(low, shifted + 1, shifted)
    inverse = 1 / shifted
    series = sum(c * inverse ** (2 * k + 1) for k, c in enumerate(_STIRLING))
    return (
        (shifted - 0.5) * xp.log(shifted) - shifted + 0.5 * math.log(2 * math.pi) + series - xp.log(product)
    )


def _lgamma(xp, x):
    right = _lgamma_positive(xp, xp.where(x < 0.5, 1 - x, x))
    reflected = xp.log(math.pi / _size_of_sine(xp, x)) - right
    out = xp.where(x < 0.5, reflected, right)
    pole = (x <= 0) & (x == xp.floor(x)) | xp.isinf(x)
    return xp.where(xp.isnan(x), x, xp.where(pole, xp.inf, out))


def _size_of_sine(xp, x):
    """|sin(pi x)|"""
    return xp.sin(math.pi * xp.absolute(x - xp.round(x)))


@_in_float64
def lgamma(xp, input):
    """log |Gamma(x)|, exactly 0 at 1 and 2."""
    return xp.where((input == 1) | (input == 2), 0.0, _lgamma(xp, input))


def _digamma_positive(xp, x):
    total, shifted = xp.zeros_like(x), x
    for _ in range(10):
        low = shifted < 10
        total = xp.where(low, total - 1 / shifted, total)
        shifted = xp.where(low, shifted + 1, shifted)
    inverse = 1 / (shifted * shifted)
    series = sum(b / (2 * k + 2) * inverse ** (k + 1) for k, b in enumerate(_BERNOULLI[:8]))
    return total + xp.log(shifted) - 0.5 / shifted - series


@_in_float64
def digamma(xp, input):
    """The derivative of log Gamma. Infinite at 0, NaN at the poles below."""
    right = _digamma_positive(xp, xp.where(input < 0, 1 - input, input))
    rest = input - xp.round(input)
    out = xp.where(input < 0, right - math.pi / xp.tan(math.pi * rest), right)
    out = xp.where((input < 0) & (rest == 0), xp.nan, out)
    return xp.where(input == 0, xp.copysign(xp.inf, -input), xp.where(xp.isposinf(input), input, out))


def _zeta(xp, s, q):
    """Sum over k of (q + k)^-s, where s is whole or q above 0: what is below 0 is a sum from 1 - f less one from 1 - q,
    where f is q's fraction, both with the sign (-1)^s.
    """
    below = q < 0
    fraction = q - xp.floor(q)
    out = _zeta_above(xp, s, xp.where(below, fraction, q))
    if not xp.any(below):
        return out
    sizes = _zeta_above(xp, s, 1 - fraction) - _zeta_above(xp, s, xp.where(below, 1 - q, 2.0))
    return xp.where(below, out + xp.where(s % 2 == 0, sizes, -sizes), out)


def _zeta_above(xp, s, q):
    """Sum over k of (q + k)^-s for q > 0, by Euler and Maclaurin."""
    total, shifted = xp.zeros_like(s + q), q + 0 * s
    for _ in range(10):
        low = shifted < 10
        total = xp.where(low, total + shifted**-s, total)
        shifted = xp.where(low, shifted + 1, shifted)
    out = total + shifted ** (1 - s) / (s - 1) + 0.5 * shifted**-s
    factor, power = s, shifted ** (-s - 1)
    for k, b in enumerate(_BERNOULLI):
        out = out + b / math.factorial(2 * k + 2) * factor * power
        factor = factor * (s + 2 * k + 1) * (s + 2 * k + 2)
        power = power / (shifted * shifted)
    return out


@_in_float64
def zeta(xp, input, other):
    """The zeta function of Hurwitz."""
    out = _zeta(xp, input, xp.where(xp.isfinite(other), other, 1.0))
    whole = other == xp.floor(other)
    out = xp.where(other <= 0, xp.where(whole, xp.inf, xp.where(input == xp.floor(input), out, xp.nan)), out)
    return xp.where(input < 1, xp.nan, xp.where(input == 1, xp.inf, out))


@_in_float64
def polygamma(xp, input, n):
    """The n-th derivative of digamma, n >= 1."""
    out = _zeta(xp, xp.full((), float(n + 1)), input)
    out = xp.where((input <= 0) & (input == xp.floor(input)), xp.inf, out)
    return (-1.0) ** (n + 1) * math.gamma(n + 1) * out


def _bessel_i(xp, x, order):
    """exp(-|x|) I_order(x), order 0 or 1: the series below 30, Hankel's expansion above."""
    size = xp.absolute(x)
    small = xp.minimum(size, 30.0)
    term = total = (small / 2) ** order
    for k in range(1, 90):
        term = term * (small * small / 4) / (k * (k + order))
        total = total + term
    large = xp.maximum(size, 30.0)
    coefficient = series = xp.ones_like(size)
    for k in range(1, 25):
        coefficient = coefficient * ((2 * k - 1) ** 2 - 4 * order * order) / (8 * k * large)
        series = series + coefficient
    out = xp.where(size < 30, total * xp.exp(-small), series / xp.sqrt(2 * math.pi * large))
    return xp.where(x < 0, -out, out) if order else out


def _bessel(name, order, scaled):
    @_in_float64
    def function(xp, input):
        out = _bessel_i(xp, input, order)
        return out if scaled else out * xp.exp(xp.absolute(input))

    function.__name__ = name
    return function


i0, i0e, i1, i1e = (_bessel(name, int(name[1]), name.endswith("e")) for name in ("i0", "i0e", "i1", "i1e"))
for _made in (i0, i0e, i1, i1e):
    _made.__module__ = __name__


@_in_float64
def igamma(xp, input, other):
    """P(a, x), the regularised lower incomplete gamma function."""
    return _incomplete(xp, input, other)[0]


@_in_float64
def igammac(xp, input, other):
    """Q(a, x) = 1 - P(a, x)."""
    return _incomplete(xp, input, other)[1]


def _incomplete(xp, a, x):
    """P and Q: the series of P where x < a + 1, the continued fraction of Q elsewhere."""
    good = (a > 0) & (x > 0) & xp.isfinite(a) & xp.isfinite(x)
    b, y = xp.where(good, a, 1.0), xp.where(good, x, 1.0)
    shape, b, y = b.shape, b.reshape(-1), y.reshape(-1)
    scale = xp.exp(b * xp.log(y) - y - _lgamma(xp, b))
    series = y < b + 1
    p, q = xp.zeros_like(b), xp.zeros_like(b)
    for low, high in (
        (0, 64),
        (64, 4096),
        (4096, math.inf),
    ):  # how many terms are needed grows with the root of b
        some = (b > low) & (b <= high)
        near, far = xp.nonzero(some & series), xp.nonzero(some & ~series)
        p[near] = scale[near] * _gamma_series(xp, b[near], y[near])
        q[far] = scale[far] / _gamma_fraction(xp, b[far], y[far])
    p, q = (v.reshape(shape) for v in (xp.where(series, p, 1 - q), xp.where(series, 1 - p, q)))
    return tuple(_incomplete_edges(xp, a, x, good, out, at) for out, at in ((p, 0.0), (q, 1.0)))


def _gamma_series(xp, b, y):
    """Sum over k of y^k / (b (b + 1) ... (b + k)), for y < b + 1; ends where no term is seen any more."""
    steps = int(240 + 48 * math.sqrt(float(xp.max(b)))) if b.size else 0
    term = total = 1 / b
    for k in range(1, steps):
        term = term * y / (b + k)
        total = total + term
        if k % 16 == 0 and not xp.any(term > 1e-17 * total):
            break
    return total


def _gamma_fraction(xp, b, y):
    """y + 1 - b - 1 (1 - b) / (y + 3 - b - 2 (2 - b) / ...), for y >= b + 1."""
    steps = int(60 + 12 * math.sqrt(float(xp.max(b)))) if b.size else 0
    fraction = y - b + 1 + 2 * steps
    for k in range(steps, 0, -1):
        fraction = y - b + (2 * k - 1) + k * (b - k) / fraction
        fraction = xp.where(fraction == 0, 1e-300, fraction)
    return fraction


def _incomplete_edges(xp, a, x, good, out, at_zero):
    """Values at the borders: ``at_zero`` for x = 0 (or a infinite), 1 - at_zero for a = 0 (or x infinite)."""
    edge = xp.where((x == 0) & (a > 0) | xp.isinf(a) & xp.isfinite(x) & (x >= 0), at_zero, xp.nan)
    other = (a == 0) & (x > 0) | xp.isinf(x) & (x > 0) & xp.isfinite(a) & (a >= 0)
    return xp.where(good, out, xp.where(other, 1 - at_zero, edge))
