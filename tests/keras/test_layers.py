"""Layers of the Keras face against NumPy: what Keras' backends disagree on, and what needs no Keras to be checked."""

import numpy as np
import pytest

import minidl
from minidl.keras import layers

RNG = np.random.default_rng(0)


def test_average_pooling_same_counts_only_what_lies_inside():
    x = RNG.standard_normal((2, 9, 8, 3)).astype("float32")
    y = layers.AveragePooling2D(3, strides=2, padding="same")(x).numpy()
    for i, j in np.ndindex(5, 4):
        rows = slice(max(2 * i - 1, 0), 2 * i + 2)
        columns = slice(2 * j, 2 * j + 3)  # 8 columns: one zero is missing, and it lies at the end
        np.testing.assert_allclose(y[:, i, j], x[:, rows, columns].mean((1, 2)), atol=1e-6)


def test_layer_normalization_over_an_inner_axis():
    x = RNG.standard_normal((3, 4, 5)).astype("float32")
    layer = layers.LayerNormalization(axis=1)
    layer.build(x.shape)
    gamma, beta = RNG.standard_normal((2, 4)).astype("float32")
    layer.set_weights([gamma, beta])
    wanted = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(layer(x).detach().numpy(), wanted * gamma[:, None] + beta[:, None], atol=1e-5)


def test_batch_normalization_keeps_the_biased_variance():
    x = RNG.standard_normal((5, 3)).astype("float32")
    layer = layers.BatchNormalization(momentum=0.9)
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * x.var(0), rtol=1e-6)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * x.mean(0), rtol=1e-5)


def test_frozen_batch_normalization_uses_and_keeps_the_moving_statistics():
    x = RNG.standard_normal((5, 3)).astype("float32")
    layer = layers.BatchNormalization()
    layer.trainable = False
    y = layer(x, training=True)
    np.testing.assert_allclose(y.numpy(), x / np.sqrt(1.001), rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(3))


@pytest.mark.parametrize("make", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_fused_kernel_equals_the_step_loop(make):
    x = RNG.standard_normal((3, 5, 4)).astype("float32")
    mask = minidl.tensor(RNG.random((3, 5)) < 0.6)
    fused = make(6, return_sequences=True)
    y = fused(x, mask=mask)
    loop = layers.RNN(
        fused.cell, return_sequences=True, return_state=True
    )  # a subclass's cell takes the loop
    loop.cell.activation = minidl.tanh
    np.testing.assert_allclose(loop(x, mask=mask)[0].detach().numpy(), y.detach().numpy(), atol=1e-5)


def test_recurrent_dropout_is_the_same_at_every_step_and_off_outside_training():
    x = np.ones((2, 4, 3), dtype="float32")
    layer = layers.LSTM(5, recurrent_dropout=0.5, dropout=0.5)
    np.testing.assert_array_equal(layer(x).detach().numpy(), layer(x).detach().numpy())
    assert not np.array_equal(layer(x, training=True).detach().numpy(), layer(x).detach().numpy())


def test_lstm_starts_with_a_forget_bias_of_one():
    layer = layers.LSTM(2)
    layer.build((None, 3, 4))
    np.testing.assert_array_equal(layer.get_weights()[2], [0, 0, 1, 1, 0, 0, 0, 0])


def test_bidirectional_gives_the_backward_outputs_in_the_order_of_the_steps():
    x = RNG.standard_normal((2, 5, 3)).astype("float32")
    both = layers.Bidirectional(layers.GRU(4, return_sequences=True), merge_mode=None)
    _, back = both(x)
    alone = layers.GRU(4, return_sequences=True)
    alone.build(x.shape)
    alone.set_weights(both.backward_layer.get_weights())
    np.testing.assert_allclose(back.detach().numpy(), alone(x[:, ::-1]).detach().numpy()[:, ::-1], atol=1e-6)


def test_spatial_dropout_drops_whole_channels():
    y = layers.SpatialDropout2D(0.5, seed=1)(np.ones((4, 3, 3, 8)), training=True).numpy()
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :1, :1]).all()


def test_noise_with_a_seed_repeats():
    draws = [layers.GaussianNoise(1.0, seed=3)(np.zeros((2, 3)), training=True).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*draws)


def test_alpha_dropout_keeps_mean_and_variance():
    x = RNG.standard_normal(200_000).astype("float32").reshape(-1, 10)
    y = layers.AlphaDropout(0.2)(x, training=True).numpy()
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02


def test_embedding_refuses_what_is_no_index():
    layer = layers.Embedding(5, 2)
    for bad in ([[5]], [[-1]]):
        with pytest.raises(IndexError):
            layer(np.array(bad))
    with pytest.raises(ValueError, match="whole numbers"):
        layer(np.array([[0.5]]))


@pytest.mark.parametrize(
    ("make", "shape", "text"),
    [
        (lambda: layers.Conv2D(0, 3), None, "filters"),
        (lambda: layers.Conv2D(3, 3, padding="causal"), None, "padding"),
        (lambda: layers.Conv2D(3, 3, strides=2, dilation_rate=2), None, "dilation_rate"),
        (lambda: layers.Conv2D(3, 5), (1, 3, 3, 1), "negative or zero"),
        (lambda: layers.Conv2D(3, 2), (1, 5, 5), "expected ndim=4"),
        (lambda: layers.MaxPooling2D(4), (1, 3, 3, 1), "negative or zero"),
        (lambda: layers.Reshape((5,)), (1, 4), "total size"),
        (lambda: layers.Permute((0, 1)), None, "dims"),
        (lambda: layers.Cropping1D(3), (1, 4, 2), "too high"),
        (lambda: layers.GroupNormalization(3), (1, 4), "divisor"),
        (lambda: layers.LSTM(0), None, "units"),
        (lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="max"), None, "merge mode"),
    ],
)
def test_errors_say_what_is_wrong(make, shape, text):
    with pytest.raises(ValueError, match=text):
        make()(np.ones(shape, dtype="float32"))


def test_merging_refuses_other_shapes():
    with pytest.raises(ValueError, match="incompatible shapes"):
        layers.Add()([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="exactly 2"):
        layers.Subtract()([np.ones((2, 3))])
    with pytest.raises(ValueError, match="matching shapes"):
        layers.Concatenate()([np.ones((2, 3, 1)), np.ones((2, 4, 1))])


def test_dropout_takes_a_noise_shape_and_a_seed():
    x = np.ones((3, 4, 5), dtype="float32")
    layer, again = (layers.Dropout(0.5, noise_shape=(None, 1, 5), seed=2) for _ in range(2))
    y = layer(x, training=True).numpy()
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :1]).all()
    np.testing.assert_array_equal(y, again(x, training=True).numpy())


def test_random_crop_takes_a_part_of_the_images():
    x = np.arange(2 * 6 * 6).reshape(2, 6, 6, 1).astype("float32")
    y = layers.RandomCrop(3, 4, seed=0)(x, training=True).numpy()
    top, left = divmod(int(y[0, 0, 0, 0]), 6)
    np.testing.assert_array_equal(y, x[:, top : top + 3, left : left + 4])
    assert layers.RandomCrop(3, 4)(x, training=False).shape == (2, 3, 4, 1)
