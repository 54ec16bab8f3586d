"""Layers of images and numbers beside Keras': those that draw, where the range leaves one value."""

import keras
import numpy as np
import pytest
from beside_keras import Row, compare, compare_configs, numbers

from minidl import keras as ours

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation", "ignore:.*given NumPy array")
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 255, (2, 7, 8, 3)).astype("float32")
FIRST = {"data_format": "channels_first"}


def same(name, *args, inputs=IMAGES, training=True, tolerance=1e-3, **kwargs):
    """The outputs of both layers, and their configs."""
    theirs, mine = (getattr(kit.layers, name)(*args, **kwargs) for kit in (keras, ours))
    options = {} if training is None else {"training": training}
    wanted, got = numbers(theirs(inputs, **options)), numbers(mine(inputs, **options))
    assert wanted.shape == got.shape
    np.testing.assert_allclose(got, wanted, atol=tolerance)
    compare_configs(theirs, mine)


@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize(
    ("name", "args"),
    [("RandomRotation", ((0.13, 0.13),)), ("RandomZoom", ((0.21, 0.21), (-0.33, -0.33))),
     ("RandomZoom", ((0.33, 0.33),)), ("RandomTranslation", ((0.21, 0.21), (-0.34, -0.34)))],
)  # fmt: skip
def test_moved_images_equal_keras(name, args, fill_mode, interpolation):
    same(name, *args, fill_mode=fill_mode, interpolation=interpolation, fill_value=7.0)


def test_channels_first_and_single_images():
    same("RandomRotation", (0.13, 0.13), inputs=IMAGES.transpose(0, 3, 1, 2), **FIRST)
    same("RandomRotation", (0.13, 0.13), inputs=IMAGES[0])


def test_brightness_equals_keras():
    same("RandomBrightness", (0.2, 0.2))


@pytest.mark.parametrize(
    ("name", "args"),
    [("RandomFlip", ()), ("RandomContrast", (0.2,)), ("RandomBrightness", (0.2,)), ("RandomZoom", (0.2,)),
     ("RandomRotation", (0.2,)), ("RandomTranslation", (0.2, 0.1))],
)  # fmt: skip
def test_nothing_changes_outside_training(name, args):
    same(name, *args, training=False)


@pytest.mark.parametrize("size", [(5, 5), (14, 9), (7, 8), (3, 12)])
@pytest.mark.parametrize(
    "options",
    [{}, {"interpolation": "nearest"}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 3.0},
     FIRST],
)  # fmt: skip
def test_resizing_equals_keras(size, options):
    inputs = IMAGES.transpose(0, 3, 1, 2) if options is FIRST else IMAGES
    same("Resizing", *size, inputs=inputs, training=None, **options)


@pytest.mark.parametrize("size", [(5, 5), (4, 8), (9, 4)])
def test_center_crop_equals_keras(size):
    same("CenterCrop", *size, training=None)


ROWS = [
    Row("Rescaling", (1 / 255,), (2, 3, 4), offset=-1.0),
    Row("Rescaling", (2.0,), (2, 3, 4)),
    *[Row("CategoryEncoding", (5,), np.array([[1, 0, 4], [2, 2, 3]]), output_mode=m, grad=False)
      for m in ("multi_hot", "count", "one_hot")],
    Row("CategoryEncoding", (5,), np.array([[1], [3]]), output_mode="one_hot", grad=False),
    Row("Normalization", (), (4, 3), mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]),
    Row("Normalization", (), (4, 3), mean=2.0, variance=4.0, axis=None, invert=True),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_preparing_layers_equal_keras(row):
    compare(row)


@pytest.mark.parametrize("axis", [-1, None, 1, (1, 2)])
def test_normalization_adapts_as_keras_does(axis):
    x = RNG.normal(3.0, 2.0, (9, 4, 3)).astype("float32")
    theirs, mine = (kit.layers.Normalization(axis=axis) for kit in (keras, ours))
    theirs.adapt(x), mine.adapt(x)
    np.testing.assert_allclose(numbers(mine(x)), numbers(theirs(x)), atol=1e-5)
    for w, g in zip(theirs.get_weights(), mine.get_weights(), strict=True):
        np.testing.assert_allclose(np.squeeze(g), np.squeeze(w), rtol=1e-5)
        assert g.shape == w.shape
    assert [w.name for w in mine.weights] == [w.name for w in theirs.weights]


def test_normalization_adapts_to_batches():
    x = RNG.normal(3.0, 2.0, (9, 3)).astype("float32")
    whole, parts = ours.layers.Normalization(), ours.layers.Normalization()
    whole.adapt(x), parts.adapt(iter([x[:4], x[4:]]))
    np.testing.assert_allclose(parts.variance.numpy(), whole.variance.numpy(), rtol=1e-5)
