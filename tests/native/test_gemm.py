"""Matrix products in C++: every edge of a tile, every stride, every epilogue, on every instruction set."""

import itertools
import math

import numpy as np
import pytest
import thread_counts
from products import check, drawn, wide

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

# Around the edges of tiles (6 or 14 rows, 1 or 2 vectors of 2 to 16 columns) and of stretches of the depth (256).
ROWS = [0, 1, 2, 5, 6, 7, 11, 12, 13, 14, 15, 27, 28, 29]
COLS = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 65]
DEPTHS = [0, 1, 2, 7, 15, 16, 17, 255, 256, 257]
LARGE = [
    (225, 40, 300),
    (40, 540, 520),
    (113, 513, 257),
    (449, 600, 33),
    (1, 700, 600),
    (700, 1, 600),
    (33, 65, 1100),
]
TRANSPOSES = list(itertools.product((False, True), repeat=2))
FORMS = ["serial", "parallel", "packed"]


def fenced(shape, dtype, gap=3):
    """An array of NaN whose rows lie apart, and the memory around it, filled with 7."""
    memory = np.full((shape[0] + 2, shape[1] + 2 * gap), 7, dtype)
    inside = memory[1 : shape[0] + 1, gap : gap + shape[1]]
    inside[...] = np.nan
    return inside, memory


def assert_fences(inside, memory):
    inside[...] = 7
    assert (memory == 7).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_edges_of_tiles(dtype, transposes):
    rng = np.random.default_rng(0)
    for number, (m, n, k) in enumerate(itertools.product(ROWS, COLS, DEPTHS)):
        if number % 3 and k not in (0, 17, 257):
            continue  # enough of the ordinary depths
        a, b = (drawn(rng, s, dtype, t) for s, t in zip([(m, k), (k, n)], transposes, strict=True))
        out, memory = fenced((m, n), dtype)
        _native.gemm_into(out, a, b, form=FORMS[number // 3 % 3])
        check(out.copy(), a, b)
        assert_fences(out, memory)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_blocks_and_threads(form, transposes):
    rng = np.random.default_rng(0)
    for m, n, k in LARGE:
        a, b = (drawn(rng, s, np.float32, t) for s, t in zip([(m, k), (k, n)], transposes, strict=True))

        def compute(a=a, b=b, shape=(m, n)):
            out = np.full(shape, np.nan, np.float32)
            _native.gemm_into(out, a, b, form=form)
            return [out]

        (out,) = thread_counts.assert_no_difference(compute)
        check(out, a, b)


def test_forms_agree_to_the_bit():
    rng = np.random.default_rng(0)
    for m, n, k in [*LARGE, (64, 64, 64), (130, 200, 700)]:
        if 1 in (m, n):
            continue  # a packed matrix is not the fastest way to multiply a vector
        a, b = drawn(rng, (m, k), np.float32), drawn(rng, (k, n), np.float32)
        outs = [np.empty((m, n), np.float32) for _ in FORMS]
        for out, form in zip(outs, FORMS, strict=True):
            _native.gemm_into(out, a, b, form=form)
        np.testing.assert_array_equal(outs[0], outs[1])
        np.testing.assert_array_equal(outs[0], outs[2])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("k", [0, 5, 600])
def test_accumulates_and_adds_biases(form, k):
    rng = np.random.default_rng(0)
    for m, n in [(1, 1), (1, 90), (90, 1), (13, 33), (40, 70), (300, 100)]:
        a, b = drawn(rng, (m, k), np.float32), drawn(rng, (k, n), np.float32)
        before, bias, row_bias = (drawn(rng, s, np.float32) for s in [(m, n), (n,), (m,)])
        for use in itertools.product((False, True), repeat=3):
            out, memory = fenced((m, n), np.float32)
            if use[0]:
                out[...] = before
            _native.gemm_into(
                out, a, b, accumulate=use[0], bias=bias if use[1] else None,
                row_bias=row_bias if use[2] else None, form=form,
            )  # fmt: skip
            plus = use[0] * wide(before) + use[1] * wide(bias) + use[2] * wide(row_bias)[:, None]
            size = (
                np.abs(wide(a)) @ np.abs(wide(b)) + np.abs(before) + np.abs(bias) + np.abs(row_bias)[:, None]
            )
            assert (np.abs(out - (wide(a) @ wide(b) + plus)) <= (k + 4) * 6e-8 * size).all()
            assert_fences(out, memory)


ACTIVATIONS = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / np.sqrt(2))) / 2,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_activations(dtype, name):
    rng = np.random.default_rng(0)
    for m, n, k in [(3, 5, 4), (29, 49, 300), (200, 64, 20)]:
        a, b, bias = (drawn(rng, s, dtype) for s in [(m, k), (k, n), (n,)])
        for form in FORMS:
            out, memory = fenced((m, n), dtype)
            _native.gemm_into(out, a, b, bias=bias, activation=name, form=form)
            expected = ACTIVATIONS[name]((wide(a) @ wide(b) + bias).astype(np.float64))
            tolerance = 600 * np.finfo(dtype).eps
            np.testing.assert_allclose(out, expected, rtol=tolerance, atol=tolerance * np.sqrt(k))
            assert_fences(out, memory)


def test_relu_lets_nan_pass():
    out = np.zeros((1, 3), np.float32)
    _native.gemm_into(
        out, np.ones((1, 1), np.float32), np.array([[np.nan, -1, 2]], np.float32), activation="relu"
    )
    np.testing.assert_array_equal(out, [[np.nan, 0, 2]])


def test_nan_and_infinity_spread_as_in_the_triple_loop():
    rng = np.random.default_rng(0)
    for m, n, k in [(13, 33, 20), (64, 80, 300), (1, 200, 300), (200, 1, 300)]:
        for where, value in [((m - 1, k - 1), np.nan), ((0, 0), np.inf)]:
            a, b = drawn(rng, (m, k), np.float32), drawn(rng, (k, n), np.float32)
            b[where[1]] = 0
            a[where] = value  # meets zeros only: 0 * inf is NaN
            for form in FORMS:
                out = np.empty((m, n), np.float32)
                _native.gemm_into(out, a, b, form=form)
                assert np.isnan(out[where[0]]).all()
                assert np.isfinite(np.delete(out, where[0], axis=0)).all()  # padding makes no NaN


@pytest.mark.parametrize("form", FORMS)
def test_any_strides(form):
    rng = np.random.default_rng(0)
    base = rng.standard_normal((80, 90)).astype(np.float32)
    views = [
        base[::2, ::3],
        base[::-1, ::-1],
        base[:, ::-1].T,
        base[3:43, 5:6].repeat(2, 1)[::-1],
        np.broadcast_to(base[0], (70, 90)),
        np.broadcast_to(base[:, :1], (80, 60)),
        np.broadcast_to(base[5, 5], (33, 47)),
    ]
    for a, b in itertools.product(views, repeat=2):
        k = min(a.shape[1], b.shape[0])
        a, b = a[:, :k], b[:k]
        out = np.empty((a.shape[0], b.shape[1]), np.float32)
        _native.gemm_into(out, a, b, form=form)
        check(out, a, b)


def test_refuses_what_does_not_fit():
    def f(*shape):
        return np.zeros(shape, np.float32)

    for c, a, b, options, error in [
        (f(2, 3), f(2, 4), f(5, 3), {}, ValueError),
        (f(2, 3), f(2, 4), f(4, 2), {}, ValueError),
        (f(2, 6)[:, ::2], f(2, 4), f(4, 3), {}, ValueError),
        (f(2, 3), f(2, 4), f(4, 3).astype(np.float64), {}, TypeError),
        (f(2, 3).astype(np.int32), f(2, 4), f(4, 3), {}, TypeError),
        (f(2, 3), f(2, 4), f(4, 3), {"bias": f(2)}, ValueError),
        (f(2, 3), f(2, 4), f(4, 3), {"activation": "cosine"}, ValueError),
        (f(2, 3), f(2, 4), f(4, 3), {"form": "folded"}, ValueError),
    ]:
        with pytest.raises(error, match="gemm"):
            _native.gemm_into(c, a, b, **options)
