"""Affine maps of images by the native backend beside the reference."""

import importlib
import itertools

import numpy as np
import pytest
import thread_counts

from minidl import backends
from minidl.testing.kernels import check_kernel

MODES = ["constant", "nearest", "reflect", "mirror", "wrap"]
DTYPES = [np.float32, np.float64]
# N, H, W, C: the channels that have loops of their own and others, sizes 1, rows longer than what is placed at once
SHAPES = [(2, 5, 7, 3), (1, 1, 1, 1), (3, 1, 6, 4), (2, 4, 1, 5), (1, 9, 8, 1), (1, 2, 515, 2), (1, 3, 2, 17)]


def matrices(count, seed=0):
    """Turns, stretches and shifts from none to some images wide."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 2, 3)) * [1, 1, 9] + [[1, 0, 0], [0, 1, 0]]


def draw(shape, dtype=np.float64):
    return np.random.default_rng(1).uniform(-1, 1, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_agrees_with_the_reference(native, mode, order, dtype):
    call = native.overrides["affine_images"]
    for shape, seed in itertools.product(SHAPES, range(3)):
        images, maps = draw(shape, dtype), matrices(shape[0], seed)
        found = call(images, maps, order, mode, 0.5)
        wanted = backends.reference.affine_images(images, maps, order, mode, 0.5)
        assert found.dtype == dtype and found.shape == shape
        tolerance = 8 * np.finfo(dtype).eps * order  # the nearest pixel is the same one
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance, err_msg=str((shape, seed)))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("mode", MODES)
def test_memory_around_and_layouts(native, mode, order):
    for dtype in DTYPES:
        call = (draw((2, 5, 6, 3), dtype), matrices(2), order, mode, 2.0), {}
        check_kernel("affine_images", calls=[call], devices=["cpu"])


def assert_same_places(native, maps, order, mode):
    """One image through many maps."""
    maps = np.array(maps, float)
    images = np.repeat(draw((1, 6, 4, 3)), len(maps), 0)
    found = native.overrides["affine_images"](images, maps, order, mode, 9.0)
    wanted = backends.reference.affine_images(images, maps, order, mode, 9.0)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14 * order)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_whole_and_half_steps(native, mode, order):
    """Places on the edges and halfway between pixels: what a rounding could turn over."""
    shifts = itertools.product((-13, -6, -5.5, -1, -0.5, 0, 0.5, 1, 3, 5, 6, 11.5, 12), repeat=2)
    turns = [[1, 0], [0, 1]], [[0, 1], [-1, 0]], [[-1, 0], [0, 0.5]], [[1 / 3, 0.1], [0.7, 1 / 3]]
    maps = [np.c_[turn, shift] for shift, turn in itertools.product(shifts, turns)]
    assert_same_places(native, maps, order, mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", [0, 1])
def test_places_that_are_huge_or_none(native, mode, order):
    values = np.nan, np.inf, -np.inf, 1e300, -1e300, 2.0**53, -(2.0**63), 2.0**64, 1e-320
    maps = np.tile([[[1.0, 0, 0], [0, 1, 0]]], (6 * len(values), 1, 1))
    for i, (value, place) in enumerate(itertools.product(values, range(6))):
        maps[i].reshape(-1)[place] = value
    assert_same_places(native, maps, order, mode)
    images, nowhere = np.ones((1, 3, 4, 2)), np.full((1, 2, 3), np.nan)
    for backend in (native, backends.reference):
        assert np.isnan(backend.affine_images(images, nowhere, order, mode, 9.0)).all()


@pytest.mark.parametrize("shape", [(1, 1, 5, 3), (1, 5, 1, 3)])
def test_an_infinity_stays_within_its_window(native, shape):
    """Images of one row or column have no next one, so 0 * inf cannot come from what follows in memory."""
    images = np.ones(shape)
    images.reshape(5, 3)[2, 1] = np.inf
    for backend in (native, backends.reference):
        found = backend.affine_images(images, np.array([[[1.0, 0, 0], [0, 1, 0]]]), 1, "nearest", 0.0)
        spoilt = np.argwhere(~np.isfinite(found.reshape(5, 3)))
        assert spoilt.tolist() == [[1, 1], [2, 1]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_of_threads_gives_the_same_bits(native, dtype, monkeypatch):
    images, maps = draw((9, 33, 70, 3), dtype), matrices(9)
    reference = importlib.import_module("minidl.backends.reference.affine")
    monkeypatch.setattr(reference, "_WORTH_THREADS", 1)
    monkeypatch.setattr(reference, "_GROUP", 1)  # an image a task
    thread_counts.assert_no_difference(
        lambda: [
            backend.affine_images(images, maps, order, mode, 0.0)
            for backend in (native, backends.reference)
            for order, mode in ((0, "wrap"), (1, "reflect"), (1, "constant"))
        ]
    )


def test_what_is_left_to_the_reference(native):
    images, maps = np.ones((2, 4, 4, 3), np.float32), matrices(2)
    call = native.overrides["affine_images"]
    refused = [
        call(images, maps, 2, "nearest", 0.0),
        call(images, maps, True, "nearest", 0.0),
        call(images, maps, 1, "mirrored", 0.0),
        call(images, maps, 1, "\udcff", 0.0),
        call(images, maps, 1, None, 0.0),
        call(images, maps, 1, "wrap", "0"),
        call(images, maps[:1], 1, "wrap", 0.0),
        call(images, maps[:, :1], 1, "wrap", 0.0),
        call(images, maps.astype(np.float32), 1, "wrap", 0.0),
        call(images[0], maps, 1, "wrap", 0.0),
        call(images.astype(np.float16), maps, 1, "wrap", 0.0),
    ]
    assert all(result is NotImplemented for result in refused)
    with pytest.raises(TypeError, match="5 arguments"):
        call(images, maps)
    for shape in ((0, 4, 4, 3), (2, 0, 4, 3), (2, 4, 0, 3), (2, 4, 4, 0)):
        for backend in (native, backends.reference):
            empty = backend.affine_images(np.ones(shape), matrices(shape[0]), 1, "wrap", 0.0)
            assert empty.shape == shape
