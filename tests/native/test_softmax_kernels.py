"""Softmax and cross entropy by the native backend beside the reference in float64."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

DTYPES = [np.float32, np.float64]
# Classes and columns around every vector width, several blocks of a sum, one of everything.
SHAPES = [
    ((1,), 0), ((5,), 0), ((0, 3), 1), ((3, 0), 0), ((3, 1), 1), ((2, 15), 1), ((2, 16), 1), ((2, 17), 1), ((9, 63), 1),
    ((3, 130), 1), ((2, 9001), 1), ((4, 3), 0), ((300, 2), 0), ((7, 16), 0), ((5, 33), 0), ((3, 70), 0),
    ((2, 6, 131), 1), ((40, 3, 64), 1), ((2, 3, 4, 5), 2), ((3, 4, 200), 0),
]  # fmt: skip


def draw(shape, dtype, seed=0, scale=4.0):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape) * scale, dtype)


def check(native, name, *arguments, ulp=8, scale=1.0):
    """The override serves the call itself, near the result of the reference in float64."""
    found = native.overrides[name](*arguments)
    assert found is not NotImplemented
    real = [a.dtype for a in arguments if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    wide = [
        a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in arguments
    ]
    expected = getattr(backends.reference, name)(*wide)
    for ours, wanted in zip(*(r if isinstance(r, tuple) else (r,) for r in (found, expected)), strict=True):
        assert ours.shape == wanted.shape
        tolerance = ulp * np.finfo(real[0]).eps
        np.testing.assert_allclose(ours, wanted, rtol=tolerance, atol=tolerance * scale)
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape, dim", SHAPES)
@pytest.mark.parametrize("layout", ["plain", "reversed", "fortran"])
def test_softmax_and_its_gradient(native, dtype, shape, dim, layout):
    x, g = draw(shape, dtype), draw(shape, dtype, 1)
    if layout == "reversed":
        x, g = x[..., ::-1], g[..., ::-1]
    elif layout == "fortran":
        x, g = np.asfortranarray(x), np.asfortranarray(g)
    y = check(native, "softmax", x, dim, ulp=12)
    assert y.dtype == dtype
    check(native, "softmax_backward", g, y, dim, ulp=12, scale=16)
    logs = check(native, "log_softmax", x, dim, scale=16)
    check(native, "log_softmax_backward", g, logs, dim, ulp=12, scale=16 * np.sqrt(shape[dim] + 1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", [(4, 3), (1, 1), (70, 130), (2, 5, 3, 4)])
def test_negative_log_likelihood(native, shape, reduction, dtype):
    x, targets = draw(shape, dtype), np.random.default_rng(1).integers(0, shape[1], (shape[0], *shape[2:]))
    loss = check(native, "nll_loss", x, targets, None, -100, reduction)
    check(native, "nll_loss_backward", np.ones_like(loss), targets, None, shape, -100, reduction)
    targets.flat[0] = -100
    assert native.overrides["nll_loss"](x, targets, None, -100, reduction) is NotImplemented


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_of_sums_of_exponentials(native, dtype):
    for shape, dim in SHAPES:
        x = draw(shape, dtype)
        if not x.size:
            assert native.overrides["logsumexp"](x, (dim,), False) is NotImplemented
            continue
        for keep in (False, True):
            assert check(native, "logsumexp", x, (dim,), keep).dtype == dtype
            check(native, "logsumexp", x[..., ::-1], (dim,), keep)
    rows = draw((6, 40), dtype)
    rows[1, -1], rows[2, 3], rows[3], rows[4, 0], rows[5, 7:9] = (
        np.nan,
        np.inf,
        -np.inf,
        1e4,
        (np.inf, np.nan),
    )
    for x, dim in ((rows, 1), (rows.T.copy(), 0)):
        check(native, "logsumexp", x, (dim,), False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("classes", [2, 16, 21, 70])
@pytest.mark.parametrize("dim", [0, 1])
def test_rows_that_are_not_finite(native, dtype, name, classes, dim):
    rows = draw((40, classes), dtype)
    rows[1, -1], rows[3, 0], rows[5, -1] = np.nan, np.inf, -np.inf
    rows[7], rows[9, 1:], rows[11] = -np.inf, -np.inf, np.inf
    rows[13], rows[15], rows[17, 0] = 1e4, -1e30, np.finfo(dtype).max
    x = np.ascontiguousarray(rows.T) if dim == 0 else rows
    ours, wanted = getattr(native, name)(x, dim), getattr(backends.reference, name)(x, dim)
    np.testing.assert_allclose(ours, wanted, rtol=1e-6, atol=1e-6)
    bad = np.isnan(ours if dim == 1 else ours.T).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(bad), [1, 3, 7, 11])


def entropy_arguments(dtype, shape, weighted, seed=0):
    rng = np.random.default_rng(seed)
    x = draw(shape, dtype, seed)
    dim = 1 if len(shape) > 1 else 0
    target = rng.integers(0, shape[dim], shape[:dim] + shape[dim + 1 :])
    target = np.where(rng.random(target.shape) < 0.2, -100, target)
    target.reshape(-1)[:1] = 0
    return x, np.asarray(target), rng.uniform(0.5, 2, shape[dim]).astype(dtype) if weighted else None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(5,), (1, 1), (3, 17), (70, 2), (9, 130), (2, 3, 5), (2, 19, 70), (2, 3, 8, 17)]
)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
def test_cross_entropy_and_its_gradient(native, dtype, shape, reduction, weighted, smoothing):
    x, target, weight = entropy_arguments(dtype, shape, weighted)
    options = -100, reduction, smoothing
    loss, log_sums, total = check(
        native, "cross_entropy", x, target, weight, *options, ulp=16, scale=4 * target.size
    )
    assert loss.dtype == dtype and log_sums.dtype == np.float64
    grad = draw(loss.shape, dtype, 3)
    check(
        native, "cross_entropy_backward", grad, x, target, weight, log_sums, total, *options, ulp=16, scale=8
    )  # fmt: skip


def test_cross_entropy_of_large_logits_keeps_its_digits(native):
    x, target, _ = entropy_arguments(np.float32, (40, 50), False)
    far = x + np.float32(1e4)
    loss, log_sums, total = native.cross_entropy(far, target, None, -100, "none", 0.0)
    wanted = backends.reference.cross_entropy(far.astype(np.float64), target, None, -100, "none", 0.0)
    np.testing.assert_allclose(loss, wanted[0], rtol=1e-6, atol=1e-6)
    ours = native.cross_entropy_backward(
        np.ones(40, np.float32), far, target, None, log_sums, total, -100, "none", 0.0
    )
    shares = np.exp(far.astype(np.float64) - wanted[1][:, None])
    counted = np.flatnonzero(target != -100)
    shares[counted, target[counted]] -= 1
    shares[target == -100] = 0
    np.testing.assert_allclose(ours, shares, rtol=1e-6, atol=2e-7)


@pytest.mark.parametrize("shape, dim", [((700, 130), 1), ((3, 70, 300), 1), ((90, 1000), 0)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_of_threads_gives_the_same_bits(native, dtype, shape, dim):
    x, g = draw(shape, dtype), draw(shape, dtype, 1)
    _, target, weight = entropy_arguments(dtype, shape, True)
    options = -100, "mean", 0.1

    def compute():
        y, logs = native.softmax(x, dim), native.log_softmax(x, dim)
        loss, log_sums, total = native.cross_entropy(x, target, weight, *options)
        return [
            y, logs, native.softmax_backward(g, y, dim), native.log_softmax_backward(g, logs, dim), loss, log_sums,
            native.cross_entropy_backward(loss, x, target, weight, log_sums, total, *options),
        ]  # fmt: skip

    thread_counts.assert_no_difference(compute)
