"""Losses, weights and metrics of several outputs, given in every form: histories, names, orders beside real Keras."""

import numpy as np
import pytest

from minidl import keras as ours

theirs = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation", "ignore:Gradients do not exist")

RNG = np.random.default_rng(0)
X, REAL = RNG.normal(size=(20, 6)).astype("float32"), RNG.normal(size=(20, 2)).astype("float32")
BINARY, CLASSES = (RNG.uniform(size=(20, 1)) > 0.5).astype("float32"), RNG.integers(0, 3, 20)
WEIGHTS = RNG.uniform(0.1, 2.0, size=20).astype("float32")


def _equal_weights(model):
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=w.shape) * 0.3 for w in model.get_weights()])
    return model


def graph(arrange):
    """A model of heads a (2, linear), b (1, sigmoid), c (3, softmax), arranged by ``arrange``."""

    def make(keras):
        dense, inputs = keras.layers.Dense, keras.Input((6,))
        hidden = dense(4, activation="tanh")(inputs)
        heads = [dense(2, name="a"), dense(1, "sigmoid", name="b"), dense(3, "softmax", name="c")]
        return _equal_weights(keras.Model(inputs, arrange(*(head(hidden) for head in heads))))

    return make


def subclass(keras):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = keras.layers.Dense(2), keras.layers.Dense(1, activation="sigmoid")

        def call(self, x):
            return self.a(x), self.b(x)

    model = Net()
    model(X)
    return _equal_weights(model)


LIST, TWO = graph(lambda a, b, c: [a, b, c]), graph(lambda a, b, c: [a, b])
DICT, NESTED = graph(lambda a, b, c: {"z": a, "y": b}), graph(lambda a, b, c: {"x": a, "y": [b, c]})
INNER = graph(lambda a, b, c: [a, [b, c]])
SPARSE = "sparse_categorical_crossentropy"

CASES = {
    "list": (LIST, [REAL, BINARY, CLASSES], {"loss": ["mse", "bce", SPARSE], "metrics": {"c": ["acc"], "a": "mae"}}),
    "lists of one": (TWO, [REAL, BINARY], {"loss": [["mse"], ["bce"]], "metrics": [["mae", "mse"], ["AUC", "acc"]]}),
    "dict of lists": (TWO, [REAL, BINARY], {"loss": {"b": ["bce"], "a": ["mse"]}, "loss_weights": {"a": 0.3, "b": 2}}),
    "none": (LIST, [REAL, BINARY, CLASSES], {"loss": ["mse", None, SPARSE], "metrics": [None, ["acc"], ["acc"]]}),
    "no targets where no loss": (LIST, [REAL, CLASSES], {"loss": ["mse", None, SPARSE]}),
    "one loss": (TWO, [REAL, BINARY], {"loss": "mse", "metrics": ["mae", "acc"]}),
    "dict of outputs": (
        DICT, {"y": BINARY, "z": REAL},
        {"loss": {"z": "mse", "y": "bce"}, "metrics": {"z": ["mae"], "y": ["acc"]}, "loss_weights": {"z": 2.0, "y": 1}},
    ),
    "nested": (NESTED, {"x": REAL, "y": [BINARY, CLASSES]}, {"loss": {"x": "mse", "y": ["bce", SPARSE]}}),
    "nested, all": (
        NESTED, {"x": REAL, "y": [BINARY, CLASSES]},
        {"loss": {"x": "mse", "y": ["bce", SPARSE]}, "metrics": {"x": ["mae"], "y": [["acc"], ["acc"]]},
         "loss_weights": {"x": 0.1, "y": [1.0, 2.0]}},
    ),
    "list in a list": (INNER, [REAL, [BINARY, CLASSES]], {"loss": ["mse", ["bce", SPARSE]]}),
    "subclass": (subclass, [REAL, BINARY], {"loss": ["mse", "bce"], "loss_weights": [1, 2]}),
    "weighted": (
        TWO, [REAL, BINARY],
        {"loss": "mse", "metrics": [["mae"], ["acc"]], "weighted_metrics": [["mae"], ["acc", "AUC"]]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_several_outputs(case):
    make, y, compiled = CASES[case]
    results = []
    for keras in (theirs, ours):
        model, fit = (
            make(keras),
            {"sample_weight": [WEIGHTS, WEIGHTS[::-1].copy()]} if case == "weighted" else {},
        )
        model.compile("sgd", **compiled)
        history = model.fit(X, y, epochs=2, batch_size=8, shuffle=False, verbose=0, **fit).history
        results.append((history, model.evaluate(X, y, verbose=0, batch_size=8, **fit), model.get_weights()))
    (history, score, weights), (history2, score2, weights2) = results
    assert list(history2) == list(history)
    for name in history:
        np.testing.assert_allclose(history2[name], history[name], rtol=2e-6, atol=2e-6, err_msg=name)
    if case != "weighted":  # Keras finds the metrics of an equal name but a prefix twice
        np.testing.assert_allclose(score2, score, rtol=2e-6, atol=2e-6)
    for a, b in zip(weights, weights2, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=2e-6)


def test_names_of_outputs_without_names():
    for keras in (theirs, ours):
        model = subclass(keras)
        model.compile("sgd", loss=["mse", "bce"], metrics=[["mae"], ["acc", "mae"]])
        logs = model.fit(X, [REAL, BINARY], verbose=0).history
        assert list(logs) == ["acc", "bce_loss", "loss", "mae", "mae_1", "mse_loss"]
        model = subclass(keras)
        model.compile("sgd", loss="mse", metrics=["mae"])
        with pytest.raises(ValueError, match="metrics"):
            model.fit(X, [REAL, BINARY], verbose=0)


def test_a_loss_as_a_metric_is_the_mean_over_batches():
    results = []
    for keras in (theirs, ours):
        model = _equal_weights(keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)]))
        model.compile("sgd", "mse", metrics=[keras.losses.MeanAbsoluteError()])
        results.append(model.evaluate(X, BINARY, batch_size=8, verbose=0))
    np.testing.assert_allclose(results[1], results[0], rtol=2e-6)
