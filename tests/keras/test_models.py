"""Graphs, subclassed models, nested ones: running, naming, configs, finding layers."""

import copy
import json
import pickle

import numpy as np
import pytest

from minidl import keras, nn
from minidl.keras import layers

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")


@pytest.fixture(autouse=True)
def fresh_names():
    keras.backend.clear_session()


def shared_graph():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = layers.Dense(2, name="shared")
    x = layers.Activation("relu")(shared(a) + shared(b) * 2.0)
    return keras.Model([a, b], [layers.Dense(1, name="o1")(x), layers.Dense(4, name="o2")(x)])


def test_a_graph_runs_like_its_code():
    model = shared_graph()
    kernel, bias = model.get_layer("shared").get_weights()
    hidden = np.maximum(X @ kernel + bias + (2 * X @ kernel + bias) * 2.0, 0)
    first, second = model.predict([X, 2 * X], verbose=0)
    w, c = model.get_layer("o1").get_weights()
    np.testing.assert_allclose(first, hidden @ w + c, rtol=1e-5, atol=1e-5)
    assert second.shape == (20, 4)
    by_name = model.predict({"b": 2 * X, "a": X}, verbose=0)
    np.testing.assert_array_equal(by_name[0], first)
    assert model.count_params() == 8 + 3 + 12
    assert model.input_names == ["a", "b"] and model.output_names == ["o1", "o2"]
    assert model.input_shape == [(None, 3), (None, 3)] and model.output_shape == [(None, 1), (None, 4)]


def test_a_graph_comes_back_from_its_config():
    model = shared_graph()
    config = json.loads(json.dumps(model.get_config()))
    again = keras.models.Functional.from_config(config)
    again.set_weights(model.get_weights())
    for a, b in zip(again.predict([X, X], verbose=0), model.predict([X, X], verbose=0), strict=True):
        np.testing.assert_array_equal(a, b)
    clone = keras.models.clone_model(model)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    assert clone.get_layer("shared") is not model.get_layer("shared")
    assert keras.models.model_from_json(model.to_json()).count_params() == 23


def test_layers_are_listed_as_keras_does():
    """The furthest from the outputs first; a shared layer by its furthest call; an input without a use last but one."""
    a, b, unused = (keras.Input((3,), name=name) for name in "abu")
    left = layers.Dense(3, name="left2")(layers.Dense(3, name="left1")(a))
    shared = layers.Dense(3, name="shared")
    right = layers.Dense(3, name="right2")(shared(layers.Dense(3, name="right1")(b)))
    total = layers.Add(name="add")([left, right])
    model = keras.Model([a, b, unused], [total, shared(a)])
    names = [layer.name for layer in model.layers]
    assert names == ["b", "a", "right1", "left1", "shared", "left2", "right2", "u", "add"]
    assert [w.path.split("/")[0] for w in model.weights[::2]] == [
        "right1",
        "left1",
        "shared",
        "left2",
        "right2",
    ]


def test_keras3_counts_the_calls_of_a_graph_inside_from_one_in_its_outputs(tmp_path):
    i, a = keras.Input((3,), name="i"), keras.Input((3,), name="a")
    inner = keras.Model(i, layers.Dense(3)(i), name="inner")
    first = inner(a)
    model = keras.Model(a, [first, layers.Dense(2)(inner(first))])
    config = keras.saving.serialize_keras_object(model)["config"]
    assert config["output_layers"][0] == ["inner", 1, 0]
    history = config["layers"][1]["inbound_nodes"][1]["args"][0]["config"]["keras_history"]
    assert history == ["inner", 0, 0]
    for again in (keras.Model.from_config(model.get_config()), keras.models.clone_model(model)):
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again.predict(X, verbose=0)[0], model.predict(X, verbose=0)[0])
    pytest.importorskip("h5py")
    for ending in ("keras", "h5"):
        model.save(tmp_path / f"m.{ending}")
        again = keras.models.load_model(tmp_path / f"m.{ending}", compile=False)
        np.testing.assert_array_equal(again.predict(X, verbose=0)[0], model.predict(X, verbose=0)[0])


def test_keras3_nodes_are_read():
    node = {
        "args": [
            {"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "keras_history": ["i", 0, 0]}}
        ],
        "kwargs": {},
    }
    config = {
        "name": "m",
        "layers": [
            {"class_name": "InputLayer", "name": "i", "config": {"batch_shape": [None, 3], "name": "i"}},
            {"class_name": "Dense", "name": "d", "config": {"units": 2, "name": "d"}, "inbound_nodes": [node]},
        ],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["d", 0, 0]],
    }  # fmt: skip
    assert keras.models.Functional.from_config(config).output_shape == (None, 2)


def test_graphs_refuse():
    a, b = keras.Input((3,)), keras.Input((3,), name="other")
    with pytest.raises(ValueError, match=r"`inputs` not connected to `outputs`.*Hint: add 'other'"):
        keras.Model(a, layers.Dense(1)(b))
    with pytest.raises(ValueError, match="used 2 times in the model"):
        keras.Model(a, layers.Dense(1, name="x")(layers.Dense(1, name="x")(a)))
    model = keras.Model(a, layers.Dense(1)(a))
    with pytest.raises(ValueError, match=r"expected shape=\(None, 3\), found shape=\(2, 4\)"):
        model(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"takes 1 inputs .* but received 2"):
        model([X, X])
    with pytest.raises(TypeError, match=r"list of layers makes a keras.Sequential"):
        keras.Model([layers.Dense(1)])
    with pytest.raises(TypeError, match=r"len\(\) of a symbolic KerasTensor"):
        len(a)
    with pytest.raises(ValueError, match="wrap the computation in a Layer"):
        np.asarray(a)


def test_operators_on_symbols():
    a = keras.Input((4,))
    out = (1.0 - a[:, :2]) ** 2 / 2.0 + abs(-a[:, 2:])
    model = keras.Model(a, out)
    x = np.arange(8.0).reshape(2, 4)
    np.testing.assert_allclose(model.predict(x, verbose=0), (1 - x[:, :2]) ** 2 / 2 + np.abs(x[:, 2:]))
    assert out.shape == (None, 2)
    with pytest.raises(ValueError, match="cannot be broadcast"):
        keras.Input((3,)) + keras.Input((4,))


def test_sequential_grows_and_shrinks():
    model = keras.Sequential(name="s")
    model.add(keras.Input((3,)))
    model.add(layers.Dense(4))
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2) and len(model.layers) == 2
    assert model.weights[0].path == "s/dense/kernel"
    model.pop()
    assert model.output_shape == (None, 4) and model.count_params() == 16
    with pytest.raises(ValueError, match=r"Only instances of `keras.Layer`.*with \(\)"):
        model.add(layers.Dense)
    with pytest.raises(ValueError, match="unique names"):
        model.add(layers.Dense(1, name="dense"))
    with pytest.raises(AttributeError, match="give it an Input first"):
        _ = keras.Sequential([layers.Dense(1)]).output_shape


def test_shape_errors_in_a_sequential_name_place_and_fix():
    with pytest.raises(ValueError, match=r'layer "late" \(layer 1 of model "seq"\).*expected axis -1'):
        late = layers.Dense(2, name="late")
        late(np.ones((1, 7)))
        keras.Sequential([keras.Input((3,)), layers.Dense(4), late], name="seq")
    for wide in (layers.Conv2D(3, 5), layers.MaxPooling2D(5)):
        with pytest.raises(ValueError, match=r"negative or zero.*\(layer 1 of model \"seq.*padding='same'"):
            keras.Sequential([keras.Input((4, 4, 1)), layers.ReLU(), wide])


@pytest.mark.parametrize("arguments", [{"input_shape": (3,)}, {"input_dim": 3}])
def test_the_first_layer_tells_the_shape(arguments):
    model = keras.Sequential([layers.Dense(4, **arguments), layers.Dense(1)])
    assert model.built and model.count_params() == 21 and model.input_shape == (None, 3)


def test_a_lazy_model_writes_no_batch_size():
    model = keras.Sequential([layers.Dense(4)])
    model(X)
    assert model.input_shape == (None, 3)
    assert "20" not in json.dumps(model.get_config())


def test_modules_and_functions_in_a_sequential():
    model = keras.Sequential([layers.Dense(3), nn.Linear(3, 2), lambda x: x * 2])
    model.compile("sgd", "mse")
    before = model.predict(X, verbose=0)
    model.fit(X, np.zeros((20, 2)), verbose=0)
    assert len(model.weights) == 4 and len(model.trainable_weights) == 4
    assert not np.allclose(before, model.predict(X, verbose=0))
    wrapped = layers.TorchModuleWrapper(nn.Linear(3, 2), name="wrapped", output_shape=(2,))
    assert wrapped(keras.Input((3,))).shape == (None, 2) and wrapped.name == "wrapped"


class Net(keras.Model):
    def __init__(self, units=8):
        super().__init__()
        self.hidden = layers.Dense(units, activation="relu")
        self.drop = layers.Dropout(0.5)
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.drop(self.hidden(x), training=training))


def test_a_subclass():
    net = Net()
    with pytest.raises(ValueError, match=r"isn't built yet"):
        net.count_params()
    net.build((None, 3))
    assert net.count_params() == 41
    assert [w.path for w in net.weights][:2] == ["net/dense/kernel", "net/dense/bias"]
    assert [layer.name for layer in net.layers] == ["dense", "dropout", "dense_1"]
    assert net.get_layer("dense") is net.hidden and net.get_layer(index=2) is net.out
    with pytest.raises(ValueError, match=r"No such layer: dens. Existing.*Did you mean 'dense'"):
        net.get_layer("dens")
    np.testing.assert_array_equal(net.predict(X, verbose=0), net.predict(X, verbose=0))
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict(X, verbose=0), net.predict(X, verbose=0))


def test_a_subclass_that_makes_its_graph():
    class Encoder(keras.Model):
        def __init__(self):
            inputs = keras.Input((3,))
            super().__init__(inputs, layers.Dense(2)(inputs))
            self.extra = layers.Dense(5)

    model = Encoder()
    assert isinstance(model, Encoder) and model.predict(X, verbose=0).shape == (20, 2)
    assert [layer.name for layer in model.layers][-1] == "dense"


def test_an_own_train_step():
    class Own(keras.Model):
        steps = 0

        def train_step(self, data):
            x, y = data[:2]
            Own.steps += 1
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            self.zero_grad()
            loss.backward()
            self.optimizer.apply([v.value.grad for v in self.trainable_weights], self.trainable_weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

        def test_step(self, data):
            return {"seven": 7.0}

    inputs = keras.Input((3,))
    model = Own(inputs, layers.Dense(1)(inputs))
    model.compile("sgd", "mse", metrics=["mse"])
    history = model.fit(X, X[:, 0], epochs=8, batch_size=10, verbose=0, validation_split=0.2).history
    assert Own.steps == 16 and list(history) == ["loss", "mse", "val_seven"]
    assert history["loss"][-1] < history["loss"][0] and history["val_seven"] == [7.0] * 8


def test_losses_and_metrics_that_layers_add():
    class Noted(layers.Layer):
        def call(self, x):
            self.add_loss((x**2).sum() * 0.5)
            self.add_metric(x.mean(), name="average")
            return x

    model = keras.Sequential([Noted(), layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    score = model.evaluate(np.ones((4, 2)), np.zeros(4), batch_size=2, verbose=0, return_dict=True)
    assert score == {"loss": 2.0, "average": 1.0}
    model(np.ones((1, 2)))
    assert [float(v) for v in model.losses] == [1.0]


def test_nested_models_and_frozen_parts():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(4)])
    inner.trainable = False
    model = keras.Sequential([inner, layers.Dense(1)])
    model.compile("sgd", "mse")
    frozen = inner.get_weights()
    assert len(model.trainable_weights) == 2 and len(model.non_trainable_weights) == 2
    model.fit(X, X[:, 0], verbose=0, epochs=2)
    np.testing.assert_array_equal(inner.get_weights()[0], frozen[0])
    inner.trainable = True
    model.compile("sgd", "mse")
    model.fit(X, X[:, 0], verbose=0)
    assert not np.array_equal(inner.get_weights()[0], frozen[0])


def test_parts_of_a_sequential_as_a_graph():
    model = keras.Sequential()
    for layer in (keras.Input((3,)), layers.Dense(5), layers.Dense(4), layers.Dense(2)):
        model.add(layer)
    features = keras.Model(model.inputs, model.layers[1].output)
    assert features.predict(X, verbose=0).shape == (20, 4)
    assert all(len(layer._inbound_nodes) == 1 for layer in model.layers)
    model.pop()
    assert model.predict(X, verbose=0).shape == (20, 4)
    np.testing.assert_array_equal(model.predict(X, verbose=0), features.predict(X, verbose=0))


@pytest.mark.parametrize("make", [shared_graph, lambda: keras.Sequential([layers.Dense(2), nn.Linear(2, 1)])])
def test_models_pickle_with_their_optimizers(make):
    model = make()
    data = (
        ([X, X], [X[:, :1], np.ones((20, 4))])
        if isinstance(model, keras.models.Functional)
        else (X, X[:, :1])
    )
    model.compile("adam", "mse")
    model.fit(*data, verbose=0)
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    for each in (model, *copies):
        keras.utils.set_random_seed(0)
        each.fit(*data, verbose=0)
    for again in copies:
        for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_errors_inside_a_layer_say_which():
    class Odd(layers.Layer):
        def call(self, x):
            return x @ np.ones((7, 7), "float32") if x.shape[0] == 20 else x

    model = keras.Sequential([keras.Input((3,)), layers.Dense(4), Odd(name="odd")])
    with pytest.raises((RuntimeError, TypeError, ValueError)) as found:
        model.predict(X, verbose=0)
    assert "In layer 'odd' (Odd) (layer 1 of model" in found.value.__notes__[0]
    assert "(20, 4)" in found.value.__notes__[0]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_training_in_mixed_precision(policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    finally:
        keras.mixed_precision.set_global_policy("float32")
    x = np.repeat(X, 10, axis=0)
    history = model.fit(x, x.argmax(-1), epochs=20, batch_size=20, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert model.predict(x, verbose=0).dtype == np.float32
    assert all(w.dtype == np.float32 for w in model.get_weights())


@pytest.mark.parametrize("tracked", [False, True])
def test_an_own_step_that_returns_only_its_loss(tracked):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)
            if tracked:
                self.tracker = keras.metrics.Mean(name="loss")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            loss = ((self(data[0], training=True) - 1.0) ** 2).mean()
            self.zero_grad()
            loss.backward()
            self.optimizer.apply([v.value.grad for v in self.trainable_weights], self.trainable_weights)
            if tracked:
                self.tracker.update_state(loss)
                return {"loss": self.tracker.result()}
            return {"loss": loss}

    model = Own()
    model.compile("sgd")
    losses = model.fit(X, verbose=0, epochs=3, batch_size=10).history["loss"]
    assert losses[0] > losses[-1] > 0
