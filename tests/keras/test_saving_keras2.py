"""Files of Keras 2, written here by their structure: bytes for names, ``batch_input_shape``, its orders of state."""

import json

import numpy as np
import pytest

from minidl import keras
from minidl.keras.saving.store import places

h5py = pytest.importorskip("h5py")
from files_of_keras2 import (  # noqa: E402
    BIAS,
    KERNEL,
    TRAINING,
    WEIGHTS,
    M,
    R,
    X,
    dense,
    initializer,
    input_layer,
    sequential,
    write,
)


def test_a_sequential_of_keras_2(tmp_path):
    config = sequential(input_layer(), dense())
    model = keras.models.load_model(write(tmp_path / "m.h5", config, {"input_1": {}, **WEIGHTS}, TRAINING))
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ KERNEL + BIAS, rtol=1e-5)
    assert model.input_shape == (None, 3)  # a fixed batch is the accident of a saver
    assert float(model.optimizer.learning_rate) == pytest.approx(0.002)
    results = model.evaluate(X, np.zeros((5, 2)), verbose=0, return_dict=True)
    assert list(results) == ["loss", "accuracy", "mae"] or set(results) == {"loss", "accuracy", "mae"}


def test_without_an_input_layer_and_as_a_bare_list(tmp_path):
    for config in (sequential(dense()), {"class_name": "Sequential", "config": [dense()]}):
        model = keras.models.load_model(write(tmp_path / "m.h5", config, WEIGHTS), compile=False)
        np.testing.assert_allclose(model.predict(X, verbose=0), X @ KERNEL + BIAS, rtol=1e-5)
        assert model.input_shape == (None, 3) and not model.compiled


def test_no_training_configuration_is_said(tmp_path):
    path = write(tmp_path / "m.h5", sequential(dense()), WEIGHTS)
    with pytest.warns(UserWarning, match="no training configuration"):
        keras.models.load_model(path)


def test_a_graph_of_keras_2(tmp_path):
    def entry(layer, *nodes):
        return {**layer, "name": layer["config"]["name"], "inbound_nodes": list(nodes)}

    for outer in ("Functional", "Model"):
        config = {
            "class_name": outer,
            "config": {
                "name": "model",
                "layers": [
                    entry(input_layer(name="a")), entry(input_layer(name="b")),
                    entry(dense(), [["a", 0, 0, {}]], [["b", 0, 0, {}]]),
                    entry({"class_name": "Add", "config": {"name": "add", "trainable": True, "dtype": "float32"}},
                          [["dense", 0, 0, {}], ["dense", 1, 0, {}]]),
                ],
                "input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["add", 0, 0]],
            },
        }  # fmt: skip
        layers = {"a": {}, "b": {}, **WEIGHTS, "add": {}}
        model = keras.models.load_model(write(tmp_path / "m.h5", config, layers), compile=False)
        np.testing.assert_allclose(
            model.predict([X, 2 * X], verbose=0), 3 * X @ KERNEL + 2 * BIAS, rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize(
    "more",
    [
        {"dtype": {"class_name": "Policy", "config": {"name": "float32"}}},
        {"dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}},
        {"kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.01}}},
        {"kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}}},
        {"activation": {"module": "builtins", "class_name": "function", "config": "linear"}},
        {"quantization_config": None, "lora_rank": None, "implementation": 2},
        {"kernel_initializer": {"class_name": "VarianceScaling", "shared_object_id": 3, "config": {
            "scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None}}},
    ],
)  # fmt: skip
def test_tolerated(more, tmp_path):
    layer = {
        **dense(**more),
        "registered_name": None,
        "build_config": {"input_shape": [None, 3]},
        "shared_object_id": 1,
    }
    model = keras.models.load_model(
        write(tmp_path / "m.h5", sequential(input_layer(), layer), WEIGHTS), compile=False
    )
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ KERNEL + BIAS, rtol=1e-5)


def test_weights_of_keras_2_by_order_and_by_name(tmp_path):
    path = write(tmp_path / "w.h5", None, {"other": {}, **WEIGHTS, "gone": {"gone/kernel:0": M}}, root=True)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, name="dense"), keras.layers.Dense(4, name="new")]
    )
    new = model.layers[1].get_weights()
    model.load_weights(path, by_name=True)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], KERNEL)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], new[0])
    with pytest.raises(ValueError, match=r"Weight count mismatch for layer #1 \(named new"):
        model.load_weights(path)


def test_names_with_slashes(tmp_path):
    """Keras 2 allows them, as in its DenseNet, Keras 3 does not."""
    layer = dense(name="block/dense")
    entries = [{**input_layer(), "name": "input_1", "inbound_nodes": []},
               {**layer, "name": "block/dense", "inbound_nodes": [[["input_1", 0, 0, {}]]]}]  # fmt: skip
    graph = {
        "name": "m",
        "layers": entries,
        "input_layers": [["input_1", 0, 0]],
        "output_layers": [["block/dense", 0, 0]],
    }
    layers = {"input_1": {}, "block/dense": {"block/dense/kernel:0": KERNEL, "block/dense/bias:0": BIAS}}
    training = {**TRAINING, "loss": {"block/dense": "mse"}, "metrics": None}
    for config in (sequential(input_layer(), layer), {"class_name": "Functional", "config": graph}):
        path = write(tmp_path / "m.h5", config, layers, training)
        model = keras.models.load_model(path)
        np.testing.assert_allclose(model.predict(X, verbose=0), X @ KERNEL + BIAS, rtol=1e-5)
        assert (
            model.layers[-1].name == "block_dense" and model.evaluate(X, X @ KERNEL + BIAS, verbose=0) < 1e-6
        )
        model.set_weights([KERNEL * 0, BIAS])
        model.load_weights(path, by_name=True)
        np.testing.assert_array_equal(model.get_weights()[0], KERNEL)


def test_by_name_with_other_shapes(tmp_path):
    path = write(tmp_path / "w.h5", None, WEIGHTS, root=True)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")])
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"expects shape \(4, 2\).*with shape \(3, 2\)"):
        model.load_weights(path, by_name=True)
    np.testing.assert_array_equal(model.get_weights()[1], before[1])  # nothing was changed
    with pytest.warns(UserWarning, match="Skipping"):
        model.load_weights(path, by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    np.testing.assert_array_equal(model.get_weights()[1], BIAS)


def test_recurrent_layers_of_keras_2(tmp_path):
    """Their configs have what Keras 3 refuses: ``time_major``, ``implementation``."""
    units, features = 4, 3
    weights = [
        R.normal(size=s).astype("float32") for s in ((features, 4 * units), (units, 4 * units), (4 * units,))
    ]
    lstm = {
        "class_name": "LSTM",
        "config": {
            "name": "lstm", "trainable": True, "dtype": "float32", "batch_input_shape": [None, 5, features],
            "return_sequences": False, "return_state": False, "go_backwards": False, "stateful": False, "unroll": False,
            "time_major": False, "units": units, "activation": "tanh", "recurrent_activation": "sigmoid",
            "use_bias": True, "unit_forget_bias": True, "implementation": 2, "dropout": 0.0, "recurrent_dropout": 0.0,
            "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}, "shared_object_id": 1},
            "recurrent_initializer": {"class_name": "Orthogonal", "config": {"gain": 1.0, "seed": None}},
            "bias_initializer": initializer("Zeros"), "kernel_regularizer": None, "recurrent_regularizer": None,
            "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None,
            "recurrent_constraint": None, "bias_constraint": None,
        },
    }  # fmt: skip
    names = ("lstm/lstm_cell/kernel:0", "lstm/lstm_cell/recurrent_kernel:0", "lstm/lstm_cell/bias:0")
    path = write(tmp_path / "m.h5", sequential(lstm), {"lstm": dict(zip(names, weights, strict=True))})
    model = keras.models.load_model(path, compile=False)
    x = R.normal(size=(2, 5, features)).astype("float32")
    h = c = np.zeros((2, units))
    for t in range(5):
        i, f, g, o = np.split(x[:, t] @ weights[0] + h @ weights[1] + weights[2], 4, axis=1)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
    np.testing.assert_allclose(model.predict(x, verbose=0), h, rtol=1e-4, atol=1e-5)
    lstm["config"]["time_major"] = True
    write(tmp_path / "m.h5", sequential(lstm), {"lstm": dict(zip(names, weights, strict=True))})
    with pytest.raises(ValueError, match="time_major"):
        keras.models.load_model(path, compile=False)


def test_batch_normalization_and_leaky_relu_of_keras_2(tmp_path):
    config = {
        "name": "bn", "trainable": True, "dtype": "float32", "axis": [1], "momentum": 0.99, "epsilon": 0.001,
        "center": True, "scale": True, "fused": None, "renorm": False, "virtual_batch_size": None,
        "beta_initializer": initializer("Zeros"), "gamma_initializer": initializer("Ones"),
        "moving_mean_initializer": initializer("Zeros"), "moving_variance_initializer": initializer("Ones"),
    }  # fmt: skip
    norm = {"class_name": "BatchNormalization", "config": config}
    leaky = {"class_name": "LeakyReLU", "config": {"name": "leaky", "dtype": "float32", "alpha": 0.25}}
    arrays = [np.full(3, v, "float32") for v in (2.0, 0.5, 0.1, 4.0)]
    names = ("bn/gamma:0", "bn/beta:0", "bn/moving_mean:0", "bn/moving_variance:0")
    path = write(
        tmp_path / "m.h5",
        sequential(input_layer(), norm, leaky),
        {"bn": dict(zip(names, arrays, strict=True)), "leaky": {}},
    )
    y = (X - 0.1) / np.sqrt(4.001) * 2 + 0.5
    model = keras.models.load_model(path, compile=False)
    np.testing.assert_allclose(
        model.predict(X, verbose=0), np.where(y > 0, y, 0.25 * y), rtol=1e-5, atol=1e-6
    )


def test_hard_sigmoid_of_keras2_has_another_slope(tmp_path):
    path = write(tmp_path / "m.h5", sequential(dense(activation="hard_sigmoid")), WEIGHTS)
    model = keras.models.load_model(path, compile=False)
    np.testing.assert_allclose(
        model.predict(X, verbose=0), np.clip(0.2 * (X @ KERNEL + BIAS) + 0.5, 0, 1), atol=1e-6
    )


def test_hard_sigmoid_travels_back_to_keras_2_alone(tmp_path):
    path = write(tmp_path / "m.h5", sequential(dense(activation="hard_sigmoid")), WEIGHTS)
    model = keras.models.load_model(path, compile=False)
    expected = model.predict(X, verbose=0)
    model.save(tmp_path / "again.h5", keras_version=2)
    with h5py.File(tmp_path / "again.h5") as file:
        assert '"hard_sigmoid"' in file.attrs["model_config"]  # the name that Keras 2 knows
    again = keras.models.load_model(tmp_path / "again.h5", compile=False)
    np.testing.assert_array_equal(again.predict(X, verbose=0), expected)
    for name in ("three.h5", "three.keras"):
        with pytest.warns(UserWarning, match="minidl alone opens"):
            model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name, compile=False)
        np.testing.assert_array_equal(again.predict(X, verbose=0), expected)
    newer = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="hard_sigmoid")])
    with pytest.warns(UserWarning, match="slope 0.2"):
        newer.save(tmp_path / "newer.h5", keras_version=2)
    again = keras.models.load_model(tmp_path / "newer.h5", compile=False)
    np.testing.assert_array_equal(again.predict(X, verbose=0), newer.predict(X, verbose=0))


def test_tensors_among_the_named_arguments_are_places_for_keras_2(tmp_path):
    inputs = keras.Input((4, 3), name="i")
    _, *states = keras.layers.LSTM(2, return_state=True, name="first")(inputs)
    outputs = keras.layers.LSTM(2, name="second")(inputs, initial_state=states)
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "m.h5", keras_version=2)
    with h5py.File(tmp_path / "m.h5") as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    wanted = [["i", 0, 0, {"initial_state": [["first", 0, 1], ["first", 0, 2]]}]]
    assert next(e["inbound_nodes"] for e in layers if e["name"] == "second") == [wanted]
    x = R.normal(size=(5, 4, 3)).astype("float32")
    again = keras.models.load_model(tmp_path / "m.h5", compile=False)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_accuracy_is_written_as_the_one_that_it_was(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc"])
    model.fit(X, np.arange(5) % 2, verbose=0)
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        metric = json.loads(file.attrs["training_config"])["metrics"][0]
    assert metric == {
        "class_name": "SparseCategoricalAccuracy",
        "config": {"name": "acc", "dtype": "float32"},
    }
    again = keras.models.load_model(tmp_path / "m.h5")
    expected = model.evaluate(X, np.arange(5) % 2, verbose=0, return_dict=True)
    assert again.evaluate(X, np.arange(5) % 2, verbose=0, return_dict=True) == expected


def test_models_inside_are_counted_from_one_and_states_follow_the_input(tmp_path):
    head = sequential(dense())
    head["config"]["name"] = "head"
    call = lambda name, *calls: {"name": name, "inbound_nodes": [[[*c, {}] for c in calls]]}  # noqa: E731
    graph = {
        "name": "model", "input_layers": [["input_1", 0, 0]], "output_layers": [["head", 1, 0]],
        "layers": [{**input_layer(), "name": "input_1", "inbound_nodes": []},
                   {**head, **call("head", ("input_1", 0, 0))}],
    }  # fmt: skip
    path = write(tmp_path / "m.h5", {"class_name": "Functional", "config": graph}, {"head": WEIGHTS["dense"]})
    model = keras.models.load_model(path, compile=False)
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ KERNEL + BIAS, atol=1e-6)
    lstm = lambda name, **more: {"class_name": "LSTM", "config": {"name": name, "units": 2, **more}}  # noqa: E731
    graph = {
        "name": "model", "input_layers": [["input_1", 0, 0]], "output_layers": [["b", 0, 0]],
        "layers": [{**input_layer((None, 4, 3)), "name": "input_1", "inbound_nodes": []},
                   {**lstm("a", return_state=True, return_sequences=True), **call("a", ("input_1", 0, 0))},
                   {**lstm("b"), **call("b", ("a", 0, 0), ("a", 0, 1), ("a", 0, 2))}],
    }  # fmt: skip
    model = keras.models.model_from_config({"class_name": "Functional", "config": graph})
    x = np.ones((2, 4, 3), "float32")
    a, b = model.get_layer("a"), model.get_layer("b")
    out, *states = a(x)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), b(out, initial_state=states).detach().numpy(), atol=1e-6
    )


@pytest.mark.parametrize("name", ["SeparableConv2D", "DepthwiseConv2D", "Conv2DTranspose"])
def test_what_keras2_writes_for_every_convolution_is_left_out(name):
    config = {"name": "c", "kernel_size": [2, 2], "groups": 1}
    config |= {} if name == "DepthwiseConv2D" else {"filters": 2}
    config |= {} if name == "Conv2DTranspose" else {"kernel_initializer": initializer("GlorotUniform")}
    layers = input_layer((None, 4, 4, 3)), {"class_name": name, "config": config}
    assert keras.models.model_from_config(sequential(*layers)).output_shape[:1] == (None,)


def test_metrics_of_several_outputs_lose_the_output_s_name(tmp_path):
    call = lambda name: {"name": name, "inbound_nodes": [[["input_1", 0, 0, {}]]]}  # noqa: E731
    graph = {
        "name": "model", "input_layers": [["input_1", 0, 0]], "output_layers": [["a", 0, 0], ["b", 0, 0]],
        "layers": [{**input_layer(), "name": "input_1", "inbound_nodes": []},
                   *({**dense(name=name), **call(name)} for name in "ab")],
    }  # fmt: skip
    wrapper = lambda name: {"class_name": "MeanMetricWrapper", "config": {"name": name, "fn": "mae"}}  # noqa: E731
    training = {**TRAINING, "metrics": [[wrapper("a_mae")], [wrapper("b_mae")]]}
    layers = dict.fromkeys("ab", WEIGHTS["dense"])
    path = write(tmp_path / "m.h5", {"class_name": "Functional", "config": graph}, layers, training)
    found = keras.models.load_model(path).evaluate(X, [X[:, :2]] * 2, verbose=0, return_dict=True)
    assert set(found) == {"loss", "a_loss", "b_loss", "a_mae", "b_mae"}


def test_weights_of_a_model_of_ones_own_lie_elsewhere_in_keras_2(tmp_path):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = keras.layers.Dense(2), keras.layers.Dense(4)
            self.blocks = [keras.layers.Dense(2)]

        def call(self, x):
            return self.out(self.blocks[0](self.hidden(x)))

    model = Net()
    model(X)
    found = {v.path: k for k, v in places(model, keras2=True).items()}
    assert sorted(found.values()) == sorted(
        f"{place}/vars/{i}" for place in ("layers/dense", "layers/dense_1", "out") for i in (0, 1)
    )
    arrays = {
        k: np.full(v.shape, n, "float32") for n, (k, v) in enumerate(places(model, keras2=True).items())
    }
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        for place, array in arrays.items():
            file[place] = array
    model.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(model.out.get_weights()[0], arrays["out/vars/0"])
    np.testing.assert_array_equal(model.hidden.get_weights()[1], arrays["layers/dense/vars/1"])
