"""The rules of fit, evaluate and predict: splits, shuffling, weights, kinds of data, order of callbacks, errors."""

import os
import sys
import types
import warnings

import numpy as np
import pytest

import minidl
from minidl import keras
from minidl.keras import layers
from minidl.utils.data import DataLoader, TensorDataset

X = np.random.default_rng(0).normal(size=(21, 3))
Y = X[:, 0] * 2


def linear(loss="mse", lr=0.0, **compiled):
    model = keras.Sequential([layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(learning_rate=lr), loss, **compiled)
    return model


class Seen(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []


def _note(name):
    return lambda self, *args, **kwargs: self.calls.append(name)


for _name in [
    n
    for n in dir(keras.callbacks.Callback)
    if n.startswith("on_") and n not in ("on_batch_begin", "on_batch_end")
]:
    setattr(Seen, _name, _note(_name))


def test_the_loss_is_weighted_by_batch_size():
    model = keras.Sequential(
        [layers.Lambda(lambda x: x * 1.0), layers.Dense(1, kernel_initializer="ones", use_bias=False)]
    )
    model.compile(keras.optimizers.SGD(learning_rate=0.0), "mae")
    history = model.fit(np.arange(7.0)[:, None], np.zeros(7), batch_size=4, shuffle=False, verbose=0)
    assert history.history["loss"] == [3.0]


def test_validation_takes_the_last_part_before_shuffling():
    x = np.arange(10.0)[:, None]
    kept = []

    class Peek(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs, training=None):
            kept.append((bool(training), inputs.numpy()[:, 0].tolist()))
            return self.dense(inputs)

    model = Peek()
    model.compile("sgd", "mse")
    model.fit(x, x[:, 0], validation_split=0.3, verbose=0, epochs=2, batch_size=20)
    training = [rows for mode, rows in kept if mode]
    held = [rows for mode, rows in kept if not mode]
    assert all(sorted(rows) == list(range(7)) for rows in training) and training[0] != training[1]
    assert held == [[7.0, 8.0, 9.0]] * 2
    assert x.tolist() == np.arange(10.0)[:, None].tolist()


def test_evaluate_adds_the_penalties_of_the_weights_as_they_are():
    model = keras.Sequential([layers.Dense(1, kernel_regularizer="l2")])  # built by the first batch
    model.compile("sgd", "mse")
    x, y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
    for factor in (1.0, 2.0):
        if factor != 1.0:
            model.set_weights([weight * factor for weight in model.get_weights()])
        found = model.evaluate(x, y, batch_size=2, verbose=0)
        kernel = model.get_weights()[0]
        assert found == pytest.approx(kernel.sum() ** 2 + 0.01 * (kernel**2).sum(), rel=1e-5)


def test_splits_that_leave_nothing():
    with pytest.raises(ValueError, match=r"21 samples, which is not sufficient.*`validation_split=1"):
        linear().fit(X, Y, validation_split=1, verbose=0)
    with pytest.raises(ValueError, match="only supported for tensors or NumPy arrays"):
        linear().fit(iter([(X, Y)]), validation_split=0.2, verbose=0)


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a.tolist(),
        lambda a: tuple(a.tolist()),
        lambda a: a.astype("float16").astype("float64"),
        lambda a: minidl.tensor(a),
        lambda a: minidl.tensor(a, dtype=minidl.float64, requires_grad=True),
        lambda a: np.asfortranarray(a),
    ],
    ids=["list", "tuple", "float64", "tensor", "tensor on the tape", "fortran"],
)
def test_kinds_of_arrays(convert):
    x = np.round(X, 1).astype("float16").astype("float64")
    model = linear()
    expected = model.evaluate(x, Y, verbose=0)
    assert model.evaluate(convert(x), Y.tolist(), verbose=0) == pytest.approx(expected, rel=1e-4)
    assert model.predict(convert(x), verbose=0).dtype == np.float32
    model.fit(convert(x), convert(x)[:, :1] if not isinstance(convert(x), (list, tuple)) else Y, verbose=0)


def test_pandas():
    pandas = pytest.importorskip("pandas")
    model = linear()
    frame, series = pandas.DataFrame(X, columns=list("abc")), pandas.Series(Y)
    assert model.evaluate(frame, series, verbose=0) == model.evaluate(X, Y, verbose=0)
    model.fit(frame, series, validation_split=0.2, verbose=0)


def test_batches_that_come_by_themselves():
    batches = [(X[:8], Y[:8]), (X[8:16], Y[8:16]), (X[16:], Y[16:])]
    model = linear()
    expected = model.evaluate(X, Y, verbose=0)

    class Parts(keras.utils.PyDataset if hasattr(keras.utils, "PyDataset") else object):
        ended = 0

        def __len__(self):
            return 3

        def __getitem__(self, i):
            return batches[i]

        def on_epoch_end(self):
            Parts.ended += 1

    tensors = TensorDataset(minidl.tensor(X, dtype=minidl.float32), minidl.tensor(Y, dtype=minidl.float32))
    for make in (
        lambda: iter(batches),
        lambda: DataLoader(tensors, batch_size=8),
        lambda: tensors,
        lambda: Parts(),
    ):
        assert model.evaluate(make(), verbose=0) == pytest.approx(expected)
        model.fit(make(), epochs=1, verbose=0)
    model.fit(Parts(), epochs=3, verbose=0)
    assert Parts.ended == 5  # fit, and evaluate
    with pytest.raises(ValueError, match="`y` should not be passed"):
        model.fit(iter(batches), Y, verbose=0)
    assert model.predict(iter([X[:4], X[4:]]), verbose=0).shape == (21, 1)


def test_generators_and_steps():
    def endless():
        while True:
            yield X[:4], Y[:4]

    model = linear()
    history = model.fit(
        endless(), steps_per_epoch=3, epochs=2, validation_data=endless(), validation_steps=2, verbose=0
    )
    assert len(history.history["val_loss"]) == 2 and history.params["steps"] == 3
    with pytest.warns(UserWarning, match="ran out of data"):
        history = model.fit(iter([(X, Y)]), steps_per_epoch=2, epochs=3, verbose=0)
    assert len(history.epoch) == 1
    assert model.fit(X, Y, steps_per_epoch=2, batch_size=4, epochs=5, verbose=0).epoch == [0, 1, 2, 3, 4]


def test_callbacks_are_called_in_order():
    seen = Seen()
    linear().fit(X, Y, batch_size=11, validation_split=0.5, callbacks=[seen], verbose=0)
    assert seen.calls == [
        "on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_test_begin",
        "on_test_batch_begin", "on_test_batch_end", "on_test_end", "on_epoch_end", "on_train_end",
    ]  # fmt: skip


def test_history():
    model = linear(metrics=["mae", keras.metrics.RootMeanSquaredError()], lr=0.01)
    history = model.fit(X, Y, epochs=3, initial_epoch=1, verbose=0)
    assert history.epoch == [1, 2] and history.params == {"verbose": 0, "epochs": 3, "steps": 1}
    assert list(history.history) == ["loss", "mae", "root_mean_squared_error"]
    assert all(type(v) is float for values in history.history.values() for v in values)
    assert model.history is history
    best = history.best("loss")
    assert best["epoch"] == 2 and best["mae"] == history.history["mae"][1]
    with pytest.raises(KeyError, match="no 'val_loss' in the history; there are loss, mae"):
        history.best()
    assert repr(history).splitlines()[0] == "<History: 2 epochs>" and len(repr(history).splitlines()) == 4


def test_metric_names_and_evaluate():
    model = linear(
        metrics=["acc", "mae", keras.metrics.MeanAbsoluteError(name="own"), keras.losses.mean_squared_error]
    )
    assert model.metrics_names == ["loss", "acc", "mae", "own", "mean_squared_error"]
    values = model.evaluate(X, Y, verbose=0)
    assert isinstance(values, list) and len(values) == 5 and values[2] == pytest.approx(values[3])
    assert set(model.evaluate(X, Y, verbose=0, return_dict=True)) == set(model.metrics_names)
    assert isinstance(linear().evaluate(X, Y, verbose=0), float)
    twice = linear(
        metrics=[keras.metrics.MeanSquaredError(name="m"), keras.metrics.MeanSquaredError(name="m")]
    )
    assert twice.metrics_names == ["loss", "m", "m_1"]


def test_uncompiled():
    model = keras.Sequential([layers.Dense(1)])
    assert model.predict(X, verbose=0).shape == (21, 1)
    with pytest.raises(RuntimeError, match=r"must call `compile\(\)`"):
        model.fit(X, Y)
    with pytest.raises(RuntimeError, match=r"must call `compile\(\)`"):
        model.evaluate(X, Y)


def test_predict_keeps_no_graph_and_restores_nothing():
    model = keras.Sequential([layers.Dropout(0.5), layers.Dense(1)])
    out = model.predict(X, batch_size=4, verbose=0)
    np.testing.assert_array_equal(out, model.predict(X, batch_size=21, verbose=0))
    assert model.predict_on_batch(X[:2]).shape == (2, 1)


def test_two_column_truths_do_not_broadcast():
    model = keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    a = model.evaluate(X, Y, verbose=0)
    assert a == pytest.approx(model.evaluate(X, Y[:, None], verbose=0))


def test_compile_refuses_with_the_nearest_name():
    model = keras.Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match="Did you mean 'adam'"):
        model.compile("adamm", "mse")
    with pytest.raises(ValueError, match="Did you mean"):
        model.compile("adam", "binary_crosentropy")
    with pytest.raises(ValueError, match="Did you mean"):
        model.compile("adam", "mse", metrics=["acuracy_"])
    with pytest.raises(ValueError, match="Expected `loss_weights` argument to be a float"):
        model.compile("adam", "mse", loss_weights="half")
    with pytest.raises(ValueError, match="Expected `metrics` argument to be a list"):
        model.compile("adam", "mse", metrics="mae")
    with pytest.raises(TypeError, match="unexpected keyword argument 'metric'"):
        model.compile("adam", "mse", metric=["mae"])


def classifier(loss):
    model = keras.Sequential([layers.Dense(5, activation="softmax")])
    model.compile("sgd", loss)
    return model


@pytest.mark.parametrize(
    ("loss", "y", "error"),
    [
        ("categorical_crossentropy", np.arange(21) % 5, "sparse_categorical_crossentropy.*to_categorical"),
        ("categorical_crossentropy", np.eye(4)[np.arange(21) % 4], "5 units, the targets have 4 classes"),
        (
            "sparse_categorical_crossentropy",
            np.arange(21) % 8,
            "Target 7 is out of bounds.*5 units.*give it 8 units",
        ),
        ("sparse_categorical_crossentropy", np.arange(21) % 3 - 1, "Target -1 is out of bounds"),
        (
            "sparse_categorical_crossentropy",
            np.eye(5)[np.arange(21) % 5],
            "one-hot.*categorical_crossentropy",
        ),
        ("mse", np.array(["a", "b", "c"] * 7), "`y` holds strings.*return_inverse"),
        ("mse", np.zeros(20), "same number of samples.*'x' sizes: 21\n'y' sizes: 20"),
        ("mse", None, "You must pass `y`"),
    ],
)
def test_data_that_do_not_fit_say_why(loss, y, error):
    import re

    with pytest.raises(ValueError) as found:
        classifier(loss).fit(X, y, verbose=0)
    assert re.search(error, str(found.value), re.DOTALL), found.value


def test_unequal_lists_and_objects():
    with pytest.raises(ValueError, match="list of unequal lengths"):
        linear().predict([[1.0, 2.0], [3.0]], verbose=0)
    with pytest.raises(ValueError, match="holds Python objects"):
        linear().predict(np.array([[{}]], dtype=object), verbose=0)
    with pytest.raises(ValueError, match="`x` is None"):
        linear().predict(None, verbose=0)


def test_class_weights():
    model = keras.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(learning_rate=0.0), "mae")
    y = np.array([0, 1, 1, 1])
    history = model.fit(np.ones((4, 1)), y, class_weight={1: 2.0}, verbose=0)
    assert history.history["loss"] == [1.5]
    with pytest.raises(ValueError, match="Expected `class_weight` to be a dict"):
        model.fit(np.ones((4, 1)), y, class_weight="balanced", verbose=0)
    with pytest.raises(ValueError, match="cannot be specified at the same time"):
        model.train_on_batch(np.ones((4, 1)), y, sample_weight=np.ones(4), class_weight={0: 1})


def test_names_that_keras_dropped():
    model = keras.Sequential([layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    y = np.arange(21) % 3
    with pytest.warns(DeprecationWarning, match="epochs"):
        assert model.fit(X, y, nb_epoch=2, verbose=0).epoch == [0, 1]
    with pytest.warns(DeprecationWarning):
        classes = model.predict_classes(X)
    np.testing.assert_array_equal(classes, model.predict(X, verbose=0).argmax(-1))
    with pytest.warns(DeprecationWarning):
        np.testing.assert_array_equal(model.predict_proba(X), model.predict(X, verbose=0))
    with pytest.warns(DeprecationWarning):
        model.fit_generator(iter([(X, y)]), verbose=0)
    with pytest.warns(DeprecationWarning):
        model.evaluate_generator(iter([(X, y)]))


def test_fit_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        linear(lr=0.1, metrics=["mae"]).fit(X, Y, epochs=2, verbose=0, validation_split=0.2)


def test_set_random_seed_repeats_a_run():
    losses = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dropout(0.3), layers.Dense(1)])
        model.compile("adam", "mse")
        losses.append(model.fit(X, Y, epochs=3, batch_size=5, verbose=0).history["loss"])
    assert losses[0] == losses[1]


def test_torch_tensors_are_read(monkeypatch):
    """Without PyTorch here: a stand-in of its class's module name."""

    class Tensor:
        def __init__(self, array):
            self.array = array

        detach = cpu = lambda self: self

        def __array__(self, dtype=None, copy=None):
            return self.array

    Tensor.__module__ = "torch"
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    assert linear().predict(Tensor(X), verbose=0).shape == (21, 1)


def test_targets_that_would_broadcast_are_refused():
    model = keras.Sequential([layers.Dense(2)])
    model.compile("sgd", "mse")
    for y in (np.ones((21, 1)), np.ones(21), np.ones((21, 7))):
        with pytest.raises(ValueError, match=r"y has shape .*the model's output \(21, 2\).*Hint"):
            model.fit(X, y, batch_size=21, verbose=0)


def test_lists_of_one_input_and_of_numbers():
    model = keras.Sequential([layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    model.fit([X], [Y], verbose=0)
    assert layers.Dense(2)([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)
    inputs = keras.Input((3,))
    assert keras.Model(inputs, layers.Dense(1)(inputs))([[1.0, 2.0, 3.0]]).shape == (1, 1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("calls", [1500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_predict_does_not_grow(calls):
    def resident():
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
    for _ in range(300):
        model.predict(X, verbose=0)
    before = resident()
    for _ in range(calls):
        model.predict(X, verbose=0)
    assert resident() - before < 2**20
