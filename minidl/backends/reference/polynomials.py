"""Orthogonal polynomials by their recurrences, and Bessel functions by integrals and series; in float64.

Abramowitz and Stegun, "Handbook of Mathematical Functions", chapters 9, 10 and 22.
"""

import functools
import math

# P_{k+1} = (a_k x + b_k) P_k - c_k P_{k-1}: for each family P_1 from x, and a, b, c from k.
_THREE_TERM = {
    "chebyshev_polynomial_t": (lambda x: x, lambda k: (2, 0, 1)),
    "chebyshev_polynomial_u": (lambda x: 2 * x, lambda k: (2, 0, 1)),
    "chebyshev_polynomial_v": (lambda x: 2 * x - 1, lambda k: (2, 0, 1)),
    "chebyshev_polynomial_w": (lambda x: 2 * x + 1, lambda k: (2, 0, 1)),
    "hermite_polynomial_h": (lambda x: 2 * x, lambda k: (2, 0, 2 * k)),
    "hermite_polynomial_he": (lambda x: x, lambda k: (1, 0, k)),
    "laguerre_polynomial_l": (lambda x: 1 - x, lambda k: (-1 / (k + 1), (2 * k + 1) / (k + 1), k / (k + 1))),
    "legendre_polynomial_p": (lambda x: x, lambda k: ((2 * k + 1) / (k + 1), 0, k / (k + 1))),
}


def polynomial(xp, x, n, name):
    """The polynomial ``name`` of degree ``n`` (truncated; 0 for n < 0), both arrays that broadcast."""
    first, coefficients = _THREE_TERM[name]
    wide, degree = x.astype("float64"), xp.trunc(n.astype("float64"))
    before, now = xp.ones_like(wide), first(wide)
    top = int(xp.max(degree)) if degree.size else 0
    out = xp.where(degree == 0, before, xp.where(degree == 1, now, xp.zeros_like(wide)))
    for k in range(1, max(top, 1)):
        a, b, c = coefficients(k)
        before, now = now, (a * wide + b) * now - c * before
        out = xp.where(degree == k + 1, now, out)
    return out.astype(x.dtype)


_NODES = 256


def _in_float64(function):
    @functools.wraps(function)
    def call(xp, input):
        wide = input.astype("float64")
        out = function(xp, wide.reshape(-1)).reshape(input.shape)
        return xp.where(xp.isnan(wide), wide, out).astype(input.dtype)

    return call


_TINY = 1e-3  # below, the first terms of power series are exact to rounding; the recurrence would overflow


def _j_sums(xp, x, *weights):
    """For each of ``weights``, from n: the sum over n of weights(n) J_n(x), for _TINY <= x <= 50.

    The recurrence J_{n-1} = 2n / x J_n - J_{n+1} downwards from an order where J vanishes, which gives all orders but
    for a factor, and that from J_0 + 2 J_2 + 2 J_4 + ... = 1.
    Source: J. Miller, "Bessel Functions, Part II", British Association Mathematical Tables 10, 1952.
    """
    above, now, step = xp.zeros_like(x), xp.full_like(x, 1e-300), 2 / x
    norm, sums = xp.zeros_like(x), [xp.zeros_like(x) for _ in weights]
    for n in range(100, -1, -1):
        if n % 2 == 0:
            norm += now * (2 if n else 1)
        for total, weight in zip(sums, weights, strict=True):
            if weight(n):
                total += now * weight(n)
        above, now = now, n * step * now - above
    return [total / norm for total in sums]


def _j_near(xp, x, order):
    """J_order(x) for 0 <= x <= 50."""
    (out,) = _j_sums(xp, xp.maximum(x, _TINY), lambda n: n == order)
    square = x * x / 4
    tiny = x / 2 * (1 - square / 2 + square * square / 12) if order else 1 - square + square * square / 4
    return xp.where(x < _TINY, tiny, out)


def _hankel(xp, x, order):
    """The modulus and phase series P and Q of Hankel's expansion, for large x."""
    p, q, term = xp.ones_like(x), xp.zeros_like(x), xp.ones_like(x)
    for k in range(1, 16):
        term = term * (4 * order * order - (2 * k - 1) ** 2) / (8 * k * x)
        if k % 2:
            q = q + (-1) ** (k // 2) * term
        else:
            p = p + (-1) ** (k // 2) * term
    return p, q


def _large(xp, x, order, cosine, sine):
    p, q = _hankel(xp, x, order)
    angle = x - (order / 2 + 0.25) * math.pi
    return xp.sqrt(2 / (math.pi * x)) * (p * cosine(angle) + q * sine(angle))


def _j(xp, x, order):
    size = xp.absolute(x)
    far = xp.maximum(size, 50.0)
    large = _large(xp, far, order, xp.cos, lambda a: -xp.sin(a))
    out = xp.where(size < 50, _j_near(xp, xp.minimum(size, 50.0), order), large)
    out = xp.where(xp.isinf(size), 0.0, out)
    return xp.where(x < 0, -out, out) if order else out


@_in_float64
def bessel_j0(xp, input):
    return _j(xp, input, 0)


@_in_float64
def bessel_j1(xp, input):
    return _j(xp, input, 1)


def _y(xp, x, order):
    """Neumann's series in J for x < 50 (A&S 9.1.89, and its derivative), Hankel's expansion above."""
    small = 2 / math.pi * _y_near(xp, xp.clip(x, 5e-324, 50.0), order)
    far = xp.maximum(x, 50.0)
    large = _large(xp, far, order, xp.sin, xp.cos)
    out = xp.where(x < 50, small, large)
    return xp.where(x == 0, -xp.inf, xp.where(x < 0, xp.nan, xp.where(xp.isinf(x), 0.0, out)))


def _y_near(xp, x, order):
    """pi / 2 times Y_order(x) for 0 < x <= 50."""
    safe, square = xp.maximum(x, _TINY), x * x / 4
    logs, logs_of_tiny = (xp.log(v) - math.log(2) + 0.57721566490153286 for v in (safe, x))
    if order == 0:
        j, total = _j_sums(xp, safe, lambda n: n == 0, _neumann)
        tiny = logs_of_tiny * (1 - square + square * square / 4) + square - 3 / 8 * square * square
        return xp.where(x < _TINY, tiny, logs * j - 2 * total)
    zeroth, j, total = _j_sums(
        xp, safe, lambda n: n == 0, lambda n: n == 1, lambda n: n and _neumann(n + 1) - _neumann(n - 1)
    )
    tiny = (logs_of_tiny * (1 - square / 2) - 0.5 + 5 / 8 * square) * x / 2 - 0.5 / (x / 2)
    return xp.where(x < _TINY, tiny, logs * j - zeroth / safe + total)


def _neumann(n):
    """(-1)^k / k for n = 2k, 0 for odd n and 0."""
    return 0.0 if n % 2 or not n else (-1) ** (n // 2) * 2 / n


@_in_float64
def bessel_y0(xp, input):
    return _y(xp, input, 0)


@_in_float64
def bessel_y1(xp, input):
    return _y(xp, input, 1)


def _k_scaled(xp, x, order):
    """exp(x) K_order(x) = the integral over t > 0 of exp(-x (cosh t - 1)) cosh(order t), by the trapezoidal rule."""
    safe = xp.clip(x, 1e-300, xp.inf)
    end = xp.arccosh(1 + 750.0 / safe) + order
    end = xp.where(xp.isfinite(end), end, 0.0)[:, None]
    t = end * (xp.arange(2 * _NODES + 1) / (2 * _NODES))
    values = xp.exp(-safe[:, None] * 2 * xp.sinh(t / 2) ** 2) * (xp.cosh(order * t) if order else 1.0)
    values[:, 0] = values[:, 0] / 2
    out = xp.sum(values, axis=1) * end[:, 0] / (2 * _NODES)
    return xp.where(x == 0, xp.inf, xp.where(x < 0, xp.nan, out))


def _k(order, scaled):
    def function(xp, input):
        out = _k_scaled(xp, input, order)
        return out if scaled else out * xp.exp(-input)

    return function


def _named(name, function):
    function.__name__, function.__module__ = name, __name__
    return _in_float64(function)


modified_bessel_k0 = _named("modified_bessel_k0", _k(0, False))
modified_bessel_k1 = _named("modified_bessel_k1", _k(1, False))
scaled_modified_bessel_k0 = _named("scaled_modified_bessel_k0", _k(0, True))
scaled_modified_bessel_k1 = _named("scaled_modified_bessel_k1", _k(1, True))


@_in_float64
def spherical_bessel_j0(xp, input):
    small = xp.absolute(input) < 0.5
    near = input * input
    series = 1 - near / 6 * (1 - near / 20 * (1 - near / 42 * (1 - near / 72 * (1 - near / 110))))
    out = xp.where(small, series, xp.sin(input) / xp.where(small, 1.0, input))
    return xp.where(xp.isinf(input), 0.0, out)


def _airy_right(xp, x):
    """Ai(x) = sqrt(x / 3) / pi K_{1/3}(z), z = 2/3 x^(3/2) (A&S 10.4.14), for x >= 2: exp(z) K_{1/3}(z) is the integral
    over t > 0 of exp(-2 z sinh(t/2)^2) cosh(t/3).
    """
    z = 2 / 3 * x**1.5
    step = xp.arccosh(1 + 45.0 / z) / 28
    total = 0.5 + 0 * z
    for k in range(1, 29):
        half = step * (k / 2)
        total += xp.exp(-2 * z * xp.sinh(half) ** 2) * xp.cosh(2 / 3 * half)
    return xp.sqrt(x / 3) / math.pi * total * step * xp.exp(-z)


def _airy_middle(xp, x):
    """The power series (A&S 10.4.2)."""
    cube, even, odd = x**3, xp.ones_like(x), x
    first, second = even, odd
    for k in range(1, 60):
        even = even * cube / ((3 * k - 1) * (3 * k))
        odd = odd * cube / ((3 * k) * (3 * k + 1))
        first, second = first + even, second + odd
    return 0.355028053887817239 * first - 0.258819403792806798 * second


def _airy_left(xp, x):
    """The expansion for large -x (A&S 10.4.60)."""
    size = -x
    zeta = 2 / 3 * size**1.5
    cosines, sines, term = xp.zeros_like(x), xp.zeros_like(x), xp.ones_like(x)
    for k in range(20):
        if k % 2:
            sines = sines + (-1) ** (k // 2) * term
        else:
            cosines = cosines + (-1) ** (k // 2) * term
        term = term * (6 * k + 1) * (6 * k + 3) * (6 * k + 5) / (216 * (k + 1) * (2 * k + 1)) / zeta
    angle = zeta + math.pi / 4
    return (cosines * xp.sin(angle) - sines * xp.cos(angle)) / (math.sqrt(math.pi) * size**0.25)


@_in_float64
def airy_ai(xp, input):
    out = xp.where(
        input < -7, _airy_left(xp, xp.minimum(input, -7.0)), _airy_middle(xp, xp.clip(input, -7.0, 2.0))
    )
    return xp.where(input > 2, _airy_right(xp, xp.clip(input, 2.0, 700.0)), out)
