"""Running extremes in the native backend: values and places of the reference."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

SHAPES = [(1,), (1000,), (9, 40), (40, 9), (3, 50, 140), (2, 65), (5, 1), (2, 0, 3), (0,)]


def draw(dtype, shape):
    """Numbers of which many are equal, zeros of both signs and numbers that are none among them."""
    rng = np.random.default_rng(3)
    x = rng.integers(-5, 6, shape).astype(dtype)
    flat = x.reshape(-1)
    if x.dtype.kind == "f":
        flat[7::11], flat[3::19], flat[50::97] = -0.0, np.inf, np.nan
    elif x.size > 1:
        flat[:2] = np.iinfo(dtype).min, np.iinfo(dtype).max
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_running_extremes(native, name, dtype):
    for shape in SHAPES:
        x = draw(dtype, shape)
        for dim in range(x.ndim):
            found = native.overrides[name](x, dim)
            assert found is not NotImplemented
            for ours, theirs in zip(found, getattr(backends.reference, name)(x, dim), strict=True):
                np.testing.assert_array_equal(ours, theirs, strict=True)
                np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


def test_the_same_on_any_number_of_threads(native):
    x = draw("float32", (300, 500))
    thread_counts.assert_no_difference(lambda: [*native.cummax(x, 0), *native.cummin(x, 1)])


def test_what_it_does_not_serve(native):
    for x in (np.ones(5, "float16"), np.ones(5, bool), np.ones((3, 4)).T):
        assert native.overrides["cummax"](x, 0) is NotImplemented


@pytest.mark.parametrize(
    "values, places",
    [(np.ones(4), np.ones(5, int)), (np.ones(5), np.ones(5)), (np.ones(5, "f4"), np.ones(5, int))],
)
def test_results_that_do_not_fit_are_errors(values, places):
    with pytest.raises(ValueError, match="scans"):
        _native.cummax(np.ones((1, 5, 1)), values, places)
    with pytest.raises(ValueError, match="scans"):
        _native.cummin(np.ones(5), np.ones(5), np.ones(5, int))
