"""Layers beside Keras': convolutions, pooling, shapes, merging, activations."""

import keras
import numpy as np
import pytest
from beside_keras import Row, compare, compare_configs, compare_names, numbers, randomise

from minidl import keras as ours

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

IMAGE, ODD = (2, 7, 6, 4), (2, 9, 8, 3)
FIRST = {"data_format": "channels_first"}

CONVOLUTIONS = [
    Row("Conv1D", (5, 3), (2, 9, 4)),
    Row("Conv1D", (5, 3), (2, 9, 4), padding="causal", dilation_rate=2),
    Row("Conv1D", (5, 4), (2, 9, 4), padding="same", strides=2),
    Row("Conv1D", (5, 2), (2, 9, 4), padding="causal", strides=2),
    Row("Conv2D", (5, 3), IMAGE),
    Row("Conv2D", (5, 3), IMAGE, padding="same", activation="relu"),
    Row("Conv2D", (5, 3), IMAGE, padding="same", strides=2),
    Row("Conv2D", (5, (2, 3)), ODD, padding="same", strides=(2, 1), use_bias=False),
    Row("Conv2D", (6, 4), IMAGE, padding="same", groups=2),
    Row("Conv2D", (6, 2), IMAGE, dilation_rate=(2, 1)),
    Row("Conv2D", (6, 1), IMAGE, strides=3, padding="same"),
    Row("Conv2D", (5, 3), (2, 3, 7, 6), padding="same", **FIRST),
    Row("Conv3D", (3, 2), (2, 4, 5, 3, 2), padding="same"),
    Row("Conv3D", (3, (2, 1, 2)), (2, 4, 5, 3, 2), strides=2),
    Row("DepthwiseConv1D", (3,), (2, 8, 3), depth_multiplier=2),
    Row("DepthwiseConv2D", (3,), IMAGE, padding="same"),
    Row("DepthwiseConv2D", (2,), IMAGE, padding="same", strides=2, depth_multiplier=3),
    Row("DepthwiseConv2D", (2,), (2, 3, 6, 6), depth_multiplier=2, **FIRST),
    Row("SeparableConv1D", (5, 3), (2, 8, 3), depth_multiplier=2, padding="same"),
    Row("SeparableConv2D", (5, 3), IMAGE, depth_multiplier=2),
    Row("SeparableConv2D", (5, 2), IMAGE, padding="same", strides=2, activation="tanh"),
    *[
        Row("Conv1DTranspose", (3, k), (2, 5, 4), strides=s, padding=p)
        for k in (1, 2, 3, 4, 5) for s in (1, 2, 3) for p in ("valid", "same")
    ],
    Row("Conv1DTranspose", (3, 3), (2, 5, 4), strides=2, padding="same", output_padding=1),
    *[
        Row("Conv1DTranspose", (3, k), (2, 5, 4), strides=s, output_padding=o, padding=p)
        for k, s, o in ((2, 2, 0), (3, 2, 0), (5, 3, 2), (4, 3, 1)) for p in ("valid", "same")
    ],
    Row("Conv1DTranspose", (3, 3), (2, 5, 4), dilation_rate=2),
    Row("Conv2DTranspose", (3, 3), IMAGE, strides=2, padding="same"),
    Row("Conv2DTranspose", (3, (2, 4)), IMAGE, strides=(3, 2), activation="relu"),
    Row("Conv2DTranspose", (3, 3), (2, 4, 5, 6), strides=2, padding="same", **FIRST),
    Row("Conv3DTranspose", (2, 3), (2, 3, 4, 3, 2), strides=2, padding="same"),
]  # fmt: skip


def padded_unevenly(name, size, strides, padding):
    """Whether Keras' torch backend averages over copies of the border, where TensorFlow leaves it out."""
    return (
        name in ("AveragePooling2D", "AveragePooling3D") and padding == "same" and size == 3 and strides != 1
    )


POOLING = [
    *[
        Row(name, (size,), shape, strides=strides, padding=padding)
        for name, shape in (("MaxPooling1D", (2, 9, 3)), ("AveragePooling1D", (2, 9, 3)), ("MaxPooling2D", ODD),
                            ("AveragePooling2D", ODD), ("MaxPooling3D", (1, 5, 4, 6, 2)),
                            ("AveragePooling3D", (1, 5, 4, 6, 2)))
        for size in (2, 3) for strides in (None, 1, 2) for padding in ("valid", "same")
        if not padded_unevenly(name, size, strides, padding)
    ],
    Row("MaxPooling2D", ((2, 3),), ODD, strides=(3, 2), padding="same"),
    Row("AveragePooling2D", (2,), (2, 3, 7, 6), padding="same", **FIRST),
    Row("MaxPooling2D", (2,), (2, 3, 7, 6), **FIRST),
    *[
        Row(f"Global{kind}Pooling{rank}D", (), (2, *(4, 5, 3)[:rank], 3), keepdims=keepdims)
        for kind in ("Max", "Average") for rank in (1, 2, 3) for keepdims in (False, True)
    ],
    Row("AdaptiveAveragePooling1D", (3,), (2, 8, 4)),
    Row("AdaptiveAveragePooling2D", ((2, 3),), ODD),
    Row("AdaptiveMaxPooling2D", (3,), (2, 3, 7, 5), **FIRST),
    Row("AdaptiveMaxPooling3D", (2,), (2, 5, 4, 3, 2)),
    Row("GlobalAveragePooling2D", (), (2, 3, 4, 5), **FIRST),
]  # fmt: skip

SHAPES = [
    Row("Reshape", ((4, -1),), (2, 12)),
    Row("Reshape", ((6,),), (2, 3, 2)),
    Row("Permute", ((2, 3, 1),), (2, 3, 4, 5)),
    Row("RepeatVector", (3,), (2, 4)),
    Row("Flatten", (), (2, 3, 4)),
    Row("Flatten", (), (2, 3, 4, 5), **FIRST),
    Row("ZeroPadding1D", (2,), (2, 4, 3)),
    Row("ZeroPadding1D", ((1, 2),), (2, 4, 3)),
    Row("ZeroPadding2D", (((1, 0), (2, 3)),), IMAGE),
    Row("ZeroPadding2D", (2,), IMAGE, **FIRST),
    Row("ZeroPadding2D", ((1, 2),), IMAGE),
    Row("ZeroPadding3D", (1,), (2, 3, 4, 5, 2)),
    Row("Cropping1D", ((1, 2),), (2, 7, 3)),
    Row("Cropping2D", (((1, 0), (2, 1)),), IMAGE),
    Row("Cropping2D", (1,), (2, 3, 5, 6), **FIRST),
    Row("Cropping3D", (1,), (2, 5, 4, 5, 2)),
]

MERGING = [
    *[Row(name, (), (2, 3, 4), (2, 3, 4), (2, 3, 4)) for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")],
    *[Row(name, (), (2, 3, 4), (2, 1, 4)) for name in ("Add", "Subtract", "Multiply", "Maximum", "Average")],
    Row("Concatenate", (), (2, 3, 4), (2, 3, 5)),
    Row("Concatenate", (1,), (2, 3, 4), (2, 2, 4), (2, 1, 4)),
    Row("Dot", (1,), (2, 4), (2, 4)),
    Row("Dot", ((2, 1),), (2, 3, 4), (2, 4, 5)),
    Row("Dot", ((1, 2),), (2, 4, 3), (2, 5, 4), normalize=True),
]  # fmt: skip

ACTIVATIONS = [
    Row("ReLU", (), (3, 4)),
    Row("ReLU", (), (3, 4), max_value=1.0, negative_slope=0.1, threshold=0.2),
    Row("LeakyReLU", (), (3, 4)),
    Row("LeakyReLU", (0.1,), (3, 4)),
    Row("ELU", (0.7,), (3, 4)),
    Row("PReLU", (), (3, 4, 5)),
    Row("PReLU", (), IMAGE, shared_axes=[1, 2]),
    Row("Softmax", (), (3, 4)),
    Row("Softmax", (1,), (3, 4, 5)),
    Row("Identity", (), (3, 4)),
    Row("ActivityRegularization", (), (3, 4), l1=0.1, l2=0.2),
    Row("Activation", ("selu",), (3, 4)),
    Row("Dense", (5,), (3, 4), activation="gelu"),
    Row("Dropout", (0.5,), (3, 4)),
    Row("Dropout", (0.5,), (3, 4, 2), noise_shape=(None, 1, 2)),
    Row("SpatialDropout1D", (0.5,), (3, 4, 2)),
    Row("SpatialDropout2D", (0.5,), IMAGE),
    Row("SpatialDropout3D", (0.5,), (2, 3, 4, 5, 2)),
    Row("GaussianNoise", (0.5,), (3, 4)),
    Row("GaussianDropout", (0.5,), (3, 4)),
    Row("AlphaDropout", (0.5,), (3, 4)),
]

LOOKUPS = [
    Row("Embedding", (7, 4), np.array([[1, 0, 6], [2, 2, 3]])),
    Row("Embedding", (7, 4), np.array([[1, 0, 6], [2, 2, 3]]), mask_zero=True),
    Row("Masking", (), np.array([[[1.0, 2], [0, 0], [0, 1]]], dtype="float32")),
    Row("Masking", (1.0,), np.array([[[1.0, 1], [0, 0], [0, 1]]], dtype="float32")),
]


@pytest.mark.parametrize("row", CONVOLUTIONS + POOLING + SHAPES + MERGING + ACTIVATIONS + LOOKUPS, ids=repr)
def test_layer_equals_keras(row):
    compare(row)


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda n: n.Dense(3), (2, 4)),
        (lambda n: n.Conv2D(3, 2), (2, 4, 4, 2)),
        (lambda n: n.Embedding(7, 4), None),
    ],
)
def test_spectral_normalization_equals_keras(make, x):
    x = np.array([[1, 2, 6]]) if x is None else np.random.default_rng(0).standard_normal(x).astype("float32")
    theirs, mine = (
        kit.layers.SpectralNormalization(make(kit.layers), power_iterations=2) for kit in (keras, ours)
    )
    theirs(x), mine(x)
    mine.set_weights(randomise(theirs))
    compare_names(theirs, mine)
    for training in (False, True, True):
        np.testing.assert_allclose(
            numbers(mine(x, training=training)), numbers(theirs(x, training=training)), atol=1e-5
        )
    for w, g in zip(theirs.get_weights(), mine.get_weights(), strict=True):
        np.testing.assert_allclose(g, w, atol=1e-5)
    compare_configs(*(kit.layers.SpectralNormalization(make(kit.layers)) for kit in (keras, ours)))
    for kit in (keras, ours):
        with pytest.raises(ValueError, match="no attribute 'kernel'"):
            kit.layers.SpectralNormalization(kit.layers.ReLU())(x)
        with pytest.raises(ValueError, match="greater than zero"):
            kit.layers.SpectralNormalization(make(kit.layers), power_iterations=0)


@pytest.mark.parametrize(
    "options",
    [{}, {"tie_weights": False}, {"logit_soft_cap": 2.0}, {"mask_zero": True, "reverse_dtype": "float16"}],
)
def test_reversible_embedding_equals_keras(options):
    theirs, mine = (kit.layers.ReversibleEmbedding(7, 4, **options) for kit in (keras, ours))
    words = np.array([[1, 2, 0], [3, 6, 0]])
    theirs(words), mine(words)
    mine.set_weights(randomise(theirs))
    compare_names(theirs, mine)
    compare_configs(theirs, mine)
    inner, ours_inner = theirs(words), mine(words)
    wanted, got = theirs(inner, reverse=True), mine(ours_inner, reverse=True)
    np.testing.assert_allclose(
        numbers(got), numbers(wanted), atol=2e-3 if "reverse_dtype" in options else 1e-5
    )
    assert str(got.dtype).split(".")[1] == str(wanted.dtype).split(".")[1]
    assert (getattr(ours_inner, "_keras_mask", None) is None) == (getattr(inner, "_keras_mask", None) is None)
    x = ours.Input((3,), dtype="int32")
    assert ours.Model(x, mine(mine(x), reverse=True)).output_shape == (None, 3, 7)
