"""Layers of images and numbers beside Keras': those that draw, where the range leaves one value."""

import keras
import numpy as np
import pytest
import torch
from beside_keras import Row, compare, compare_configs, numbers

import minidl
from minidl import keras as ours

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation", "ignore:.*given NumPy array", "ignore:.*Tensor.T is deprecated"
)
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


@pytest.mark.parametrize("highest", [255, 1])
@pytest.mark.parametrize(
    ("name", "args", "options"),
    [("RandomBrightness", ((0.2, 0.2),), {}), ("RandomContrast", ((0.0, 0.0),), {}),
     ("RandomSaturation", ((0.3, 0.3),), {}), ("RandomSaturation", ((0.8, 0.8),), {}),
     ("RandomColorDegeneration", ((0.4, 0.4),), {}), ("RandomInvert", ((1, 1),), {}),
     ("RandomPosterization", ((3, 3),), {}), ("RandomSharpness", ((0.2, 0.2),), {}),
     ("RandomSharpness", ((0.9, 0.9),), {}), ("Solarization", (), {}), ("AutoContrast", (), {}),
     ("Equalization", (), {}),
     ("Equalization", (), {"bins": 64}), ("RandomColorJitter", (), {"brightness_factor": (0.1, 0.1)}),
     ("RandomColorJitter", (), {"contrast_factor": (0.0, 0.0), "saturation_factor": (0.4, 0.4)}),
     ("RandomErasing", ((1, 1),), {"scale": (1, 1), "fill_value": (7.0, 8.0, 9.0)}),
     ("RandomGaussianBlur", ((1, 1),), {"sigma": (0.7, 0.7)}),
     ("RandomGaussianBlur", ((1, 1),), {"sigma": (0.7, 0.7), "kernel_size": 5})],
)  # fmt: skip
def test_colours_equal_keras(name, args, options, highest):
    images = IMAGES / 255 * highest
    for training in (True, False):
        same(name, *args, inputs=images, training=training, value_range=(0, highest), **options)


def test_grey_and_posed_images_equal_keras():
    theirs, mine = (kit.layers.RandomGrayscale(1.0) for kit in (keras, ours))
    np.testing.assert_allclose(numbers(mine(IMAGES)), numbers(theirs(IMAGES)), atol=1e-3)
    same("RandomPerspective", (1, 1), scale=0.0)
    theirs, mine = (kit.layers.RandomShear(fill_mode="wrap") for kit in (keras, ours))
    np.testing.assert_allclose(numbers(mine(IMAGES)), numbers(theirs(IMAGES)), atol=1e-3)
    assert keras.layers.RandomShear.from_config(mine.get_config()).get_config() == theirs.get_config() | {
        "name": mine.name
    }


def drawn_alike(mine, theirs, transformation, data, configs=True):
    """What Keras' layer makes of what ours drew, and what ours does."""
    drawn = mine.draw(minidl.tensor(IMAGES))
    wanted = theirs.transform_images(torch.tensor(IMAGES), transformation(*drawn))
    np.testing.assert_allclose(
        numbers(mine.changed(minidl.tensor(IMAGES), drawn)), numbers(wanted), atol=2e-3
    )
    if configs:  # Keras cannot read its own config of a RandomShear(0.3)
        compare_configs(theirs, mine)
    if data is not None:
        wanted = theirs.transform_labels(torch.tensor(data), transformation(*drawn))
        np.testing.assert_allclose(
            numbers(mine.changed_labels(minidl.tensor(data), drawn)), numbers(wanted), atol=1e-5
        )


def as_torch(value):
    return torch.tensor(value.numpy())


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_slants_and_perspectives_of_equal_draws_equal_keras(interpolation):
    for fill_mode in ("reflect", "constant"):
        theirs, mine = (
            kit.layers.RandomShear(0.3, (0.1, 0.2), interpolation, fill_mode, 5.0) for kit in (keras, ours)
        )
        drawn_alike(
            mine,
            theirs,
            lambda one, s, no, t, *_: {"shear_factor": as_torch(minidl.stack([s, t], 1))},
            None,
            False,
        )
    theirs, mine = (
        kit.layers.RandomPerspective((1, 1), 0.4, interpolation, fill_value=5.0) for kit in (keras, ours)
    )
    h, w = IMAGES.shape[1:3]
    start = torch.tensor([[[0.0, 0], [w - 1, 0], [0, h - 1], [w - 1, h - 1]]] * 2)

    def points(chosen, numbers):
        a, b, e, c, d, f, g, k = (as_torch(n) for n in numbers)
        rows = torch.stack([torch.stack([a, b, e], 1), torch.stack([c, d, f], 1),
                            torch.stack([g, k, g * 0 + 1], 1)], 1)  # fmt: skip
        end = torch.linalg.solve(rows, torch.cat([start, start[..., :1] * 0 + 1], 2).mT).mT
        return {
            "start_points": start, "end_points": end[..., :2] / end[..., 2:],
            "apply_perspective": as_torch(chosen).ravel(),
        }  # fmt: skip

    drawn_alike(mine, theirs, points, None)


def test_hues_of_equal_draws_equal_keras():
    theirs, mine = (kit.layers.RandomHue(0.9) for kit in (keras, ours))
    drawn = mine.draw(minidl.tensor(IMAGES))
    wanted = theirs.transform_images(torch.tensor(IMAGES), {"factor": as_torch(drawn)})
    np.testing.assert_allclose(
        numbers(mine.changed(minidl.tensor(IMAGES), drawn)), numbers(wanted), atol=2e-3
    )
    compare_configs(theirs, mine)


def test_mixtures_of_equal_draws_equal_keras():
    labels = np.eye(2, dtype="float32")
    theirs, mine = (kit.layers.MixUp(0.4) for kit in (keras, ours))
    drawn_alike(
        mine,
        theirs,
        lambda order, w: {"permutation_order": as_torch(order), "mix_weight": as_torch(w)},
        labels,
    )
    theirs, mine = (kit.layers.CutMix((0.5, 1.0)) for kit in (keras, ours))

    def parts(order, w, inside):
        return {
            "permutation_order": as_torch(order), "mix_weight": as_torch(w), "batch_masks": as_torch(inside)
        }  # fmt: skip

    drawn_alike(mine, theirs, parts, labels)
    for name in ("AugMix", "RandAugment"):
        theirs, mine = (getattr(kit.layers, name)(factor=(0.1, 0.4), seed=3) for kit in (keras, ours))
        compare_configs(theirs, mine)


@pytest.mark.parametrize(
    "name", ["RandomHue", "RandomSaturation", "RandomPosterization", "RandomSharpness", "RandomErasing"]
)
@pytest.mark.parametrize("factor", [(9, 10), "a", (1, 2, 3), -3])
def test_factors_that_keras_refuses(name, factor):
    for kit in (keras, ours):
        with pytest.raises(ValueError, match="factor"):
            getattr(kit.layers, name)(factor)


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
