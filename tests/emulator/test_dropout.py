"""Random arrays and dropout by the CUDA kernels against the reference: bits, positions in device memory, masks."""

import importlib

import ml_dtypes
import numpy as np
import pytest

from minidl import backends
from minidl.backends.device_calls import stream, view

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
floats = pytest.mark.parametrize("dtype", FLOATS, ids=lambda d: np.dtype(d).name)
SHAPES = [(), (1,), (0, 3), (5, 7), (2, 3, 8), (1031,)]
SEED, OFFSET = (7 << 40) + 3, 2**32 - 3


@pytest.fixture
def space(gpu):
    return backends.on(gpu)


def agree(found, wanted):
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    np.testing.assert_array_equal(found.get(), wanted)


@floats
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_dropout_drops_what_the_reference_drops(space, shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    with backends.trace_fallbacks() as fallen:
        out, mask = space.dropout(space.xp.asarray(x), 0.3, 1 / 0.7, SEED, OFFSET)
        back = space.masked_scale(space.xp.asarray(x), mask, 1 / 0.7)
    assert not fallen
    wanted, wanted_mask = backends.reference.dropout(x, 0.3, 1 / 0.7, SEED, OFFSET)
    agree(out, wanted)
    agree(mask, wanted_mask)
    agree(back, wanted)


@floats
def test_dropout_takes_any_strides_and_masks_that_broadcast(space, dtype):
    x = np.random.default_rng(1).standard_normal((6, 10, 4)).astype(dtype)
    turned = space.xp.asarray(x).transpose(2, 0, 1)[:, ::2]
    wanted = backends.reference.dropout(x.transpose(2, 0, 1)[:, ::2], 0.5, 2.0, SEED, OFFSET)
    for found, expected in zip(space.dropout(turned, 0.5, 2.0, SEED, OFFSET), wanted, strict=True):
        agree(found, expected)
    for shape in ((4, 1, 10), (10,), (1, 3, 1)):
        mask = np.random.default_rng(2).random(shape) < 0.5
        found = space.masked_scale(turned, space.xp.asarray(mask), 3.0)
        agree(found, backends.reference.masked_scale(x.transpose(2, 0, 1)[:, ::2], mask, 3.0))


@floats
def test_what_is_dropped_of_nan_stays_nan(space, dtype):
    x = np.full(9, np.nan, dtype)
    out, mask = space.dropout(space.xp.asarray(x), 0.5, 2.0, 1, 0)
    assert np.isnan(out.get().astype(float)).all() and not mask.get().all()


def test_a_probability_is_rounded_as_the_uniforms_are(space):
    uniform = backends.reference.philox_uniform((64,), np.float32, 5, 0)
    x = np.ones(64, np.float32)
    for p in (float(uniform[9]), float(np.nextafter(uniform[9], np.float32(1))), 0.0, 1.0):
        mask = space.dropout(space.xp.asarray(x), p, 1.0, 5, 0)[1]
        np.testing.assert_array_equal(mask.get(), uniform >= np.float32(p))


def test_a_word_in_device_memory_moves_a_draw(space):
    xp, ext = space.xp, importlib.import_module(f"minidl.backends.{space.name}").extension()
    out, word = xp.empty((37,), "float32"), xp.asarray(np.array([5], np.uint64))
    ext.random_uniform(view(out), 3, 2, word.data.ptr, stream(xp))
    agree(out, backends.reference.philox_uniform((37,), np.float32, 3, 7))


@pytest.mark.parametrize("name", ["philox_uniform", "philox_normal", "philox_exponential"])
@floats
def test_floats_are_those_of_the_reference(space, name, dtype):
    for size in (1, 2, 3, 1025):
        with backends.trace_fallbacks() as fallen:
            found = getattr(space, name)((size,), dtype, SEED, OFFSET).get()
        wanted = getattr(backends.reference, name)((size,), dtype, SEED, OFFSET)
        assert not fallen and found.dtype == wanted.dtype
        limit = 0 if name == "philox_uniform" else 4
        error = np.abs(found.astype(float) - wanted.astype(float))
        assert bool((error <= limit * np.abs(np.spacing(wanted).astype(float))).all())
