"""Scans by the CUDA kernels against NumPy and the reference: any strides and dtypes, NaN, nothing, in parts."""

import ml_dtypes
import numpy as np
import pytest

from minidl import backends

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-12}
floats = pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
SHAPES = [(5,), (3, 37), (37, 3), (2, 600), (2, 3, 7), (2, 0, 3), (0, 4)]


@pytest.fixture(params=["dense", "turned"])
def run(gpu, request):
    """Calls a function of the backend on NumPy arrays, dense or turned around; no part of it may fall through."""
    backend = backends.on(gpu)

    def to_device(value):
        if request.param == "dense":
            return backend.xp.asarray(value)
        spread = np.zeros([2 * n for n in value.shape[::-1]], value.dtype)
        spread[(slice(None, None, 2),) * value.ndim] = value.transpose()
        return backend.xp.asarray(spread)[(slice(None, None, 2),) * value.ndim].transpose()

    def call(name, input, dim):
        with backends.trace_fallbacks() as fallen:
            out = getattr(backend, name)(to_device(input), dim)
        assert not fallen
        return tuple(o.get() for o in out) if isinstance(out, tuple) else out.get()

    return call


def array(dtype, *shape):
    return (np.random.default_rng(sum(shape)).integers(-8, 9, shape) / 4).astype(dtype)


def agree(found, expected, dtype):
    assert found.dtype == dtype and found.shape == expected.shape
    limit = TOLERANCE[np.dtype(dtype).name]
    np.testing.assert_allclose(found.astype(float), expected, rtol=limit, atol=limit)


@floats
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_running_sums_and_products(shape, dtype, run):
    x = array(dtype, *shape)
    near = (x.astype(float) / 64 + 1).astype(dtype)
    for dim in range(len(shape)):
        agree(run("cumsum", x, dim), np.cumsum(x.astype(float), dim), dtype)
        agree(run("cumprod", near, dim), np.cumprod(near.astype(float), dim), dtype)
        agree(run("logcumsumexp", x, dim), np.logaddexp.accumulate(x.astype(float), dim), dtype)


@pytest.mark.parametrize(
    "dtype", [*FLOATS, np.int64, np.int32, np.uint8, bool], ids=lambda d: np.dtype(d).name
)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_running_extremes(shape, dtype, run):
    x = array(dtype, *shape) if dtype != np.uint8 else np.abs(array(np.int32, *shape)).astype(dtype)
    for name in ("cummax", "cummin"):
        for dim in range(len(shape)):
            for found, expected in zip(
                run(name, x, dim), getattr(backends.reference, name)(x, dim), strict=True
            ):
                assert found.dtype == expected.dtype
                np.testing.assert_array_equal(found, expected)


def test_integers_scan_exactly(run):
    x = np.array([[2**62, 2**62, 5], [-1, 7, 3]])
    np.testing.assert_array_equal(run("cumsum", x, 1), x.cumsum(1))
    np.testing.assert_array_equal(run("cumprod", x, 0), x.cumprod(0))


@floats
def test_a_nan_wins_from_where_it_comes(dtype, run):
    x = np.array([1, np.nan, 3, np.nan, np.inf], dtype)
    values, places = run("cummax", x, 0)
    assert values[0] == 1 and np.isnan(values[1:].astype(float)).all() and places.tolist() == [0, 1, 1, 3, 3]
    values, places = run("cummin", x, 0)
    assert values[0] == 1 and np.isnan(values[1:].astype(float)).all() and places.tolist() == [0, 1, 1, 3, 3]
    assert np.isnan(run("cumsum", x, 0).astype(float)).tolist() == [False, True, True, True, True]
    infinite = np.array([-np.inf, -np.inf, 0, np.inf, np.inf, np.nan], dtype)
    found = run("logcumsumexp", infinite, 0).astype(float)
    np.testing.assert_array_equal(found, [-np.inf, -np.inf, 0, np.inf, np.inf, np.nan])


@pytest.mark.parametrize("shape", [(20011,), (2, 9001), (9001, 2)], ids=str)
def test_long_rows_are_scanned_in_parts(shape, run):
    x = np.random.default_rng(2).standard_normal(shape)
    dim = int(np.argmax(shape))
    np.testing.assert_allclose(run("cumsum", x, dim), x.cumsum(dim), rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(run("cummax", x, dim)[0], np.maximum.accumulate(x, dim))
    rounded = np.round(x)
    expected = np.zeros(shape, int)
    running = np.maximum.accumulate(rounded, dim)
    grid = np.arange(shape[dim]).reshape([-1 if d == dim else 1 for d in range(len(shape))])
    expected = np.maximum.accumulate(np.where(rounded == running, grid, 0), dim)
    np.testing.assert_array_equal(run("cummax", rounded, dim)[1], expected)
