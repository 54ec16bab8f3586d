"""The functions of ``minidl._native`` that bypass pybind11: elementwise, sums, small products."""

import itertools
import os
import threading

import numpy as np
import pytest
import thread_counts
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

DTYPES = [np.float32, np.float64]
UNARY = {
    "neg": np.negative,
    "abs": np.abs,
    "square": np.square,
    "reciprocal": np.reciprocal,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "relu": lambda x: np.maximum(x, 0),
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sin": np.sin,
    "cos": np.cos,
}
BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "pow": np.power,
    "relu_grad": lambda g, result: np.where(result <= 0, 0, g),
    "tanh_grad": lambda g, result: g * (1 - result * result),
    "sigmoid_grad": lambda g, result: g * (result * (1 - result)),
}
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 0.5, 88.0, -88.0, 2.0, 700.0, 3e38]


def wide(x):
    """The same values in a dtype in which rounding errors do not show."""
    return np.asarray(x, np.float64 if np.asarray(x).dtype == np.float32 else np.longdouble)


def check(actual, expected, dtype, ulp=2):
    """Same shape and dtype, NaN in the same places, and within ``ulp`` units of the rounded expectation."""
    with np.errstate(all="ignore"):
        expected = np.asarray(expected).astype(dtype)
    assert type(actual) is np.ndarray and actual.dtype == dtype and actual.shape == expected.shape
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(
        actual[~finite & ~np.isnan(expected)], expected[~finite & ~np.isnan(expected)]
    )
    error = np.abs(actual[finite].astype(np.longdouble) - expected[finite])
    assert np.all(error <= ulp * np.spacing(np.abs(expected[finite])))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (3, 5), (0, 3), (70000,)])
def test_unary_agrees_with_numpy(name, dtype, shape):
    x = np.asarray(np.random.default_rng(0).normal(size=shape) * 5, dtype)
    x = np.asarray(abs(x) + 0.1, dtype) if name in ("log", "sqrt", "rsqrt") else x
    out = getattr(_native, name)(x)
    if out is NotImplemented:
        assert x.size > 4096 and name in ("exp", "log", "tanh", "sin", "cos")
    else:
        check(out, UNARY[name](wide(x)), dtype, ulp=4 if name in ("sin", "cos") else 3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_unary_at_special_values(name, dtype):
    x = np.array(SPECIAL, np.float64).astype(dtype)
    with np.errstate(all="ignore"):
        check(getattr(_native, name)(x), UNARY[name](wide(x)), dtype, ulp=3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_binary_at_special_values(name, dtype):
    pairs = np.array(list(itertools.product(SPECIAL, SPECIAL)), np.float64).astype(dtype)
    a, b = np.ascontiguousarray(pairs.T)
    with np.errstate(all="ignore"):
        expected = BINARY[name](a, b)  # in the dtype itself: intermediate overflow belongs to the definition
        check(getattr(_native, name)(a, b), expected, dtype, ulp=3)


@pytest.mark.parametrize("name", BINARY)
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=5, max_side=4), data=st.data())
def test_binary_broadcasts_any_layout(name, shapes, data):
    dtype = data.draw(st.sampled_from(DTYPES))
    a, b = (draw_array(data, shape, dtype) for shape in shapes.input_shapes)
    a = np.asarray(abs(a) + dtype(0.5)) if name == "pow" else a
    with np.errstate(all="ignore"):
        out = getattr(_native, name)(a, b)
        if out is not NotImplemented:
            check(out, BINARY[name](a, b), dtype)
        else:
            assert max(a.ndim, b.ndim) > 1


def draw_array(data, shape, dtype):
    """Values in [-3, 3], in C order, transposed, sliced backwards or with gaps."""
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    kind = data.draw(st.sampled_from(["plain", "transposed", "reversed", "gaps"]))
    if kind == "transposed":
        return np.asarray(rng.integers(-12, 12, shape[::-1]).T / 4, dtype, order="K")
    padded = rng.integers(-12, 12, tuple(2 * n for n in shape)).astype(dtype) / dtype(4)
    step = {"plain": slice(None), "reversed": slice(None, None, -2), "gaps": slice(None, None, 2)}[kind]
    taken = padded[(step,) * len(shape)] if kind != "plain" else padded[tuple(slice(n) for n in shape)].copy()
    return np.asarray(taken).reshape(shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scalar", [2, -3, 0.1, 0, 2.5, float("inf"), float("nan")])
@pytest.mark.parametrize("name", BINARY)
def test_binary_with_a_python_scalar(name, scalar, dtype):
    x = np.linspace(0.1, 3, 11, dtype=dtype)
    with np.errstate(all="ignore"):
        check(getattr(_native, name)(x, scalar), BINARY[name](x, dtype(scalar)), dtype)
        check(getattr(_native, name)(scalar, x), BINARY[name](dtype(scalar), x), dtype)


def test_results_keep_the_order_of_the_axes():
    x = np.asfortranarray(np.random.default_rng(0).normal(size=(3, 4)))
    assert _native.exp(x).strides == _native.add(x, x).strides == _native.mul(x, 2.0).strides == x.strides
    assert _native.add(x, np.ones((3, 4))) is NotImplemented


def test_what_is_refused():
    x = np.ones((2, 3), np.float32)
    assert _native.add(x, x.astype(np.float64)) is NotImplemented
    assert _native.add(x, np.float64(1)) is NotImplemented
    assert _native.add(x, True) is NotImplemented
    assert _native.add(x, 10**400) is NotImplemented
    assert _native.add(x, None) is NotImplemented
    assert _native.add(1.0, 2.0) is NotImplemented
    assert _native.add(x, np.ones(2, np.float32)) is NotImplemented
    assert _native.add(x) is NotImplemented
    assert _native.add(x, other=x) is NotImplemented
    assert _native.add(x.astype(">f4"), x) is NotImplemented
    assert _native.add(np.ones((1,) * 20, np.float32), x) is NotImplemented
    assert _native.exp(np.arange(3)) is NotImplemented
    assert _native.exp(np.ma.ones(3)) is NotImplemented
    assert _native.exp(x[:, ::2]) is NotImplemented
    misaligned = np.zeros(9, np.uint8)[1:].view(np.float32)
    assert _native.exp(misaligned) is NotImplemented


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    shape=hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5),
    keepdim=st.booleans(),
    data=st.data(),
)
def test_sum_over_any_axes(dtype, shape, keepdim, data):
    dims = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1)))) if shape else ()
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    out = _native.sum(x, dims, keepdim)
    if out is not NotImplemented:
        assert out.dtype == dtype
        expected = wide(x).sum(axis=dims, keepdims=keepdim)
        assert out.shape == expected.shape
        np.testing.assert_allclose(
            out, expected.astype(dtype), rtol=1e-6, atol=1e-6 if dtype is np.float32 else 1e-14
        )
    else:
        assert len(shape) == 5 or 0 in shape


@pytest.mark.parametrize(
    "shape, dims",
    [((1_000_000,), (0,)), ((4, 70_001), (1,)), ((9_001, 130), (0,)), ((6, 40, 5, 60), (0, 2, 3))],
)
def test_long_sums_are_accurate(shape, dims):
    x = np.random.default_rng(0).uniform(size=shape).astype(np.float32)
    exact = x.sum(axis=dims, dtype=np.float64)
    np.testing.assert_allclose(_native.sum(x, dims, False), exact.astype(np.float32), rtol=1.2e-7)


def test_sum_spreads_nan_and_refuses_other_arguments():
    x = np.ones((3, 4), np.float32)
    x[1, 2] = np.nan
    assert np.isnan(_native.sum(x, (0, 1), False)) and np.isnan(_native.sum(x, (0,), False)).sum() == 1
    for arguments in [(x, 0, False), (x, (2,), False), (x, (-1,), False), (x.T, (0,), False), (x, (0,), 1)]:
        assert _native.sum(*arguments) is NotImplemented
    assert _native.sum(np.arange(3), (0,), False) is NotImplemented


@pytest.mark.parametrize("dtype", DTYPES)
@given(m=st.integers(0, 12), n=st.integers(0, 12), k=st.integers(0, 12), transpose=st.booleans())
def test_small_products(dtype, m, n, k, transpose):
    rng = np.random.default_rng(0)
    a, w, bias = (rng.normal(size=s).astype(dtype) for s in [(m, k), (n, k), (n,)])
    a = np.ascontiguousarray(a.T).T if transpose else a
    eps = np.finfo(dtype).eps * 40
    for out, expected in [
        (_native.matmul(a, w.T), wide(a) @ wide(w).T),
        (_native.matmul(a, np.ascontiguousarray(w.T)), wide(a) @ wide(w).T),
        (_native.linear(a, w, None), wide(a) @ wide(w).T),
        (_native.linear(a, w, bias), wide(a) @ wide(w).T + wide(bias)),
    ]:
        assert out is not NotImplemented and out.dtype == dtype and out.shape == expected.shape
        np.testing.assert_allclose(out, expected, rtol=eps, atol=eps)


def test_large_arrays_do_not_depend_on_the_number_of_threads():
    x = np.random.default_rng(0).normal(size=(700, 700)).astype(np.float32)
    bias = x[0].copy()
    results = thread_counts.assert_no_difference(
        lambda: [_native.add(x, x), _native.mul(x, bias), _native.relu(x), _native.sum(x, (0, 1), False)]
    )
    np.testing.assert_array_equal(results[1], x * bias)


def test_set_num_threads_refuses_nonsense():
    with pytest.raises(ValueError, match="positive integer, got 0"):
        _native.set_num_threads(0)


def test_threads_of_python_share_the_pool():
    x = np.random.default_rng(0).normal(size=300_000).astype(np.float32)
    failures = []

    def work():
        for _ in range(20):
            if not np.array_equal(_native.add(x, x), x + x):
                failures.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_pool_survives_a_fork():
    x = np.ones(500_000, np.float32)
    _native.add(x, x)  # the pool's threads run now
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(_native.add(x, x), x + x) else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
