"""Models of other shapes beside real Keras: dicts of outputs, added losses, own steps, nested and shared parts."""

import numpy as np
import pytest

from minidl import keras as ours

theirs = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation", "ignore:`shuffle=True` was passed")

RNG = np.random.default_rng(1)
X = RNG.normal(size=(50, 4)).astype("float32")
REAL = (X @ RNG.normal(size=(4, 1))).astype("float32")
CLASSES = np.argmax(X[:, :3], axis=1)


def trained(make, loss, y, metrics=None, **fitted):
    """(history, evaluation, weights) of Keras and of minidl, from equal weights."""
    found, first = [], None
    for keras in (theirs, ours):
        keras.backend.clear_session()
        model = make(keras)
        model(X[:2])
        first = first or model.get_weights()
        model.set_weights(first)
        model.compile(keras.optimizers.SGD(0.05), loss=loss, metrics=metrics)
        history = model.fit(X, y, epochs=3, batch_size=16, shuffle=False, verbose=0, **fitted).history
        found.append((history, model.evaluate(X, y, verbose=0, return_dict=True), model.get_weights()))
    for theirs_, ours_ in zip(found[0][:2], found[1][:2], strict=True):
        assert sorted(theirs_) == sorted(ours_)
        for name in theirs_:
            np.testing.assert_allclose(ours_[name], theirs_[name], rtol=1e-5, atol=1e-6, err_msg=name)
    for a, b in zip(found[0][2], found[1][2], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)


def test_a_dict_of_outputs():
    def make(keras):
        inputs = keras.Input((4,))
        hidden = keras.layers.Dense(5, activation="tanh")(inputs)
        outputs = {
            "z": keras.layers.Dense(1)(hidden),
            "a": keras.layers.Dense(3, activation="softmax")(hidden),
        }
        return keras.Model(inputs, outputs)

    loss = {"z": "mse", "a": "sparse_categorical_crossentropy"}
    trained(make, loss, {"z": REAL, "a": CLASSES}, {"a": ["accuracy"], "z": ["mae"]}, validation_split=0.2)


def test_one_output_without_a_loss():
    def make(keras):
        inputs = keras.Input((4,))
        return keras.Model(
            inputs, [keras.layers.Dense(1, name="a")(inputs), keras.layers.Dense(1, name="b")(inputs)]
        )

    trained(make, {"a": "mse", "b": "mae"}, {"a": REAL, "b": REAL})


def test_added_losses_in_a_subclass():
    def make(keras):
        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.hidden = keras.layers.Dense(5, activation="relu", kernel_regularizer="l1")
                self.out = keras.layers.Dense(1)

            def call(self, x):
                h = self.hidden(x)
                self.add_loss(0.01 * (h**2).sum())
                return self.out(h)

        return Net()

    trained(make, "mse", REAL, ["mae"], validation_split=0.2)


def test_nested_and_shared():
    def make(keras):
        part = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(4, activation="tanh", kernel_regularizer="l2")]
        )
        inputs = keras.Input((4,))
        x = part(part(inputs)) + inputs
        return keras.Model(inputs, keras.layers.Dense(1)(x))

    trained(make, "mse", REAL)


def test_custom_functions_and_objects():
    def make(keras):
        return keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)])

    def off(y_true, y_pred):
        return (y_pred - y_true) ** 2 * 0.5

    trained(make, off, REAL, [off], validation_split=0.2)


def test_a_custom_layer_with_state():
    def make(keras):
        class Center(keras.layers.Layer):
            def build(self, input_shape):
                self.shift = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="shift")
                self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

            def call(self, x, training=None):
                if training:
                    self.seen.assign_add(1.0)
                return x - self.shift * 1.0

        return keras.Sequential([Center(), keras.layers.Dense(1)])

    trained(make, "mse", REAL)


def test_generators_and_sequences():
    def batches():
        while True:
            for start in range(0, 48, 16):
                yield X[start : start + 16], REAL[start : start + 16]

    found, first = [], None
    for keras in (theirs, ours):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        first = first or model.get_weights()
        model.set_weights(first)
        model.compile(keras.optimizers.SGD(0.05), "mse")
        losses = model.fit(batches(), steps_per_epoch=2, epochs=4, verbose=0).history["loss"]

        class Parts(keras.utils.PyDataset):
            def __len__(self):
                return 3

            def __getitem__(self, i):
                return X[i * 16 : i * 16 + 16], REAL[i * 16 : i * 16 + 16], np.full(16, i + 1.0)

        losses += model.fit(Parts(), epochs=2, shuffle=False, verbose=0).history["loss"]
        losses += [model.evaluate(Parts(), verbose=0), model.evaluate(batches(), steps=3, verbose=0)]
        found.append(losses)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)


def drawn_graph(keras, seed):
    """The names of a random graph's layers, of one to three inputs, with shared layers and models inside."""
    draw, layers = np.random.default_rng(seed), keras.layers
    pool = [keras.Input((4,), name=f"in{i}") for i in range(draw.integers(1, 4))]
    shared = [layers.Dense(4, name=f"shared{i}") for i in range(4)]
    shared += [keras.Sequential([keras.Input((4,)), layers.Dense(4)], name=f"stack{i}") for i in range(2)]
    inputs = list(pool)
    for i in range(draw.integers(3, 14)):
        first, second = (pool[k] for k in draw.integers(0, len(pool), 2))
        kind = draw.integers(0, 3)
        layer = (shared[draw.integers(0, 6)], layers.Add(name=f"add{i}"), layers.Dense(4, name=f"dense{i}"))[
            kind
        ]
        pool.append(layer([first, second] if kind == 1 else first))
    return [layer.name for layer in keras.Model(inputs, pool[-draw.integers(1, 3) :]).layers]


def test_layers_are_listed_in_the_same_order():
    """In which files list weights: with another, those of one layer would go to another one of the same shape."""
    for seed in range(60):
        assert drawn_graph(ours, seed) == drawn_graph(theirs, seed), seed
