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


CHANNELS = [(4, 6), (3, 4, 5), (2, 8, 3, 4), (2, 12, 4, 4), (1, 2, 40, 70), (2, 40, 3), (130, 9), (3, 1, 1), (0, 4, 2),
            (2, 4, 0)]  # fmt: skip
GROUPS = [(1, 1), (4, 2), (8, 8), (12, 3)]


def channel_problem(shape, dtype, vectors):
    kind = dtype if vectors == "same" else exact_of(dtype)
    x, g = normal(0, shape, dtype, 2.0, 3.0), normal(1, shape, dtype)
    weight, bias = (None if vectors == "none" else normal(n, shape[1:2], kind) for n in (2, 3))
    return x, g, weight, bias, kind


@floats
@pytest.mark.parametrize("vectors", ["none", "same", "exact"])
@pytest.mark.parametrize("shape", CHANNELS, ids=str)
def test_batch_norm(shape, vectors, dtype, run):
    exact = exact_of(dtype)
    x, g, weight, bias, kind = channel_problem(shape, dtype, vectors)
    found = run("batch_norm", x, weight, bias, 1e-5)
    wanted = backends.reference.batch_norm(wide(x), wide(weight), wide(bias), 1e-5)
    agree(found, wanted, (dtype, exact, exact, exact), dtype)
    kept = [wanted[n].astype(exact) for n in (1, 3)]
    asked = weight is not None
    for training, needs in (
        (True, (True, asked, asked)),
        (False, (True, asked, False)),
        (True, (False, asked, True)),
    ):
        found = run("batch_norm_backward", g, x, weight, *kept, training, needs)
        grads = backends.reference.batch_norm_backward(
            wide(g), wide(x), wide(weight), *map(wide, kept), training, needs
        )
        agree(found, grads, (dtype, kind, exact), dtype, 4 if x.size < 1000 else 12)


@floats
@pytest.mark.parametrize("vectors", ["none", "same"])
@pytest.mark.parametrize(("channels", "groups"), GROUPS)
def test_group_norm(channels, groups, vectors, dtype, run):
    exact = exact_of(dtype)
    for space in ((), (5,), (2, 4), (40, 70) if channels == 4 else (1,), (0,)):
        shape = (3, channels, *space)
        x, g, weight, bias, kind = channel_problem(shape, dtype, vectors)
        found = run("group_norm", x, groups, weight, bias, 1e-2)
        wanted = backends.reference.group_norm(wide(x), groups, wide(weight), wide(bias), 1e-2)
        agree(found, wanted, (dtype, exact, exact), dtype)
        kept = [a.astype(exact) for a in wanted[1:]]
        needs = True, weight is not None, True
        found = run("group_norm_backward", g, x, weight, *kept, groups, needs)
        grads = backends.reference.group_norm_backward(
            wide(g), wide(x), wide(weight), *map(wide, kept), groups, needs
        )
        agree(found, grads, (dtype, kind, exact), dtype, 4 if x.size < 1000 else 12)


@floats
def test_inference_and_running_statistics(gpu, dtype):
    space, exact = backends.on(gpu), exact_of(dtype)
    x, weight = normal(0, (3, 5, 4), dtype), normal(1, (5,), dtype)
    mean, var = normal(2, (5,), exact), np.abs(normal(3, (5,), exact))
    to = space.xp.asarray
    with backends.trace_fallbacks() as fallen:
        found = space.batch_norm_inference(to(x), to(weight), None, to(mean), to(var), 1e-3)
        moving = to(mean.astype(dtype)), to(var.astype(dtype))
        space.batch_norm_update(*moving, to(var), to(mean), 0.25, 12)
        space.batch_norm_update(None, moving[1], to(var), to(mean), 0.25, 1)
    assert not fallen
    wanted = backends.reference.batch_norm_inference(wide(x), wide(weight), None, wide(mean), wide(var), 1e-3)
    agree([f.get() for f in found], wanted, (dtype, exact), dtype)
    kept = mean.astype(dtype), var.astype(dtype)
    backends.reference.batch_norm_update(*kept, var, mean, 0.25, 12)
    backends.reference.batch_norm_update(None, kept[1], var, mean, 0.25, 1)
    agree([m.get() for m in moving], kept, (dtype, dtype), dtype)


@pytest.mark.parametrize("shape", [(2, 3, 50), (40, 3), (3, 2, 4099)], ids=str)
def test_a_mean_far_from_zero_costs_no_digits_of_a_channel(shape, run):
    x = normal(0, shape, np.float32, 1e-2, 100.0)
    found = run("batch_norm", x, None, None, 0.0)
    wanted = backends.reference.batch_norm(wide(x), None, None, 0.0)
    np.testing.assert_allclose(found[3], wanted[3], rtol=1e-3)


def test_nan_stays_in_its_channel(run):
    x = normal(0, (3, 2, 37), np.float32)
    x[1, 0, 3] = np.nan
    out = run("batch_norm", x, None, None, 1e-5)[0]
    assert np.isnan(out[:, 0]).all() and np.isfinite(out[:, 1]).all()
