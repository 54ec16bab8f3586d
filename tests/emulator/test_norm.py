"""Norms by the CUDA kernels against the reference in float64: any strides, vectors of either dtype, nothing, NaN."""

import ml_dtypes
import numpy as np
import pytest

from minidl import backends

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 3e-5, "float64": 1e-11}
floats = pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)


@pytest.fixture(params=["dense", "turned"])
def run(gpu, request):
    """Calls a function of the backend on NumPy arrays, dense or turned around; no part of it may fall through."""
    backend = backends.on(gpu)

    def to_device(value):
        if request.param == "dense" or value.ndim < 2:
            return backend.xp.asarray(value)
        spread = np.zeros([2 * n for n in value.shape[::-1]], value.dtype)
        spread[(slice(None, None, 2),) * value.ndim] = value.transpose()
        return backend.xp.asarray(spread)[(slice(None, None, 2),) * value.ndim].transpose()

    def call(name, *args):
        keep = 4 if name.endswith("_backward") else len(args)  # statistics stay as they lie
        args = [
            arg if not isinstance(arg, np.ndarray) else backend.xp.asarray(arg) if n > keep - 2 else to_device(arg)
            for n, arg in enumerate(args)
        ]  # fmt: skip
        with backends.trace_fallbacks() as fallen:
            out = getattr(backend, name)(*args)
        assert not fallen
        return tuple(None if o is None else o.get() for o in out)

    return call


def normal(seed, shape, dtype, scale=1.0, shift=0.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale + shift).astype(dtype)


def wide(array):
    return None if array is None else array.astype(np.float64)


def agree(found, expected, dtypes, base, scale=1.0):
    for ours, theirs, dtype in zip(found, expected, dtypes, strict=True):
        if theirs is None:
            assert ours is None
            continue
        assert ours.dtype == dtype and ours.shape == theirs.shape
        limit = TOLERANCE[np.dtype(base).name] * scale
        np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=limit, atol=limit)


def exact_of(dtype):
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


ROWS = [((6,), 1), ((1, 1), 1), ((3, 37), 1), ((9, 64), 1), ((2, 3, 12), 2), ((41, 8), 1), ((3, 1100), 1),
        ((0, 5), 1), ((4, 0), 1)]  # fmt: skip


@floats
@pytest.mark.parametrize("vectors", ["none", "same", "exact"])
@pytest.mark.parametrize(("shape", "rank"), ROWS, ids=str)
def test_layer_norm(shape, rank, vectors, dtype, run):
    inner, exact = shape[len(shape) - rank :], exact_of(dtype)
    kind = dtype if vectors == "same" else exact
    x, g = normal(0, shape, dtype, 2.0, 3.0), normal(1, shape, dtype)
    weight, bias = (None if vectors == "none" else normal(n, inner, kind) for n in (2, 3))
    found = run("layer_norm", x, rank, weight, bias, 1e-5)
    wanted = backends.reference.layer_norm(wide(x), rank, wide(weight), wide(bias), 1e-5)
    agree(found, wanted, (dtype, exact, exact), dtype)
    asked = weight is not None
    for needs in ((True, asked, asked), (False, asked, False), (True, False, False)):
        kept = [a.astype(exact) for a in wanted[1:]]
        found = run("layer_norm_backward", g, x, weight, *kept, rank, needs)
        wanted_grads = backends.reference.layer_norm_backward(
            wide(g), wide(x), wide(weight), *map(wide, kept), rank, needs
        )
        agree(found, wanted_grads, (dtype, kind, exact), dtype, 4)


@floats
@pytest.mark.parametrize(("shape", "rank"), ROWS, ids=str)
def test_rms_norm(shape, rank, dtype, run):
    inner, exact = shape[len(shape) - rank :], exact_of(dtype)
    x, g, weight = normal(0, shape, dtype, 2.0, 1.0), normal(1, shape, dtype), normal(2, inner, dtype)
    found = run("rms_norm", x, rank, weight, 1e-5)
    wanted = backends.reference.rms_norm(wide(x), rank, wide(weight), 1e-5)
    agree(found, wanted, (dtype, exact), dtype)
    kept = wanted[1].astype(exact)
    found = run("rms_norm_backward", g, x, weight, kept, rank, (True, True))
    wanted = backends.reference.rms_norm_backward(
        wide(g), wide(x), wide(weight), wide(kept), rank, (True, True)
    )
    agree(found, wanted, (dtype, dtype), dtype, 4)


@pytest.mark.parametrize("length", [16390, 16400, 8196])
def test_rows_that_no_block_can_hold(length, run):
    x, g = normal(0, (2, length), np.float32), normal(1, (2, length), np.float32)
    weight, bias = normal(2, (length,), np.float32), normal(3, (length,), np.float32)
    found = run("layer_norm", x, 1, weight, bias, 1e-5)
    wanted = backends.reference.layer_norm(wide(x), 1, wide(weight), wide(bias), 1e-5)
    agree(found, wanted, (np.float32,) * 3, np.float32)
    needs = True, True, True
    found = run("layer_norm_backward", g, x, weight, *found[1:], 1, needs)
    wanted = backends.reference.layer_norm_backward(wide(g), wide(x), wide(weight), *wanted[1:], 1, needs)
    agree(found, wanted, (np.float32,) * 3, np.float32)


def test_a_mean_far_from_zero_costs_no_digits_of_the_variance(run):
    x = normal(0, (3, 70), np.float32, 1e-2, 100.0)
    found = run("layer_norm", x, 1, None, None, 0.0)
    wanted = backends.reference.layer_norm(wide(x), 1, None, None, 0.0)
    np.testing.assert_allclose(found[2], wanted[2], rtol=1e-4)


def test_nan_and_infinity_stay_in_their_rows(run):
    x = normal(0, (3, 37), np.float32)
    x[0, 3], x[1, 4] = np.nan, np.inf
    out = run("layer_norm", x, 1, None, None, 1e-5)[0]
    assert np.isnan(out[:2]).all() and np.isfinite(out[2]).all()
