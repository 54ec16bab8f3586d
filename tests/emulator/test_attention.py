"""The attention kernels against NumPy in float64: widths, masks, strides, all schedules, low precision."""

import ml_dtypes
import numpy as np
import pytest

from minidl import backends
from minidl.backends import emulated

DTYPES = {"float32": 2e-5, "float64": 1e-12, "float16": 4e-3, "bfloat16": 3e-2}


def array(shape, dtype, seed):
    values = np.random.default_rng(seed).standard_normal(shape)
    return values.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def bias_of(kind, queries, keys):
    if kind == "blind":  # the second query looks nowhere, the others not at the first key
        bias = np.zeros((queries, keys))
        bias[:, 0] = bias[1] = -np.inf
        return bias
    return np.random.default_rng(9).standard_normal((1, queries, keys)) if kind == "bias" else None


def expected(g, query, key, value, bias, causal, scale):
    """Output and gradients from the whole matrix of scores."""
    scores = query @ key.swapaxes(-1, -2) * scale + (0 if bias is None else bias)
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    largest = scores.max(-1, keepdims=True)
    p = np.exp(scores - np.where(np.isinf(largest), 0, largest))
    p = p / np.where(p.sum(-1, keepdims=True) == 0, 1, p.sum(-1, keepdims=True))
    out = p @ value
    ds = p * (g @ value.swapaxes(-1, -2) - (g * out).sum(-1, keepdims=True)) * scale
    return out, ds @ key, ds.swapaxes(-1, -2) @ query, p.swapaxes(-1, -2) @ g


def run(device, inputs, bias, causal, scale, needs=(True, True, True)):
    """Output and gradients by the kernels; no part may fall through."""
    backend = backends.on(device)
    g, query, key, value = (backend.xp.asarray(x) for x in inputs)
    bias = None if bias is None else backend.xp.asarray(bias.astype(inputs[0].dtype))
    with backends.trace_fallbacks() as fallen:
        out, lse = backend.attention(query, key, value, bias, causal, scale)
        grads = backend.attention_backward(g, query, key, value, bias, out, lse, causal, scale, needs)
    assert not fallen
    return [None if x is None else x.get() for x in (out, *grads)]


def agree(found, wanted, dtype):
    tolerance = DTYPES[dtype]
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine.shape == theirs.shape and str(mine.dtype) == dtype
        np.testing.assert_allclose(mine.astype(float), theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["plain", "causal", "bias", "blind"])
@pytest.mark.parametrize("width", [(5, 7), (33, 40), (100, 3)], ids=str)
def test_attention(width, kind, dtype, gpu):
    if dtype == "float64" and max(width) > 64:
        pytest.skip("wider than the tiles of float64")
    queries, keys, (features, values) = 37, 41, width
    shapes = (2, queries, values), (2, queries, features), (2, keys, features), (2, keys, values)
    inputs = [array(shape, dtype, seed) for seed, shape in enumerate(shapes)]
    bias, causal = bias_of(kind, queries, keys), kind == "causal"
    wanted = expected(*(x.astype(float) for x in inputs), bias, causal, 0.3)
    agree(run(gpu, inputs, bias, causal, 0.3), wanted, dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_any_strides_and_only_what_is_needed(dtype, gpu):
    heads = array((3, 9, 2, 4, 8), dtype, 5)  # as a projection leaves them: (parts, L, N, H, E)
    query, key, value = (part.transpose(1, 2, 0, 3) for part in heads)
    g = array((2, 4, 8, 9), dtype, 6).swapaxes(-1, -2)
    inputs = g, query, key, value
    wanted = expected(*(x.astype(float) for x in inputs), None, True, 1.0)
    for needs in ((True, False, False), (False, True, False), (False, False, True)):
        found = run(gpu, inputs, None, True, 1.0, needs)
        agree(found[:1], wanted[:1], dtype)
        for mine, theirs, need in zip(found[1:], wanted[1:], needs, strict=True):
            assert (mine is not None) == need
            if need:
                agree([mine], [theirs], dtype)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 50), (50, 1)], ids=str)
def test_one_query_or_key(sizes, gpu):
    queries, keys = sizes
    shapes = (1, queries, 4), (1, queries, 6), (1, keys, 6), (1, keys, 4)
    inputs = [array(shape, "float32", seed) for seed, shape in enumerate(shapes)]
    wanted = expected(*(x.astype(float) for x in inputs), None, False, 0.5)
    agree(run(gpu, inputs, None, False, 0.5), wanted, "float32")


def test_a_nan_is_handed_on_to_its_own_row(gpu):
    inputs = [array((1, 20, 4), "float32", seed) for seed in range(4)]
    inputs[1][0, 3, 0] = np.nan
    out = run(gpu, inputs, None, False, 0.5)[0]
    assert np.isnan(out[0, 3]).all() and np.isfinite(np.delete(out, 3, 1)).all()


def test_what_does_not_fit_the_tiles_falls_through(gpu):
    backend = backends.on(gpu)
    query = backend.xp.asarray(array((1, 2, 129), "float32", 0))
    with backends.trace_fallbacks() as fallen:
        out, _ = backend.attention(query, query, query, None, False, 1.0)
    assert fallen == [(gpu, "attention")] and out.shape == (1, 2, 129)


def test_the_extension_refuses_what_does_not_fit_the_tiles():
    if emulated.extension() is None:
        pytest.skip(emulated.unavailable_reason())
    x, lse = np.zeros((2, 129), np.float32), np.zeros(2, np.float32)
    parts, rows = ((a.__array_interface__["data"][0], "f", a.shape, a.strides) for a in (x, lse))
    with pytest.raises(ValueError, match="129 features"):
        emulated.extension().attention(parts, parts, parts, None, False, 1.0, parts, rows, 0)


@pytest.mark.parametrize("kind", ["plain", "causal"])
def test_an_older_gpu_computes_halves_without_tensor_cores(kind, gpu, monkeypatch):
    if gpu == "cuda":
        pytest.skip("the GPU is what it is")
    monkeypatch.setenv("MINIDL_EMULATOR_CAPABILITY", "7.5")
    inputs = [array((1, 20, 24), "float16", seed) for seed in range(4)]
    wanted = expected(*(x.astype(float) for x in inputs), None, kind == "causal", 0.3)
    agree(run(gpu, inputs, None, kind == "causal", 0.3), wanted, "float16")


@pytest.mark.parametrize("sizes", [(130, 70), (64, 128), (3, 200)], ids=str)
def test_tiles_that_hang_over(sizes, gpu):
    queries, keys = sizes
    shapes = (1, queries, 24), (1, queries, 32), (1, keys, 32), (1, keys, 24)
    for dtype in ("float32", "bfloat16"):
        inputs = [array(shape, dtype, seed) for seed, shape in enumerate(shapes)]
        for causal in (False, True):
            wanted = expected(*(x.astype(float) for x in inputs), None, causal, 0.2)
            agree(run(gpu, inputs, None, causal, 0.2), wanted, dtype)
