"""Attention by the native backend beside the reference in float64: values, gradients, masks, memory, threads."""

import itertools

import numpy as np
import pytest
import thread_counts

from minidl import backends

_native = pytest.importorskip("minidl._native", exc_type=ImportError)

EPS = {"float32": 1e-5, "float64": 1e-13}
# (leading axes, L, S, E, V): around the blocks of 64 queries and 256 keys and every vector's width, one of all,
# and none of some.
SHAPES = [
    ((2, 3), 128, 128, 32, 32), ((), 5, 7, 3, 2), ((1,), 65, 257, 17, 33), ((1, 1), 1, 1, 1, 1), ((2,), 4, 0, 3, 3),
    ((2,), 0, 4, 3, 3), ((0, 2), 4, 4, 3, 3), ((1,), 3, 3, 0, 2), ((1,), 3, 3, 2, 0), ((1,), 70, 520, 8, 300),
    ((2,), 200, 90, 260, 8),
]  # fmt: skip
MASKS = ["none", "causal", "full", "queries", "keys", "blind"]


def draw(rng, dtype, *shape):
    return rng.standard_normal(shape).astype(dtype)


def bias_of(mask, rng, dtype, lead, queries, keys):
    if mask == "full":
        return draw(rng, dtype, *lead, queries, keys)
    if mask == "queries":
        return draw(rng, dtype, queries, 1)
    if mask == "keys":
        return draw(rng, dtype, 2 * keys)[::2]
    if mask == "blind":  # some queries look nowhere at all, some at nothing of a whole block
        bias = np.where(rng.random((queries, keys)) < 0.6, -np.inf, 0.0)
        bias[:2], bias[2:4, :256] = -np.inf, -np.inf
        return bias.astype(dtype)
    return None


def problem(shape, mask, dtype, seed=0):
    lead, queries, keys, width, value_width = shape
    rng = np.random.default_rng(seed)
    q, k, v = (
        draw(rng, dtype, *lead, *rest) for rest in ((queries, width), (keys, width), (keys, value_width))
    )
    return q, k, v, bias_of(mask, rng, dtype, lead, queries, keys), mask == "causal", 0.3


def wide(arguments):
    return [x.astype(np.float64) if isinstance(x, np.ndarray) else x for x in arguments]


def served(native, name, *arguments):
    found = native.overrides[name](*arguments)
    assert found is not NotImplemented
    return found


def close(found, wanted, tolerance):
    assert found.shape == wanted.shape
    finite = wanted[np.isfinite(wanted)]
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * np.abs(finite).max(initial=1))


def transposed(x):
    """Equal elements whose rows lie apart: columns are neighbours."""
    return np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2)


def heads_last(x):
    """Equal elements in the order that a split of joint heads has."""
    return np.ascontiguousarray(np.moveaxis(x, -2, 0)).transpose(*range(1, x.ndim - 1), 0, x.ndim - 1)


LAYOUTS = {
    "plain": lambda x: x,
    "transposed": transposed,
    "heads last": heads_last,
    "reversed": lambda x: x[..., ::-1, ::-1],
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    "mask, layout", [*((mask, "plain") for mask in MASKS), *(("causal", name) for name in [*LAYOUTS][1:])]
)
def test_values_and_gradients(native, dtype, shape, mask, layout):
    q, k, v, bias, causal, scale = problem(shape, mask, dtype)
    q, k, v = map(LAYOUTS[layout], (q, k, v))
    found = served(native, "attention", q, k, v, bias, causal, scale)
    arguments = wide((q, k, v, bias, causal, scale))
    wanted = backends.reference.attention(*arguments)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.dtype == dtype
        close(ours, theirs, EPS[dtype])
    g = LAYOUTS[layout](draw(np.random.default_rng(1), dtype, *found[0].shape))
    needs = (True, True, True)
    ours = served(native, "attention_backward", g, q, k, v, bias, *found, causal, scale, needs)
    theirs = backends.reference.attention_backward(
        g.astype(np.float64), *arguments[:4], *wanted, causal, scale, needs
    )
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == dtype
        close(one, other, 4 * EPS[dtype])


def test_gradients_that_nobody_needs_change_no_bit_of_the_others(native):
    q, k, v, bias, causal, scale = problem(((2,), 100, 300, 20, 24), "causal", "float32")
    kept = native.attention(q, k, v, bias, causal, scale)
    g = draw(np.random.default_rng(1), "float32", *kept[0].shape)
    every = native.attention_backward(g, q, k, v, bias, *kept, causal, scale, (True,) * 3)
    for needs in itertools.product((False, True), repeat=3):
        some = native.attention_backward(g, q, k, v, bias, *kept, causal, scale, needs)
        for one, other, need in zip(some, every, needs, strict=True):
            assert (one is not None) == need
            if need:
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("heads", [1, 3, 7, 40])
@pytest.mark.parametrize("mask", ["none", "causal"])
def test_the_same_bits_on_any_number_of_threads(native, heads, mask):
    q, k, v, bias, causal, scale = problem(((heads,), 330, 530, 16, 16), mask, "float32")
    g = draw(np.random.default_rng(1), "float32", heads, 330, 16)

    def compute():
        kept = native.attention(q, k, v, bias, causal, scale)
        return [*kept, *native.attention_backward(g, q, k, v, bias, *kept, causal, scale, (True,) * 3)]

    thread_counts.assert_no_difference(compute)


def test_plans():
    def plan(heads, queries=1024, threads=2, backward=False):
        return _native.attention_plan(heads, queries, queries * queries * 64, threads, backward)

    assert plan(64) == plan(64, backward=True) == (1, 0)
    assert plan(1, threads=1) == plan(1, queries=8) == (1, 0)
    assert plan(1000, queries=8) == (32, 0)  # heads that are not worth a task each
    assert plan(1) == plan(1, backward=True) == (0, 128)
    assert plan(3) == (0, 384) and plan(3, backward=True) == (0, 384)
    assert plan(4, backward=True) == (1, 0)  # even, and half the scores of two passes
    for heads, threads in itertools.product((1, 2, 5, 9), (2, 3, 16)):
        assert plan(heads, threads=threads)[1] % 64 == 0
    with pytest.raises(ValueError, match="attention_plan"):
        plan(0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_arrays_are_computed_in_float32_and_rounded_once(native, dtype):
    dtype = np.dtype(dtype if dtype == "float16" else pytest.importorskip("ml_dtypes").bfloat16)
    q, k, v, _, causal, scale = problem(((2,), 80, 300, 16, 16), "causal", "float32")
    q, k, v = (x.astype(dtype) for x in (q, k, v))
    out, lse = served(native, "attention", q, k, v, None, causal, scale)
    exact = backends.reference.attention(*wide((q, k, v, None, causal, scale)))
    assert out.dtype == dtype and lse.dtype == np.float32
    one = (
        2.0**-10 if dtype == np.float16 else 2.0**-7
    )  # of a unit in the last place, as a share of the number
    np.testing.assert_allclose(out.astype(np.float64), exact[0], rtol=0.51 * one, atol=1e-6)
    g = np.ones(out.shape, dtype)
    needs = (True, False, True)
    found = served(native, "attention_backward", g, q, k, v, None, out, lse, causal, scale, needs)
    wanted = backends.reference.attention_backward(*wide((g, q, k, v, None)), *exact, causal, scale, needs)
    assert found[1] is None
    for ours, theirs in zip(found[::2], wanted[::2], strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours.astype(np.float64), theirs, rtol=0.51 * one, atol=2e-5)


def test_results_lie_in_memory_as_the_query_does(native):
    q, k, v, *rest = problem(((2, 3), 10, 10, 4, 4), "causal", "float32")
    q = heads_last(q)
    out, lse = native.attention(q, k, v, *rest)
    assert out.strides == q.strides and lse.flags.c_contiguous
    dq, dk, _ = native.attention_backward(out, q, k, v, rest[0], out, lse, *rest[1:], (True,) * 3)
    assert dq.strides == q.strides and dk.flags.c_contiguous


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_what_is_not_finite_reaches_the_rows_that_see_it(native, poison):
    q, k, v, *rest = problem(((1,), 100, 300, 4, 4), "none", "float32")
    k[0, 270, 1] = poison
    out, lse = native.attention(np.abs(q), k, v, *rest)
    assert np.isnan(out).all() and not np.isfinite(lse).any()
    q, k, v, *rest = problem(((1,), 300, 300, 4, 4), "causal", "float32")
    k[0, 270, 1] = poison
    assert np.isfinite(native.attention(np.abs(q), k, v, *rest)[0][0, :270]).all()


def test_writes_stay_inside(native):
    q, k, v, *rest = problem(((2,), 70, 260, 5, 7), "causal", "float32")
    wanted = native.attention(q, k, v, *rest)
    memory = np.full((2, 72, 9), 7.5, np.float32)
    out, lse = memory[:, 1:71, 1:8], np.empty((2, 70), np.float32)
    _native.attention(q, k, v, *rest, out, lse)
    np.testing.assert_array_equal(out, wanted[0])
    out[...] = 7.5
    assert (memory == 7.5).all()
    grads = [np.full((2, n + 2, width + 2), 7.5, np.float32) for n, width in ((70, 5), (260, 5), (260, 7))]
    inner = [x[:, 1:-1, 1:-1] for x in grads]
    _native.attention_backward(q, k, v, *rest, wanted[0], *wanted, *inner)
    for whole, written in zip(grads, inner, strict=True):
        assert (written != 7.5).all()
        written[...] = 7.5
        assert (whole == 7.5).all()


@pytest.mark.parametrize(
    "name, array",
    [
        ("key", np.ones((2, 4, 3))), ("key", np.ones((2, 4, 5), np.float32)), ("value", np.ones((3, 4, 3), np.float32)),
        ("bias", np.ones((4, 3), np.float32)), ("out", np.ones((2, 5, 9), np.float32)[:, :, ::3]),
        ("lse", np.ones((2, 4), np.float32)), ("query", np.ones(3, np.float32)),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_errors(name, array):
    fitting = {
        "query": (2, 5, 3), "key": (2, 4, 3), "value": (2, 4, 3), "bias": (2, 5, 4), "out": (2, 5, 3), "lse": (2, 5),
    }  # fmt: skip
    arrays = {key: np.ones(shape, np.float32) for key, shape in fitting.items()}
    _native.attention(**arrays, causal=False, scale=1.0)
    with pytest.raises(ValueError, match="attention"):
        _native.attention(**arrays | {name: array}, causal=False, scale=1.0)
