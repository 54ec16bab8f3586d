"""``ImageDataGenerator`` without Keras: exact moves, iteration, refusals, threads."""

import importlib

import numpy as np
import pytest

from minidl.keras.preprocessing import image
from minidl.keras.preprocessing.image import affine

G = image.ImageDataGenerator
X = np.random.default_rng(0).uniform(0, 255, (6, 8, 8, 3)).astype("float32")


def test_whole_moves_are_exact():
    x = X[0]
    move = G().apply_transform
    np.testing.assert_allclose(move(x, {"theta": 90}), np.rot90(x, 1), atol=1e-3)
    np.testing.assert_allclose(move(x, {"theta": 180}), x[::-1, ::-1], atol=1e-3)
    np.testing.assert_array_equal(move(x, {"flip_horizontal": True}), x[:, ::-1])
    np.testing.assert_array_equal(move(x, {"flip_vertical": True}), x[::-1])
    np.testing.assert_array_equal(move(x, {"ty": 2})[:-2], x[2:])
    np.testing.assert_array_equal(move(x, {"tx": 2})[:, :-2], x[:, 2:])
    np.testing.assert_array_equal(move(x, {}), x)


@pytest.mark.parametrize(
    ("mode", "edge"),
    [
        ("nearest", [4, 5, 5, 5]),
        ("reflect", [4, 5, 5, 4]),
        ("constant", [4, 5, 9, 9]),
        ("mirror", [4, 5, 4, 3]),
    ],
)
@pytest.mark.parametrize("order", [0, 1, 3, 4])
def test_what_is_beyond_the_edge(mode, edge, order):
    x = np.arange(6.0)[None, :, None] * np.ones((6, 1, 1))
    moved = G(fill_mode=mode, cval=9.0, interpolation_order=order).apply_transform(x, {"tx": 2})
    np.testing.assert_allclose(moved[3, 2:, 0], edge, rtol=1e-6)


@pytest.mark.parametrize("order", [1, 3])
def test_one_image_is_as_in_a_batch_whatever_the_threads(order, monkeypatch):
    matrices = [affine.affine_matrix(8, 8, theta=10 * i, zx=1.1) for i in range(1, 7)]
    plain = affine.affine_batch(X, matrices, order)
    reference = importlib.import_module("minidl.backends.reference.affine")
    monkeypatch.setattr(reference, "_WORTH_THREADS", 1)
    monkeypatch.setattr(reference, "_GROUP", 1)  # an image a task
    np.testing.assert_array_equal(affine.affine_batch(X, matrices, order), plain)
    for i, matrix in enumerate(matrices):
        np.testing.assert_array_equal(affine.affine_batch(X[i : i + 1], [matrix], order)[0], plain[i])


def test_flips_come_after_the_moves():
    change = {"theta": 25, "tx": 1.5, "zx": 0.7}
    plain = G().apply_transform(X[0], change)
    flipped = G().apply_transform(X[0], {**change, "flip_horizontal": True, "flip_vertical": True})
    np.testing.assert_array_equal(flipped, plain[::-1, ::-1])


def test_batches_go_round():
    flow = G().flow(X, np.arange(6), batch_size=4, shuffle=False)
    assert len(flow) == 2
    sizes = [len(next(flow)[0]) for _ in range(4)]
    assert sizes == [4, 2, 4, 2]
    flow.reset()
    np.testing.assert_array_equal(next(flow)[1], [0, 1, 2, 3])
    with pytest.raises(ValueError, match="length 2"):
        flow[2]
    shuffled = G().flow(X, np.arange(6), batch_size=6, seed=0)
    assert sorted(next(shuffled)[1]) == list(range(6))
    assert not np.array_equal(next(shuffled)[1], next(shuffled)[1])


def test_images_are_left_as_they_were():
    kept = X.copy()
    generator = G(rescale=0.5, samplewise_center=True, horizontal_flip=True, channel_shift_range=9.0)
    generator.fit(X)
    next(generator.flow(X))
    np.testing.assert_array_equal(X, kept)


def test_normalisers():
    generator = G(featurewise_center=True, featurewise_std_normalization=True)
    generator.fit(X)
    batch = next(generator.flow(X, shuffle=False, batch_size=6))
    np.testing.assert_allclose(batch.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(batch.std((0, 1, 2)), 1, atol=1e-3)
    one = generator.standardize(X[0].copy())
    np.testing.assert_allclose(one, batch[0], atol=1e-5)
    with pytest.warns(UserWarning, match="hasn't been fit"):
        next(G(featurewise_center=True).flow(X))
    with pytest.warns(UserWarning, match="overrides"):
        assert G(featurewise_std_normalization=True).featurewise_center


def test_further_inputs_and_weights():
    flow = G().flow(
        (X, np.arange(6)), np.arange(6), sample_weight=np.arange(6.0), batch_size=2, shuffle=False
    )
    (images, extra), y, weight = next(flow)
    assert images.shape == (2, 8, 8, 3)
    assert extra.tolist() == y.tolist() == weight.tolist() == [0, 1]
    assert next(G().flow(X)).shape == (6, 8, 8, 3)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: G(zoom_range="a"), ValueError, "zoom_range"),
        (lambda: G(brightness_range=1.0), ValueError, "brightness_range"),
        (lambda: G(validation_split=2.0), ValueError, "validation_split"),
        (lambda: G(data_format="x"), ValueError, "data_format"),
        (
            lambda: G(rotation_range=1, interpolation_order=6).random_transform(X[0]),
            RuntimeError,
            "spline order not supported",
        ),
        (lambda: G(rotation_range=1, fill_mode="x").random_transform(X[0]), ValueError, "fill_mode"),
        (lambda: G().fit(X[0]), ValueError, "rank 4"),
        (lambda: G().flow(X[0]), ValueError, "rank 4"),
        (lambda: G().flow(X, [1]), ValueError, "same length"),
        (lambda: G().flow(X, sample_weight=[1]), ValueError, "same length"),
        (lambda: G().flow(X, subset="x"), ValueError, "subset"),
        (lambda: G(validation_split=0.5).flow(X, np.arange(6), subset="training"), ValueError, "shuffle"),
        (lambda: G().flow_from_directory(".", wrong=1), TypeError, "unexpected"),
        (lambda: G().flow_from_directory(".", class_mode="x"), ValueError, "class_mode"),
        (lambda: G().flow_from_directory(".", color_mode="x"), ValueError, "color mode"),
        (lambda: image.apply_affine_transform(X, 1), ValueError, "2D"),
        (lambda: image.random_zoom(X[0], (1, 2, 3)), ValueError, "zoom_range"),
        (lambda: image.load_img(3), TypeError, "path"),
    ],
)
def test_refusals(call, error, text):
    if "load_img" in call.__code__.co_names:
        pytest.importorskip("PIL", reason="files need Pillow")
    with pytest.raises(error, match=text):
        call()


def test_channels_other_than_colours_warn():
    with pytest.warns(UserWarning, match="channels"):
        G().fit(np.zeros((2, 4, 4, 2)))
    with pytest.warns(UserWarning, match="channels"):
        G().flow(np.zeros((2, 4, 4, 2)))
