"""Cross entropy and nll_loss by the CUDA kernels against the reference in float64: weights, smoothing, ignored and bad
targets, any strides, many classes."""

import ml_dtypes
import numpy as np
import pytest

import minidl
from minidl import backends
from minidl.backends import faults

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "float64": 1e-12}
floats = pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
SHAPES = [(5,), (1, 1), (3, 37), (9, 64), (2, 5, 3, 4), (2, 70, 9), (2, 1030), (0, 3)]
REDUCTIONS = ["none", "mean", "sum"]


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
        return tuple(o.get() for o in out) if isinstance(out, tuple) else out.get()

    return call


def problem(dtype, shape, weighted):
    rng = np.random.default_rng(sum(shape))
    x = rng.standard_normal(shape).astype(dtype)
    dim = 1 if len(shape) > 1 else 0
    target = rng.integers(0, shape[dim], shape[:dim] + shape[dim + 1 :])
    if target.size > 2:
        target.flat[1] = -100
    weight = (rng.random(shape[dim]) + 0.5).astype(dtype) if weighted else None
    return x, np.asarray(target), weight


def wide(array):
    return None if array is None else array.astype(np.float64)


def agree(found, expected, dtype):
    assert found.dtype == dtype and found.shape == expected.shape
    limit = TOLERANCE[np.dtype(dtype).name]
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=limit, atol=limit)


@floats
@pytest.mark.parametrize("options", [(False, 0.0), (True, 0.0), (True, 0.25), (False, 0.25)], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cross_entropy(shape, options, dtype, run):
    weighted, smoothing = options
    x, target, weight = problem(dtype, shape, weighted)
    for reduction in REDUCTIONS:
        told = -100, reduction, smoothing
        loss, logs, total = run("cross_entropy", x, target, weight, *told)
        exact = backends.reference.cross_entropy(wide(x), target, wide(weight), *told)
        agree(loss, exact[0], dtype)
        limit = 1e-12 if dtype == np.float64 else 1e-5
        np.testing.assert_allclose(logs, exact[1], rtol=limit, atol=limit)
        agree(total, exact[2], dtype)
        g = np.asarray(np.random.default_rng(1).standard_normal(loss.shape)).astype(dtype)
        found = run("cross_entropy_backward", g, x, target, weight, exact[1], total, *told)
        kept = exact[1], wide(total)
        agree(
            found,
            backends.reference.cross_entropy_backward(wide(g), wide(x), target, wide(weight), *kept, *told),
            dtype,
        )


@floats
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_nll_loss(shape, weighted, dtype, run):
    x, target, weight = problem(dtype, shape, weighted)
    for reduction in REDUCTIONS:
        loss = run("nll_loss", x, target, weight, -100, reduction)
        agree(loss, backends.reference.nll_loss(wide(x), target, wide(weight), -100, reduction), dtype)
        g = np.asarray(np.random.default_rng(1).standard_normal(loss.shape)).astype(dtype)
        found = run("nll_loss_backward", g, target, weight, shape, -100, reduction)
        expected = backends.reference.nll_loss_backward(wide(g), target, wide(weight), shape, -100, reduction)
        agree(found, expected, dtype)


def test_large_logits_keep_their_digits(run):
    x = np.array([[10000.0, 10000.5, 9999.0], [-3e4, -3e4, -3e4 - 0.5]], np.float32)
    target = np.array([1, 2])
    told = -100, "none", 0.0
    loss, logs, total = run("cross_entropy", x, target, None, *told)
    exact = backends.reference.cross_entropy(wide(x), target, None, *told)
    np.testing.assert_allclose(loss, exact[0], rtol=1e-6)
    found = run("cross_entropy_backward", np.ones(2, np.float32), x, target, None, logs, total, *told)
    wanted = backends.reference.cross_entropy_backward(
        np.ones(2), wide(x), target, None, exact[1], exact[2], *told
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_nan_infinity_and_samples_that_are_all_ignored(run):
    x = np.array([[0, np.nan, 1], [0, np.inf, 1], [-np.inf, 0, 0], [-np.inf, 0, 0]], np.float32)
    target = np.array([0, 0, 0, 1])
    for smoothing in (0.0, 0.5):
        told = -100, "none", smoothing
        found = run("cross_entropy", x, target, None, *told)
        expected = backends.reference.cross_entropy(x, target, None, *told)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)
        ones = np.ones(4, np.float32)
        grads = [
            call("cross_entropy_backward", ones, x, target, None, expected[1], expected[2], *told)
            for call in (run, lambda name, *args: getattr(backends.reference, name)(*args))
        ]
        np.testing.assert_allclose(*grads, rtol=1e-5, atol=1e-7)
    ignored = np.full(4, -100)
    assert np.isnan(run("cross_entropy", x, ignored, None, -100, "mean", 0.0)[0])
    assert run("nll_loss", x, ignored, None, -100, "sum") == 0


@pytest.mark.parametrize("bad", [3, -1, 1 << 40])
def test_a_bad_target_is_told_of_and_ignored(run, bad):
    x, target = np.zeros((4, 3), np.float32), np.array([0, bad, 2, -100])
    faults.check()
    loss = run("cross_entropy", x, target, None, -100, "sum", 0.0)[0]
    np.testing.assert_allclose(loss, 2 * np.log(3), rtol=1e-6)
    with pytest.raises(IndexError, match=f"Target {bad} is out of bounds"):
        faults.check()
    assert run("nll_loss", x + 1, target, None, -100, "sum") == -2
    with pytest.raises(IndexError, match="3 classes"):
        faults.check()


def test_a_loss_of_tensors_tells_of_bad_targets_late(gpu):
    x, target = minidl.zeros(2, 3, device=gpu), minidl.tensor([1, 7]).to(gpu)
    loss = minidl.nn.functional.cross_entropy(x, target)
    with pytest.raises(IndexError, match="Target 7"):
        loss.item()
