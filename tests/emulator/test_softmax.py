"""Softmax by the CUDA kernels against NumPy in float64: any axis, strides and dtypes, NaN and infinities, long rows."""

import ml_dtypes
import numpy as np
import pytest

from minidl import backends

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-12}
floats = pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
SHAPES = [(5,), (1, 1), (3, 37), (3, 64), (70, 9), (2, 3, 12), (2, 700), (2, 0, 3), (0, 4)]


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

    def call(name, *args):
        args = [to_device(arg) if isinstance(arg, np.ndarray) else arg for arg in args]
        with backends.trace_fallbacks() as fallen:
            out = getattr(backend, name)(*args)
        assert not fallen
        return out.get()

    return call


def array(dtype, shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def agree(found, expected, dtype):
    assert found.dtype == dtype and found.shape == expected.shape
    limit = TOLERANCE[np.dtype(dtype).name]
    np.testing.assert_allclose(found.astype(float), expected, rtol=limit, atol=limit)


def check(run, dtype, shape, dim):
    x, g = array(dtype, shape), array(dtype, shape, 1)
    wide = x.astype(float)
    e = np.exp(wide - wide.max(axis=dim, keepdims=True)) if wide.size else wide
    y = e / e.sum(axis=dim, keepdims=True)
    agree(run("softmax", x, dim), y, dtype)
    agree(run("log_softmax", x, dim), np.log(y), dtype)
    y, logs = y.astype(dtype), np.log(y).astype(dtype)
    g64, y64 = g.astype(float), y.astype(float)
    agree(run("softmax_backward", g, y, dim), y64 * (g64 - (g64 * y64).sum(axis=dim, keepdims=True)), dtype)
    total = g64.sum(axis=dim, keepdims=True)
    agree(run("log_softmax_backward", g, logs, dim), g64 - np.exp(logs.astype(float)) * total, dtype)


@floats
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_softmax_and_its_gradient_along_every_axis(shape, dtype, run):
    for dim in range(len(shape)):
        check(run, dtype, shape, dim)


@pytest.mark.parametrize("shape", [(1, 16389), (1, 16400)], ids=str)
def test_rows_that_no_block_can_hold(shape, run):
    check(run, np.float32, shape, 1)


@floats
def test_rows_without_a_finite_largest_element_are_nan(dtype, run):
    inf, nan = np.inf, np.nan
    x = np.array([[0, nan, 1], [0, inf, 1], [-inf, -inf, -inf], [-inf, 0, 0], [inf, -inf, 0]], dtype)
    for function in ("softmax", "log_softmax"):
        found = run(function, x, 1).astype(float)
        assert np.isnan(found).all(axis=1).tolist() == [True, True, True, False, True]
        expected = [0, 0.5, 0.5] if function == "softmax" else [-inf, np.log(0.5), np.log(0.5)]
        np.testing.assert_allclose(found[3], expected, rtol=1e-2)
