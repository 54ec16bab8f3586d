"""Pooling by the CUDA kernels against the definition in float64: any geometry, one to three dimensions, all formats."""

import hypothesis.strategies as st
import ml_dtypes
import naive_windows
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from minidl import backends
from minidl.testing import pool_geometries

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-12}
dtypes = pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
BINS = [
    ((7,), (3,)),
    ((5, 6), (2, 4)),
    ((3, 4), (5, 1)),
    ((5, 4, 3), (2, 2, 3)),
    ((12, 13), (1, 1)),
    ((2, 3), (0, 2)),
]
bins = pytest.mark.parametrize("size, out", BINS, ids=str)


@pytest.fixture(params=["contiguous", "channels_last", "spread"])
def run(gpu, request):
    """Calls a function of the backend on NumPy arrays laid out in some way; no part of it may fall through."""
    backend = backends.on(gpu)

    def to_device(value):
        if not isinstance(value, np.ndarray):
            return value
        if request.param == "channels_last":
            return backend.xp.moveaxis(
                backend.xp.asarray(np.ascontiguousarray(np.moveaxis(value, 1, -1))), -1, 1
            )
        if request.param == "contiguous":
            return backend.xp.asarray(value)
        spread = np.zeros([2 * n + 1 for n in value.shape], value.dtype)
        inside = (slice(1, None, 2),) * value.ndim
        spread[inside] = value
        return backend.xp.asarray(spread)[inside]

    def call(name, *args):
        with backends.trace_fallbacks() as fallen:
            out = getattr(backend, name)(*map(to_device, args))
        assert not fallen
        arrays = out if isinstance(out, tuple) else (out,)
        told = all(a.size and min(a.shape[1:]) > 1 for a in (*args, *arrays) if hasattr(a, "ndim"))
        if request.param == "channels_last" and told:  # else the strides do not tell the format
            assert all(array.strides[1] == array.itemsize for array in arrays)
        return tuple(array.get() for array in arrays) if isinstance(out, tuple) else out.get()

    return call


def array(dtype, shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def agree(found, expected, dtype):
    assert found.dtype == dtype and found.shape == expected.shape
    limit = TOLERANCE[np.dtype(dtype).name]
    np.testing.assert_allclose(found.astype(float), expected, rtol=limit, atol=limit)


def geometries(**kwargs):
    return st.integers(1, 3).flatmap(lambda dims: pool_geometries(dims=dims, **kwargs))


# The fixture gives functions, which one example leaves as it found them.
several = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dtypes
@several
@given(geometry=geometries(), seed=st.integers(0, 99))
def test_maxima_their_gradient_and_its_adjoint(geometry, seed, dtype, run):
    window = geometry.kernel_size, geometry.stride, geometry.padding, geometry.dilation
    input = array(dtype, geometry.input_shape, seed)
    input.reshape(-1)[:1] = np.nan
    input.reshape(-1)[1:2] = -np.inf
    expected, expected_offsets = backends.reference.max_pool(input.astype(float), *window, geometry.ceil_mode)
    found, offsets = run("max_pool", input, *window, geometry.ceil_mode)
    np.testing.assert_array_equal(found.astype(float), expected)
    np.testing.assert_array_equal(offsets, expected_offsets)
    assert found.dtype == dtype and offsets.dtype == expected_offsets.dtype
    g = array(dtype, expected.shape, seed + 1)
    grad = backends.reference.max_pool_grad(g.astype(float), offsets, input.shape, *window)
    agree(run("max_pool_grad", g, offsets, input.shape, *window), grad, dtype)
    picked = backends.reference.max_pool_gather(input, offsets, *window)
    agree(run("max_pool_gather", input, offsets, *window), picked.astype(float), dtype)
    indices = backends.reference.max_pool_indices(offsets, input.shape, *window)
    np.testing.assert_array_equal(run("max_pool_indices", offsets, input.shape, *window), indices)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_windows_of_more_than_256_taps(dtype, run):
    window = (17, 17), (1, 1), (0, 0), (1, 1)
    input = array(dtype, (1, 2, 20, 19))
    found, offsets = run("max_pool", input, *window, False)
    agree(found, naive_windows.pool_max(input.astype(float), *window), dtype)
    assert offsets.dtype == np.int32
    g = array(dtype, found.shape, 1)
    grad = backends.reference.max_pool_grad(g.astype(float), offsets, input.shape, *window)
    agree(run("max_pool_grad", g, offsets, input.shape, *window), grad, dtype)


@dtypes
@several
@given(
    geometry=geometries(dilated=False),
    pad=st.booleans(),
    divisor=st.sampled_from([None, 5, -2]),
    seed=st.integers(0, 99),
)
def test_means_and_their_gradient(geometry, pad, divisor, seed, dtype, run):
    window = geometry.kernel_size, geometry.stride, geometry.padding
    input = array(dtype, geometry.input_shape, seed)
    expected = backends.reference.avg_pool(input.astype(float), *window, geometry.ceil_mode, pad, divisor)
    agree(run("avg_pool", input, *window, geometry.ceil_mode, pad, divisor), expected, dtype)
    g = array(dtype, expected.shape, seed + 1)
    grad = backends.reference.avg_pool_grad(g.astype(float), input.shape, *window, pad, divisor)
    agree(run("avg_pool_grad", g, input.shape, *window, pad, divisor), grad, dtype)


@dtypes
@bins
def test_means_of_bins_and_their_gradient(size, out, dtype, run):
    input = array(dtype, (2, 3, *size))
    expected = naive_windows.pool_adaptive_mean(input.astype(float), out)
    agree(run("adaptive_avg_pool", input, out), expected, dtype)
    g = array(dtype, expected.shape, 1)
    grad = backends.reference.adaptive_avg_pool_grad(g.astype(float), input.shape)
    agree(run("adaptive_avg_pool_grad", g, input.shape), grad, dtype)


@dtypes
@bins
def test_maxima_of_bins(size, out, dtype, run):
    input = array(dtype, (2, 3, *size))
    input.reshape(-1)[-2:] = np.nan
    expected, where = backends.reference.adaptive_max_pool(input.astype(float), out)
    found, indices = run("adaptive_max_pool", input, out)
    np.testing.assert_array_equal(found.astype(float), expected)
    np.testing.assert_array_equal(indices, where)
    assert found.dtype == dtype and indices.dtype == np.int64


def test_no_images(run):
    empty = np.zeros((0, 3, 4, 4), np.float32)
    assert run("max_pool", empty, (2, 2), (2, 2), (0, 0), (1, 1), False)[0].shape == (0, 3, 2, 2)
    assert run("avg_pool", empty, (2, 2), (2, 2), (0, 0), False, True, None).shape == (0, 3, 2, 2)
    assert run("adaptive_avg_pool_grad", np.zeros((0, 3, 1, 1), np.float32), (0, 3, 4, 4)).shape == (
        0,
        3,
        4,
        4,
    )
