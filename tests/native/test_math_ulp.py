"""How far vectorised functions are from the true values, in units in the last place, over all numbers of a dtype."""

import math

import numpy as np
import pytest

_native = pytest.importorskip("minidl._native", exc_type=ImportError)


def one_by_one(function):
    return np.vectorize(function, otypes=[np.float64])


def logistic(x):
    return 1 / (1 + np.exp(-x))


# The true value in a wider dtype, and the bounds in float32 and float64.
FUNCTIONS = {
    "exp": (np.exp, 1.1, 1.1),
    "expm1": (np.expm1, 1.8, 2.0),
    "log": (np.log, 0.9, 0.9),
    "log1p": (np.log1p, 0.9, 0.9),
    "tanh": (np.tanh, 1.6, 2.7),
    "sigmoid": (logistic, 2.6, 2.6),
    "sin": (np.sin, 1.6, 1.6),
    "cos": (np.cos, 1.6, 1.6),
    "erf": (one_by_one(math.erf), 2.3, 2.0),
    "erfc": (one_by_one(math.erfc), 7.0, 7.0),
    "sqrt": (np.sqrt, 0.5, 0.5),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 1.5, 1.5),
}
SPECIAL = [
    0.0,
    math.inf,
    math.nan,
    1.0,
    1.5,
    0.625,
    math.pi,
    88.72,
    88.73,
    103.9,
    104.1,
    709.7,
    709.8,
    745.1,
    745.2,
]


def every_exponent(dtype, count):
    """Numbers whose bit patterns are spread evenly: each exponent and both signs alike, subnormals, infinities, NaN."""
    bits = np.dtype(f"u{np.dtype(dtype).itemsize}")
    width = 8 * bits.itemsize
    step = 2**width // count | 1
    patterns = (np.arange(count, dtype=np.uint64) * np.uint64(step)).astype(bits)
    moderate = np.random.default_rng(0).uniform(-30, 30, count // 2)
    special = np.array(
        [*SPECIAL, np.finfo(dtype).max, np.finfo(dtype).tiny, np.finfo(dtype).smallest_subnormal]
    )
    return np.concatenate(
        [patterns.view(dtype), moderate.astype(dtype), special.astype(dtype), -special.astype(dtype)]
    )


def units(found, wanted):
    """The largest error in units in the last place of the result; NaN, infinities and signs must be right."""
    rounded = wanted.astype(found.dtype)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    finite = np.isfinite(rounded) & np.isfinite(found)
    # an infinity in the place of the largest number, or the other way round, is one unit
    at_limit = ~finite & ~np.isnan(wanted)
    limit = np.finfo(found.dtype).max
    assert (np.clip(found[at_limit], -limit, limit) == np.clip(rounded[at_limit], -limit, limit)).all()
    assert (np.signbit(found[finite]) == np.signbit(wanted[finite])).all()
    error = np.abs(found[finite].astype(wanted.dtype) - wanted[finite])
    return float((error / np.spacing(np.abs(rounded[finite]))).max())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32(name):
    true, bound, _ = FUNCTIONS[name]
    x = every_exponent(np.float32, 20_000 if name == "erf" else 400_000)
    with np.errstate(all="ignore"):
        assert units(getattr(_native, name)(x), true(x.astype(np.float64))) <= bound


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="no dtype wider than float64")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64(name):
    true, _, bound = FUNCTIONS[name]
    x = every_exponent(np.float64, 20_000)
    if name in ("sin", "cos"):
        x = x[np.abs(x) < 1e15]  # the wider dtype's own reduction ends there
    with np.errstate(all="ignore"):
        assert units(getattr(_native, name)(x), true(x.astype(np.longdouble))) <= bound


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gamma_functions(dtype):
    """Above zero; near its zeros a unit of digamma is one of 1."""
    x = np.abs(every_exponent(dtype, 20_000))
    x = x[(x > np.finfo(dtype).tiny) & (x < 1e30)]
    true = np.array([math.lgamma(v) for v in x.tolist()])
    least = 0.0 if dtype is np.float32 else 1.0  # Python's own, in double, is no better near its zeros
    error = np.abs(_native.lgamma(x) - true) / np.spacing(np.maximum(np.abs(true), least).astype(dtype))
    assert not error.max() > (5 if dtype is np.float32 else 8) and not np.isnan(error).any()
    # digamma by its recurrence, from where its series is exact
    y = np.random.default_rng(0).uniform(-20, 20, 4000).astype(dtype)
    total, z = np.zeros(len(y), np.longdouble), y.astype(np.longdouble)
    while (z < 60).any():
        total, z = np.where(z < 60, total - 1 / z, total), np.where(z < 60, z + 1, z)
    w = 1 / (z * z)
    true = (
        total + np.log(z) - 1 / (2 * z) - w * (1 / np.longdouble(12) - w * (1 / np.longdouble(120) - w / 252))
    )
    error = np.abs(_native.digamma(y) - true) / np.maximum(np.abs(true), 1)
    assert not error.max() > 12 * np.finfo(dtype).eps and not np.isnan(error).any()


def test_powers_of_float32():
    x = every_exponent(np.float32, 3000)
    exponents = np.concatenate([x[1::8], np.arange(-20, 20, dtype=np.float32) / 2])
    x, y = (v.reshape(-1).copy() for v in np.meshgrid(x[::4], exponents))
    with np.errstate(all="ignore"):
        wanted = np.power(x.astype(np.float64), y.astype(np.float64))
        beyond = np.isfinite(wanted) & (np.abs(wanted) > 1e39)
        assert units(_native.pow(x, y), np.where(beyond, np.copysign(np.inf, wanted), wanted)) <= 0.51


def test_powers_at_borders():
    values = np.array(
        [0.0, 1.0, 2.0, 3.0, 0.5, 1.5, 2.0**24, 2.0**24 + 2, 3e38, math.inf, math.nan], np.float32
    )
    values = np.concatenate([values, -values])
    x, y = (v.reshape(-1).copy() for v in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        found = _native.pow(x, y)
        wanted = np.power(x.astype(np.float64), y.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(wanted[wanted == 0]))


def test_sines_of_large_numbers():
    """Near multiples of pi/2, and beyond what the reduction in vectors takes."""
    multiples = (np.arange(1, 60_000) * (math.pi / 2)).astype(np.float32)
    x = np.concatenate(
        [multiples, np.nextafter(multiples, np.float32(0)), np.float32(10.0) ** np.arange(5, 38)]
    )
    for name, bound in (("sin", 1.6), ("cos", 1.6)):
        assert units(getattr(_native, name)(x), getattr(np, name)(x.astype(np.float64))) <= bound
