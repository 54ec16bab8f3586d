"""``matmul`` and ``linear`` in C++: batches that broadcast, and what stays with the BLAS."""

import numpy as np
import pytest
import thread_counts
from products import check, drawn, wide

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

BATCHES = [
    ((), ()), ((2,), (2,)), ((3, 2), (2,)), ((3, 1), (1, 4)), ((5,), ()), ((), (5,)), ((2, 3), (2, 3)),
    ((1,), (9,)), ((0,), (1,)), ((2, 0), (1,)), ((33,), (33,)),
]  # fmt: skip
MATRICES = [
    (1, 1, 1),
    (3, 5, 4),
    (33, 47, 20),
    (1, 70, 90),
    (70, 1, 90),
    (0, 3, 2),
    (3, 0, 2),
    (3, 2, 0),
    (130, 70, 260),
]


@pytest.mark.parametrize("batches", BATCHES)
def test_batches_broadcast(batches):
    rng = np.random.default_rng(0)
    for m, n, k in MATRICES:
        for swapped in (False, True):
            a = drawn(rng, (*batches[0], m, k), np.float32, swapped)
            b = drawn(rng, (*batches[1], k, n), np.float32, swapped)
            out = _native.matmul(a, b)
            assert out is not NotImplemented and out.flags.c_contiguous
            check(out, a, b)


def test_any_strides_of_batches():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 4, 10, 12)).astype(np.float32)
    for a in (
        x,
        x[::-1, ::2],
        x.transpose(1, 0, 2, 3),
        x[:, :1],
        np.broadcast_to(x[0, 0], (6, 4, 10, 12)),
        x[..., ::-1],
    ):
        check(_native.matmul(a, x[0, 0].T), a, x[0, 0].T)
        b = a.swapaxes(-1, -2)
        check(_native.matmul(a, b), a, b)
        # One B for all: the batch becomes rows where their distances allow.
        check(_native.matmul(a[..., :1, :], x[1, 1].T), a[..., :1, :], x[1, 1].T)


@pytest.mark.parametrize("shape", [(7, 4), (3, 200, 50), (2, 3, 1, 90), (1, 300), (64, 784), (0, 8), (5, 0)])
def test_linear(shape):
    rng = np.random.default_rng(0)
    x = drawn(rng, shape, np.float32)
    for features in (0, 1, 10, 33, 256):
        w, bias = drawn(rng, (features, shape[-1]), np.float32), drawn(rng, (features,), np.float32)
        check(_native.linear(x, w, None), x, w.T)
        check(_native.linear(x, w, bias), x, w.T, wide(bias))
        check(_native.linear(x[..., ::-1], w[:, ::-1], bias), x, w.T, wide(bias))


def test_results_do_not_depend_on_the_number_of_threads():
    rng = np.random.default_rng(0)
    pairs = [
        (drawn(rng, (m, k), np.float32), drawn(rng, (k, n), np.float32, swapped))
        for m, n, k in [
            (256, 256, 256),
            (64, 1024, 500),
            (2000, 64, 64),
            (1, 900, 900),
            (900, 1, 900),
            (40, 40, 3000),
        ]
        for swapped in (False, True)
    ]
    pairs.append((drawn(rng, (40, 30, 20), np.float32), drawn(rng, (40, 20, 30), np.float32)))
    pairs.append((drawn(rng, (3, 200, 200), np.float32), drawn(rng, (3, 200, 200), np.float32)))
    thread_counts.assert_no_difference(lambda: [_native.matmul(a, b) for a, b in pairs])


def test_what_is_refused():
    x = np.ones((4, 4), np.float32)
    large = np.ones((64, 64))
    assert _native.matmul(large, large) is NotImplemented  # double belongs to the BLAS
    assert _native.matmul(x, np.ones((3, 4), np.float32)) is NotImplemented
    assert _native.matmul(x, np.ones((4, 4))) is NotImplemented
    assert _native.matmul(x, x[0]) is NotImplemented
    assert _native.matmul(np.ones((2, 4, 4), np.float32), np.ones((3, 4, 4), np.float32)) is NotImplemented
    assert _native.matmul(x.astype(">f4"), x) is NotImplemented
    assert _native.linear(x, x[None], None) is NotImplemented
    assert _native.linear(x, x, np.ones(3, np.float32)) is NotImplemented
    assert _native.linear(x, x, np.ones(4)) is NotImplemented
