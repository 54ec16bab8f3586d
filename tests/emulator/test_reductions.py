"""Reductions by the CUDA kernels against NumPy: any axes, strides and dtypes, NaN, nothing, in parts."""

import ml_dtypes
import numpy as np
import pytest

from minidl import backends

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-12}
floats = pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
AXES = [(), (0,), (1,), (2,), (0, 2), (0, 1, 2)]


@pytest.fixture
def run(gpu):
    """Calls a function of the backend on NumPy arrays as they lie; no part of it may fall through."""
    backend = backends.on(gpu)

    def to_device(value):
        if not isinstance(value, np.ndarray):
            return value
        base = value if value.base is None else value.base
        on_device = backend.xp.asarray(np.ascontiguousarray(base))
        if value.base is None:
            return on_device
        offset = value.__array_interface__["data"][0] - base.__array_interface__["data"][0]
        moved = on_device.reshape(-1)[offset // value.itemsize :]
        return backend.xp.lib.stride_tricks.as_strided(moved, value.shape, value.strides)

    def call(name, *args):
        with backends.trace_fallbacks() as fallen:
            out = getattr(backend, name)(*map(to_device, args))
        assert not fallen
        return out.get()

    return call


def array(dtype, *shape):
    """Values of which many are equal, transposed and with every second one left out."""
    rng = np.random.default_rng(sum(shape))
    full = np.ascontiguousarray(rng.integers(-8, 9, [2 * n for n in reversed(shape)]) / 4)
    return np.ascontiguousarray(full.astype(dtype)).transpose()[tuple(slice(None, None, 2) for _ in shape)]


def agree(found, expected, dtype):
    assert found.dtype == dtype and found.shape == expected.shape
    limit = TOLERANCE[np.dtype(dtype).name]
    np.testing.assert_allclose(found.astype(float), expected, rtol=limit, atol=limit)


def log_sum_exp(x, axis, keepdims):
    return np.log(np.exp(x).sum(axis, keepdims=keepdims))


@floats
@pytest.mark.parametrize("dims", AXES, ids=str)
def test_sums_products_and_exponentials(dims, dtype, run):
    x = array(dtype, 3, 37, 5)
    wide = x.astype(float)
    for keep in (False, True):
        agree(run("sum", x, dims, keep), wide.sum(dims, keepdims=keep), dtype)
    agree(run("sum_squares", x, dims, False), (wide**2).sum(dims), dtype)
    agree(run("logsumexp", x, dims, True), log_sum_exp(wide, dims, True), dtype)
    near = (wide / 16 + 1).astype(dtype)
    agree(run("prod", near, dims, False), near.astype(float).prod(dims), dtype)


@pytest.mark.parametrize(
    "dtype", [*FLOATS, np.int64, np.int32, np.uint8, bool], ids=lambda d: np.dtype(d).name
)
@pytest.mark.parametrize("dims", AXES, ids=str)
def test_extremes_places_and_truth(dims, dtype, run):
    x = array(dtype, 3, 37, 5) if dtype != np.uint8 else np.abs(array(np.int32, 3, 37, 5)).astype(np.uint8)
    wide = x.astype(float)
    for keep in (False, True):
        for name, oracle in (("amax", np.max), ("amin", np.min)):
            found = run(name, x, dims, keep)
            assert found.dtype == x.dtype
            np.testing.assert_array_equal(found.astype(float), oracle(wide, axis=dims, keepdims=keep))
        for name, oracle in (("any", np.any), ("all", np.all)):
            found = run(name, x, dims, keep)
            assert found.dtype == bool
            np.testing.assert_array_equal(found, oracle(x.astype(bool), axis=dims, keepdims=keep))
    np.testing.assert_array_equal(run("count_nonzero", x, dims), np.count_nonzero(wide, axis=dims))
    for dim in dims[:1]:
        for name, oracle in (("argmax", np.argmax), ("argmin", np.argmin)):
            found = run(name, x, dim, True)
            assert found.dtype == np.int64
            np.testing.assert_array_equal(found, oracle(wide, axis=dim, keepdims=True))


def test_integers_wrap_around(run):
    x = np.array([2**63 - 1, 2, 3], np.int64)
    assert run("sum", x, (0,), False) == x.sum() and run("prod", x, (0,), False) == x.prod()


@floats
def test_a_nan_wins(dtype, run):
    x = np.array([[1, np.nan, 3, np.nan], [np.inf, 2, -np.inf, np.nan], [1, 2, 2, 1]], dtype)
    for name in ("amax", "amin"):
        assert np.isnan(run(name, x, (1,), False).astype(float)).tolist() == [True, True, False]
    assert run("argmax", x, 1, False).tolist() == [1, 3, 1]
    assert run("argmin", x, 1, False).tolist() == [1, 3, 0]
    assert np.isnan(run("logsumexp", x, (1,), False).astype(float)).tolist() == [True, True, False]
    infinite = np.array([[np.inf, 1, np.inf], [-np.inf] * 3, [-np.inf, 0, -np.inf]], dtype)
    assert run("logsumexp", infinite, (1,), False).astype(float).tolist() == [np.inf, -np.inf, 0]
    assert run("argmax", infinite, 1, False).tolist() == [0, 0, 1]


def test_reductions_of_nothing(run):
    x = np.zeros((2, 0, 3), np.float32)
    assert run("sum", x, (1,), False).tolist() == [[0] * 3] * 2
    assert run("prod", x, (1,), True).tolist() == [[[1] * 3]] * 2
    assert run("all", x, (0, 1), False).tolist() == [True] * 3
    assert run("any", x, (1,), False).tolist() == [[False] * 3] * 2
    assert run("logsumexp", x, (1,), False).tolist() == [[-np.inf] * 3] * 2
    assert run("sum", x, (0,), False).shape == (0, 3)
    one = np.full((), 3, np.float32)
    assert run("sum", one, (), False) == 3 and run("amax", one, (), True) == 3


@pytest.mark.parametrize("layout", [lambda x: x, lambda x: x.T], ids=["rows", "columns"])
@pytest.mark.parametrize("shape", [(70001,), (3, 9001), (9001, 3)], ids=str)
def test_long_reductions(shape, layout, run):
    rng = np.random.default_rng(1)
    x = layout(rng.standard_normal(shape))
    long = int(np.argmax(x.shape))
    np.testing.assert_allclose(run("sum", x, (long,), False), x.sum(long), rtol=1e-12)
    np.testing.assert_array_equal(run("argmin", x, long, False), x.argmin(long))
    first, again = (run("sum", x.astype(np.float32), (long,), False) for _ in range(2))
    assert first.tobytes() == again.tobytes()


def test_argmax_takes_the_first_of_equals_across_parts(run):
    x = np.zeros(60000, np.float32)
    x[[50000, 20000, 59999]] = 1
    assert run("argmax", x, 0, False) == 20000
    assert run("argmin", x, 0, False) == 0


def test_what_no_kernel_serves_falls_through(gpu):
    backend = backends.on(gpu)
    x = backend.xp.arange(6).reshape(2, 3).astype("int16")
    with backends.trace_fallbacks() as fallen:
        assert backend.sum(x, (1,), False).get().tolist() == [3, 12]
        assert backend.amax(x, (1,), False).get().tolist() == [2, 5]
        assert backend.any(x, (1,), False).get().tolist() == [True, True]
    assert [name for _, name in fallen] == ["sum", "amax", "any"]
