"""The functions of ``minidl._native`` that bypass pybind11: sums, small products; and the threads beneath them."""

import os
import threading
import time

import numpy as np
import pytest
import thread_counts
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minidl
from minidl.backends import threads

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

DTYPES = [np.float32, np.float64]


def wide(x):
    """The same values in a dtype in which rounding errors do not show."""
    return np.asarray(x, np.float64 if np.asarray(x).dtype == np.float32 else np.longdouble)


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
    np.testing.assert_allclose(_native.sum(x, dims, False), exact, rtol=3e-7)


def test_sum_spreads_nan_and_refuses_other_arguments():
    x = np.ones((3, 4), np.float32)
    x[1, 2] = np.nan
    assert np.isnan(_native.sum(x, (0, 1), False)) and np.isnan(_native.sum(x, (0,), False)).sum() == 1
    for arguments in [
        (x, 0, False),
        (x, (2,), False),
        (x, (-1,), False),
        (x[:, ::2], (0,), False),
        (x, (0,), 1),
    ]:
        assert _native.sum(*arguments) is NotImplemented
    assert _native.sum(np.arange(3, dtype=np.int32), (0,), False) is NotImplemented


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="times of threads are counted as POSIX does")
def test_the_number_of_threads_is_also_that_of_numpy_s_blas():
    """Products in double are the BLAS's: on one thread they use no more of the processor than the caller does."""
    if not threads._blas_setters():
        pytest.skip("NumPy's BLAS is not OpenBLAS from its wheel")
    before, x = minidl.get_num_threads(), np.ones((600, 600))
    minidl.set_num_threads(1)
    try:
        mine, all_of_them = time.thread_time(), time.process_time()
        for _ in range(8):
            x @ x
        mine, all_of_them = time.thread_time() - mine, time.process_time() - all_of_them
    finally:
        minidl.set_num_threads(before)
    assert all_of_them < 1.3 * mine + 0.02


def test_threads_of_python_share_the_pool():
    x = np.random.default_rng(0).normal(size=300_000).astype(np.float32)
    failures = []

    def work():
        for _ in range(20):
            if not np.array_equal(_native.add(x, x), x + x):
                failures.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for thread in workers:
        thread.start()
    for thread in workers:
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
