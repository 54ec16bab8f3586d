"""Special functions, computed in float64 and given in the input's dtype.

Series and fractions are those of Abramowitz and Stegun, "Handbook of Mathematical Functions"; integrals over a period
and over the whole line are trapezoidal sums, which converge exponentially there.
"""

import functools
import math

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


@_in_float64
def erfinv(xp, input):
    """Inverse of erf, by Newton's method from the quantile of the normal distribution."""
    inside = xp.absolute(input) < 1
    size = xp.where(inside, xp.absolute(input), 0.0)
    out = -_ndtri_lower(xp, (1 - size) / 2) / math.sqrt(2)
    for _ in range(2):  # near 0, where 1 - |x| has lost digits
        small = xp.minimum(out, 2.0)
        step = (_erf_small(xp, small) - size) * xp.exp(small * small) * (math.sqrt(math.pi) / 2)
        out = xp.where(out < 2.0, out - step, out)
    out = xp.where(inside, xp.where(input < 0, -out, out), xp.where(input < 0, -xp.inf, xp.inf))
    return xp.where(xp.absolute(input) > 1, xp.nan, xp.where(xp.isnan(input) | (input == 0), input, out))


def _ndtri_lower(xp, p):
    """The quantile at p <= 1/2: Newton's method on the logarithm, from A&S 26.2.23."""
    safe = xp.clip(p, 1e-320, 0.5)
    t = xp.sqrt(-2 * xp.log(safe))
    out = -(
        t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    )
    for _ in range(4):
        scaled = _erfcx(xp, -out / math.sqrt(2)) / 2  # Phi(x) exp(x^2 / 2)
        slope = 1 / (scaled * math.sqrt(2 * math.pi))
        out = out - (xp.log(scaled) - out * out / 2 - xp.log(safe)) / slope
    return xp.where(p == 0, -xp.inf, out)


@_in_float64
def ndtri(xp, input):
    """The quantile of the normal distribution."""
    lower = input < 0.5
    out = _ndtri_lower(xp, xp.where(lower, input, 1 - input))
    out = xp.where(lower, out, -out)
    return xp.where((input < 0) | (input > 1) | xp.isnan(input), xp.nan, out)


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
    reflected = xp.log(math.pi / xp.absolute(_sin_pi(xp, x))) - right
    out = xp.where(x < 0.5, reflected, right)
    pole = (x <= 0) & (x == xp.floor(x)) | xp.isinf(x)
    return xp.where(xp.isnan(x), x, xp.where(pole, xp.inf, out))


def _sin_pi(xp, x):
    rest = x - 2 * xp.floor(x / 2)
    return xp.sin(math.pi * xp.where(rest > 1, 1 - rest, rest))


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
    right = _digamma_positive(xp, xp.where(input < 0.5, 1 - input, input))
    rest = input - xp.floor(input)
    out = xp.where(input < 0.5, right - math.pi / xp.tan(math.pi * rest), right)
    out = xp.where((input < 0) & (rest == 0), xp.nan, out)
    return xp.where(input == 0, xp.copysign(xp.inf, -input), xp.where(xp.isposinf(input), input, out))


def _zeta(xp, s, q):
    """Sum over k of (q + k)^-s, by Euler and Maclaurin."""
    total, shifted = xp.zeros_like(s + q), q + 0 * s
    lowest = float(xp.min(shifted)) if shifted.size else 0.0
    for _ in range(max(10, min(10 - math.floor(lowest), 100000)) if math.isfinite(lowest) else 10):
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
    scale = xp.exp(b * xp.log(y) - y - _lgamma(xp, b))
    series = y < b + 1
    below, above = xp.where(series, y, 1.0), xp.where(series, b + 2, y)
    steps = int(60 + 12 * math.sqrt(float(xp.max(b)))) if b.size else 0
    term = total = 1 / b
    for k in range(1, 4 * steps):
        term = term * below / (b + k)
        total = total + term
    fraction = above - b + 1 + 2 * steps
    for k in range(steps, 0, -1):
        fraction = above - b + (2 * k - 1) + k * (b - k) / (fraction + 0.0)
        fraction = xp.where(fraction == 0, 1e-300, fraction)
    p, q = scale * total, scale / fraction
    p, q = xp.where(series, p, 1 - q), xp.where(series, 1 - p, q)
    return tuple(_incomplete_edges(xp, a, x, good, out, at) for out, at in ((p, 0.0), (q, 1.0)))


def _incomplete_edges(xp, a, x, good, out, at_zero):
    """Values at the borders: ``at_zero`` for x = 0 (or a infinite), 1 - at_zero for a = 0 (or x infinite)."""
    edge = xp.where((x == 0) & (a > 0) | xp.isinf(a) & xp.isfinite(x) & (x >= 0), at_zero, xp.nan)
    other = (a == 0) & (x > 0) | xp.isinf(x) & (x > 0) & xp.isfinite(a) & (a >= 0)
    return xp.where(good, out, xp.where(other, 1 - at_zero, edge))
