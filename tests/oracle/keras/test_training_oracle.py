"""Training histories from equal weights, beside real Keras: losses, metrics, weights in the end."""

import warnings

import numpy as np
import pytest

from minidl import keras as ours

theirs = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation", "ignore:Your input ran out of data"
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 6)).astype("float32")
BINARY = (X[:, 0] + 0.3 * X[:, 1] > 0).astype("int64")
CLASSES = np.argmax(X[:, :3] + 0.1 * RNG.normal(size=(70, 3)), axis=1)
REAL = (X @ RNG.normal(size=(6, 1))).astype("float32")
WEIGHTS = RNG.uniform(0.1, 2.0, size=70).astype("float32")


def mlp(keras, units, activation, **options):
    return keras.Sequential(
        [
            keras.layers.Dense(8, activation="tanh", input_shape=(6,), **options)
            if keras is ours
            else keras.layers.Dense(8, activation="tanh", **options),
            keras.layers.Dense(units, activation=activation),
        ]
    )


def histories(make, compiled, fitted, evaluated=None):
    """(history, weights, evaluation, predictions) of Keras and of minidl, from Keras' first weights."""
    results, first = [], None
    for keras in (theirs, ours):
        model = make(keras)
        if not model.built:
            model.build((None, 6))
        first = model.get_weights() if first is None else first
        model.set_weights(first)
        model.compile(**{k: v(keras) if callable(v) else v for k, v in compiled.items()})
        fit = {k: v(keras) if callable(v) else v for k, v in fitted.items()}
        history = model.fit(epochs=3, batch_size=16, shuffle=False, verbose=0, **fit)
        values = evaluated or {"x": fit["x"], "y": fit["y"]}
        score = model.evaluate(**values, verbose=0, return_dict=True)
        results.append((history.history, model.get_weights(), score, model.predict(values["x"], verbose=0)))
    return results


def check(results, tolerance=2e-6):
    (history, weights, score, predicted), (history2, weights2, score2, predicted2) = results
    assert list(history2) == list(history)
    for name in history:
        np.testing.assert_allclose(
            history2[name], history[name], rtol=tolerance, atol=tolerance, err_msg=name
        )
    assert list(score2) == list(score)
    for name in score:
        np.testing.assert_allclose(score2[name], score[name], rtol=tolerance, atol=tolerance, err_msg=name)
    for a, b in zip(weights, weights2, strict=True):
        np.testing.assert_allclose(b, a, rtol=tolerance * 5, atol=tolerance)
    for a, b in zip(_list(predicted), _list(predicted2), strict=True):
        np.testing.assert_allclose(b, a, rtol=tolerance * 5, atol=tolerance)


def _list(outputs):
    return outputs if isinstance(outputs, list) else [outputs]


SGD = lambda keras: keras.optimizers.SGD(0.1)  # noqa: E731

CASES = {
    "binary": ((1, "sigmoid"), {"loss": "binary_crossentropy", "metrics": ["accuracy"]}, {"y": BINARY}),
    "binary column": ((1, "sigmoid"), {"loss": "bce", "metrics": ["acc"]}, {"y": BINARY[:, None]}),
    "sparse": (
        (3, "softmax"), {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {"y": CLASSES},
    ),
    "one hot": (
        (3, "softmax"), {"loss": "categorical_crossentropy", "metrics": ["accuracy", "mse"]},
        {"y": np.eye(3)[CLASSES]},
    ),
    "chosen by shape": ((3, "softmax"), {"loss": "crossentropy", "metrics": ["accuracy"]}, {"y": CLASSES}),
    "regression": ((1, None), {"loss": "mse", "metrics": ["mae", "mse"]}, {"y": REAL[:, 0]}),
    "huber": ((1, None), {"loss": "huber"}, {"y": REAL}),
    "validation split": (
        (1, "sigmoid"), {"loss": "binary_crossentropy", "metrics": ["accuracy"]},
        {"y": BINARY, "validation_split": 0.25},
    ),
    "validation data": (
        (1, None), {"loss": "mse", "metrics": ["mae"]},
        {"y": REAL, "validation_data": (X[:20], REAL[:20], WEIGHTS[:20]), "validation_freq": 2},
    ),
    "class weight": (
        (1, "sigmoid"), {"loss": "binary_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]},
        {"y": BINARY, "class_weight": {1: 3.0}},
    ),
    "sample weight": (
        (3, "softmax"),
        {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]},
        {"y": CLASSES, "sample_weight": WEIGHTS},
    ),
    "sample weight split": (
        (1, None), {"loss": "mae", "weighted_metrics": ["mse"]},
        {"y": REAL, "sample_weight": WEIGHTS, "validation_split": 0.3},
    ),
    "steps": ((1, None), {"loss": "mse"}, {"y": REAL, "steps_per_epoch": 1}),
    "steps that do not divide the pass": ((1, None), {"loss": "mse"}, {"y": REAL, "steps_per_epoch": 3}),
    "more steps than batches": ((1, None), {"loss": "mse"}, {"y": REAL, "steps_per_epoch": 7}),
    "more steps of validation than batches": (
        (1, None), {"loss": "mse"}, {"y": REAL, "validation_data": (X[:20], REAL[:20]), "validation_steps": 3},
    ),
    "divergence of a column": ((1, "sigmoid"), {"loss": "kld"}, {"y": BINARY}),
    "poisson of a column": ((1, "sigmoid"), {"loss": "poisson"}, {"y": BINARY}),
    "moving averages": (
        (1, None),
        {"loss": "mse", "optimizer": lambda k: k.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9)},
        {"y": REAL, "validation_split": 0.2},
    ),
    "learning rate in the history": (
        (1, None), {"loss": "mse", "weighted_metrics": ["mae"]},
        {
            "y": REAL, "validation_split": 0.2,
            "callbacks": lambda k: [k.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5)],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_histories(name):
    (units, activation), compiled, fitted = CASES[name]
    check(histories(lambda k: mlp(k, units, activation), {"optimizer": SGD, **compiled}, {"x": X, **fitted}))


@pytest.mark.parametrize("option", ["kernel_regularizer", "bias_regularizer", "activity_regularizer"])
def test_penalties(option):
    fitted = {"x": X, "y": REAL, "validation_split": 0.2}
    check(histories(lambda k: mlp(k, 1, None, **{option: "l2"}), {"optimizer": SGD, "loss": "mse"}, fitted))


def test_constraints():
    make = lambda k: mlp(k, 1, None, kernel_constraint="max_norm", bias_constraint="non_neg")  # noqa: E731
    check(histories(make, {"optimizer": SGD, "loss": "mse"}, {"x": X, "y": REAL}))


def two_heads(keras):
    inputs = keras.Input((6,), name="features")
    hidden = keras.layers.Dense(8, activation="relu")
    x = hidden(inputs)
    a = keras.layers.Dense(1, name="a")(x)
    b = keras.layers.Dense(3, activation="softmax", name="b")(x)
    return keras.Model(inputs, [a, b])


def test_two_outputs():
    compiled = {
        "optimizer": SGD,
        "loss": ["mse", "sparse_categorical_crossentropy"],
        "loss_weights": [0.3, 1.0],
        "metrics": [["mae"], ["accuracy"]],
        "weighted_metrics": [["mae"], ["accuracy"]],
    }
    data = {"x": X, "y": [REAL, CLASSES]}
    check(histories(two_heads, compiled, {**data, "validation_split": 0.2}, data))


def test_an_output_without_a_loss():
    compiled = {"optimizer": SGD, "loss": ["mse", None], "metrics": [["mae"], ["accuracy"]]}
    data = {"x": X, "y": [REAL, CLASSES]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Gradients do not exist")
        check(histories(two_heads, compiled, data, data))


def test_two_outputs_by_name():
    compiled = {
        "optimizer": SGD,
        "loss": {"a": "mse", "b": "sparse_categorical_crossentropy"},
        "metrics": {"a": ["mae", "mse"], "b": "accuracy"},
    }
    data = {"x": X, "y": {"a": REAL, "b": CLASSES}}
    check(histories(two_heads, compiled, data, data))


def test_a_frozen_layer():
    def make(keras):
        model = mlp(keras, 1, None)
        model.build((None, 6))
        model.layers[0].trainable = False
        return model

    results = histories(make, {"optimizer": SGD, "loss": "mse"}, {"x": X, "y": REAL})
    check(results)


def test_evaluate_order_and_on_batch():
    kinds = []
    first = None
    for keras in (theirs, ours):
        model = mlp(keras, 3, "softmax")
        model.build((None, 6))
        first = first or model.get_weights()
        model.set_weights(first)
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
        kinds.append(
            [
                *model.evaluate(X, CLASSES, verbose=0),
                *model.train_on_batch(X[:16], CLASSES[:16]),
                *model.train_on_batch(X[16:32], CLASSES[16:32]),
                *model.test_on_batch(X, CLASSES),
                *model.predict_on_batch(X[:2]).ravel(),
            ]
        )
    np.testing.assert_allclose(*kinds, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [
        "sgd",
        "rmsprop",
        "adam",
        "adamw",
        "adagrad",
        "adadelta",
        "adamax",
        "nadam",
        "lion",
        "ftrl",
        "adafactor",
    ],
)
def test_ten_epochs_of_each_optimizer(name):
    losses, first = [], None
    for keras in (theirs, ours):
        model = mlp(keras, 3, "softmax")
        model.build((None, 6))
        first = first or model.get_weights()
        model.set_weights(first)
        model.compile(name, "sparse_categorical_crossentropy", metrics=["accuracy"])
        losses.append(model.fit(X, CLASSES, epochs=10, batch_size=16, shuffle=False, verbose=0).history)
    for key in losses[0]:
        np.testing.assert_allclose(losses[1][key], losses[0][key], rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.callbacks.EarlyStopping("loss", patience=1, min_delta=0.05),
        lambda k: k.callbacks.EarlyStopping("accuracy", patience=0, restore_best_weights=True),
        lambda k: k.callbacks.EarlyStopping("loss", patience=2, baseline=0.1),
        lambda k: k.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.05, cooldown=1),
        lambda k: k.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5),
    ],
)
def test_callbacks_act_alike(make):
    found, first = [], None
    for keras in (theirs, ours):
        model = mlp(keras, 3, "softmax")
        model.build((None, 6))
        first = first or model.get_weights()
        model.set_weights(first)
        model.compile(keras.optimizers.SGD(0.2), "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(
            X, CLASSES, epochs=8, batch_size=16, shuffle=False, verbose=0, callbacks=[make(keras)]
        )
        found.append((history.history, history.epoch, model.get_weights()))
    assert found[0][1] == found[1][1]
    assert sorted(found[0][0]) == sorted(found[1][0])
    for key in found[0][0]:
        np.testing.assert_allclose(found[1][0][key], found[0][0][key], rtol=1e-5, atol=1e-6, err_msg=key)
    for a, b in zip(found[0][2], found[1][2], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)


def test_the_summary_is_the_same(capsys):
    texts = []
    for keras in (theirs, ours):
        keras.backend.clear_session()
        model = keras.Sequential(
            [keras.Input((6,)), keras.layers.Dense(300, name="a_layer_with_a_long_name_indeed_it_is")]
        )
        model.add(keras.layers.Dense(1))
        model.compile("adam", "mse")
        model.fit(X, REAL, verbose=0)
        for options in ({}, {"line_length": 70}, {"show_trainable": True}):
            model.summary(**options)
        texts.append("\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines()))
    assert texts[0] == texts[1]
