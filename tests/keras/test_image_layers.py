"""Layers that change images at random: what they draw, and what they do with what belongs to the images."""

import numpy as np
import pytest

from minidl import keras

layers = keras.layers
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 255, (8, 6, 7, 3)).astype("float32")
MOVES = [
    layers.RandomFlip(seed=1), layers.RandomRotation(0.2), layers.RandomZoom(0.2), layers.RandomTranslation(0.2, 0.2),
    layers.RandomShear(0.3, 0.3), layers.RandomPerspective((1.0, 1.0), 0.5),
]  # fmt: skip
COLOURS = [
    layers.RandomContrast(0.5), layers.RandomBrightness(0.2), layers.RandomHue(0.5), layers.RandomSaturation(0.5),
    layers.RandomColorJitter((0, 255), 0.1, 0.1, 0.1, 0.1), layers.RandomGrayscale(), layers.RandomInvert((1, 1)),
    layers.RandomColorDegeneration(0.5), layers.RandomPosterization((1, 5)), layers.RandomSharpness(1.0),
    layers.Solarization(0.2, 0.2), layers.RandomErasing((1, 1)), layers.RandomGaussianBlur((1, 1)),
    layers.Equalization(), layers.AutoContrast(),
]  # fmt: skip
MIXTURES = [layers.MixUp(1.0), layers.CutMix(), layers.RandAugment(seed=1), layers.AugMix()]


def name_of(layer):
    return type(layer).__name__


@pytest.mark.parametrize("layer", MOVES + COLOURS + MIXTURES, ids=name_of)
def test_training_images_change_and_no_others(layer):
    if not layer.always:
        np.testing.assert_array_equal(layer(IMAGES, training=False).numpy(), IMAGES)
    y = layer(IMAGES, training=True).numpy()
    assert y.shape == IMAGES.shape
    assert np.isfinite(y).all()
    assert not np.array_equal(y, IMAGES)
    assert layer(IMAGES[0]).shape == (6, 7, 3)
    assert layer(IMAGES.astype("uint8")).dtype.name == "float32"
    assert layer.compute_output_shape((None, 6, 7, 3)) == (None, 6, 7, 3)
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()


@pytest.mark.parametrize("layer", MOVES + COLOURS + MIXTURES, ids=name_of)
def test_channels_first_is_the_same_change(layer):
    config = layer.get_config() | {"seed": 5}
    if "seed" not in layer.get_config():
        config.pop("seed")
    first = type(layer).from_config(config | {"data_format": "channels_first"})
    last = type(layer).from_config(config)
    got = first(IMAGES.transpose(0, 3, 1, 2)).numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(got, last(IMAGES).numpy(), atol=1e-2)


@pytest.mark.parametrize("layer", MOVES, ids=name_of)
def test_masks_move_with_their_images(layer):
    masks = RNG.integers(0, 9, (8, 6, 7, 1))
    data = {
        "images": np.repeat(masks, 3, 3).astype("float32"),
        "segmentation_masks": masks,
        "labels": np.arange(8),
    }
    if hasattr(layer, "interpolation"):
        layer = type(layer).from_config(layer.get_config() | {"interpolation": "nearest"})
    out = layer(data)
    np.testing.assert_array_equal(out["images"].numpy()[..., :1], out["segmentation_masks"].numpy())
    np.testing.assert_array_equal(out["labels"].numpy(), np.arange(8))
    assert out["segmentation_masks"].dtype.name == "int64"
    assert set(data) == set(out)


@pytest.mark.parametrize("layer", COLOURS, ids=name_of)
def test_labels_and_masks_stay_where_colours_change(layer):
    data = {"images": IMAGES, "labels": np.arange(8), "segmentation_masks": np.ones((8, 6, 7, 1))}
    out = layer(data)
    np.testing.assert_array_equal(out["labels"].numpy(), data["labels"])
    np.testing.assert_array_equal(out["segmentation_masks"].numpy(), data["segmentation_masks"])


@pytest.mark.parametrize("layer", [layers.MixUp(1.0, seed=2), layers.CutMix(seed=2)], ids=name_of)
def test_labels_mix_by_the_shares_of_their_images(layer):
    images = np.broadcast_to(np.arange(8.0).reshape(8, 1, 1, 1), (8, 32, 32, 1)).astype("float32")
    labels = np.eye(8, dtype="float32")
    out = layer({"images": images, "labels": labels})
    mixed = out["labels"].numpy()
    np.testing.assert_allclose(mixed.sum(1), 1, atol=1e-6)
    assert (mixed < 0.99).any()
    # a rectangle's sides are cut to whole pixels in the image alone
    shares = out["images"].numpy().mean((1, 2, 3))
    np.testing.assert_allclose(shares, mixed @ np.arange(8), atol=1e-4 if name_of(layer) == "MixUp" else 0.6)


def test_a_seed_repeats_the_draws():
    for layer in MOVES + MIXTURES:
        one, two = (type(layer).from_config(layer.get_config() | {"seed": 7}) for _ in range(2))
        np.testing.assert_array_equal(one(IMAGES).numpy(), two(IMAGES).numpy())
        assert not np.array_equal(one(IMAGES).numpy(), two(IMAGES[::-1]).numpy()[::-1])


def test_draws_fill_their_ranges():
    zeros = np.zeros((4000, 1, 1, 3), "float32")
    added = layers.RandomBrightness((0.1, 0.3), (0, 1))(zeros).numpy()[:, 0, 0, 0]
    assert added.min() == pytest.approx(0.1, abs=0.01)
    assert added.max() == pytest.approx(0.3, abs=0.01)
    assert added.mean() == pytest.approx(0.2, abs=0.01)
    inverted = layers.RandomInvert(1.0, (0, 1))(zeros).numpy()[:, 0, 0, 0]
    assert inverted.mean() == pytest.approx(0.5, abs=0.04)  # an odds of [0, 1) for each image
    levels = layers.RandomPosterization((1, 3))(np.full((4000, 1, 1, 3), 255.0)).numpy()[:, 0, 0, 0]
    assert set(np.unique(levels)) == {128.0, 192.0}


def test_bounding_boxes_are_refused():
    with pytest.raises(NotImplementedError, match="bounding boxes"):
        layers.RandomFlip()({"images": IMAGES, "bounding_boxes": {"boxes": np.zeros((8, 1, 4))}})
    with pytest.raises(ValueError, match="rank 3"):
        layers.RandomHue(0.1)(np.zeros((2, 3)))


def test_layers_run_in_a_model():
    model = keras.Sequential(
        [keras.Input((6, 7, 3)), layers.RandAugment(), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    history = model.fit(IMAGES, np.zeros(8), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
