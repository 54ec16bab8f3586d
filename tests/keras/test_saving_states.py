"""The optimizer's state in files of Keras 2 and for it."""

import io
import json
import zipfile

import numpy as np
import pytest

from minidl import keras

h5py = pytest.importorskip("h5py")
from files_of_keras2 import MB, TRAINING, VB, WEIGHTS, M, V, X, dense, sequential, write  # noqa: E402

NEW = {
    "iteration:0": np.int64(17), "Adam/m/dense/kernel:0": M, "Adam/v/dense/kernel:0": V,
    "Adam/m/dense/bias:0": MB, "Adam/v/dense/bias:0": VB,
}  # fmt: skip
OLD = {
    "Adam/iter:0": np.int64(17), "Adam/dense/kernel/m:0": M, "Adam/dense/bias/m:0": MB,
    "Adam/dense/kernel/v:0": V, "Adam/dense/bias/v:0": VB,
}  # fmt: skip


@pytest.mark.parametrize("state", [NEW, OLD], ids=["since 2.11", "before"])
def test_the_state_of_the_optimizer_is_mapped(state, tmp_path):
    model = keras.models.load_model(write(tmp_path / "m.h5", sequential(dense()), WEIGHTS, TRAINING, state))
    assert int(model.optimizer.iterations) == 17
    own = {v.name.rpartition("_")[2] + str(v.shape): v.numpy() for v in model.optimizer.variables[2:]}
    expected = {"momentum(3, 2)": M, "velocity(3, 2)": V, "momentum(2,)": MB, "velocity(2,)": VB}
    for name, value in expected.items():
        np.testing.assert_array_equal(own[name], value)


@pytest.mark.parametrize(
    ("optimizer", "state"),
    [
        ({"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}},
         {"SGD/iter:0": np.int64(3), "SGD/dense/kernel/momentum:0": M, "SGD/dense/bias/momentum:0": MB}),
        ({"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}},
         {"iteration:0": np.int64(3), "SGD/m/dense/kernel:0": M, "SGD/m/dense/bias:0": MB}),
        ({"class_name": "RMSprop", "config": {"learning_rate": 0.1}},
         {"RMSprop/iter:0": np.int64(3), "RMSprop/dense/kernel/rms:0": M, "RMSprop/dense/bias/rms:0": MB}),
        ({"class_name": "Adagrad", "config": {"learning_rate": 0.1}},
         {"iter:0": np.int64(3), "Adagrad/dense/kernel/accumulator:0": M, "Adagrad/dense/bias/accumulator:0": MB}),
    ],
)  # fmt: skip
def test_states_of_other_optimizers(optimizer, state, tmp_path):
    training = {**TRAINING, "optimizer_config": optimizer}
    model = keras.models.load_model(write(tmp_path / "m.h5", sequential(dense()), WEIGHTS, training, state))
    assert int(model.optimizer.iterations) == 3
    np.testing.assert_array_equal(model.optimizer.variables[2].numpy(), M)
    np.testing.assert_array_equal(model.optimizer.variables[3].numpy(), MB)


ROWS, COLUMNS = np.full(3, 0.3, "float32"), np.full(2, 0.4, "float32")
PECULIAR = {
    "Adamax": ({}, {"Adamax/iter:0": np.int64(3), "Adamax/dense/kernel/m:0": M, "Adamax/dense/bias/m:0": MB,
                    "Adamax/dense/kernel/v:0": V, "Adamax/dense/bias/v:0": VB}, [M, V, MB, VB]),
    "Custom>Adafactor": ({}, {"iteration:0": np.int64(3), "Adafactor/r/dense/kernel:0": ROWS,
                              "Adafactor/c/dense/kernel:0": COLUMNS, "Adafactor/v/dense/kernel:0": V,
                              "Adafactor/v/dense/bias:0": VB}, [ROWS, COLUMNS, V, VB]),
    "LossScaleOptimizerV3": ({"inner_optimizer": {"class_name": "Adam", "config": {}}, "dynamic": True,
                              "initial_scale": 32768.0, "dynamic_growth_steps": 2000},
                             {"iteration:0": np.int64(3), "m/dense/kernel:0": M, "v/dense/kernel:0": V,
                              "m/dense/bias:0": MB, "v/dense/bias:0": VB}, [M, V, MB, VB]),
}  # fmt: skip


@pytest.mark.parametrize("name", PECULIAR)
def test_states_with_names_of_their_own(name, tmp_path):
    config, state, expected = PECULIAR[name]
    training = {**TRAINING, "optimizer_config": {"class_name": name, "config": config}}
    model = keras.models.load_model(write(tmp_path / "m.h5", sequential(dense()), WEIGHTS, training, state))
    assert int(model.optimizer.iterations) == 3
    own = [v.numpy() for v in model.optimizer.variables if v.shape]
    for found, value in zip(own, expected, strict=True):
        np.testing.assert_array_equal(found, value)


@pytest.mark.parametrize(("name", "count"), [("AdamW", 5), ("Ftrl", 5), ("Adafactor", 5), ("Adam", 5)])
def test_the_state_for_keras_2_is_in_the_order_of_the_kind_it_makes(name, count, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(getattr(keras.optimizers, name)(0.01), "mse")
    model.fit(X, X[:, :2], verbose=0)
    model.save(tmp_path / "m.h5", keras_version=2)
    with h5py.File(tmp_path / "m.h5") as file:
        made = json.loads(file.attrs["training_config"])["optimizer_config"]["class_name"]
        names = list(file["optimizer_weights"].attrs["weight_names"])
    assert made == (name if name == "Adam" else f"Custom>{name}") and len(names) == count
    again = keras.models.load_model(tmp_path / "m.h5")
    for one, two in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_allclose(one.numpy(), two.numpy(), rtol=1e-6)


def test_a_state_that_fits_nothing_is_said(tmp_path):
    path = write(tmp_path / "m.h5", sequential(dense()), WEIGHTS, TRAINING, {"training/Adam/Variable:0": M})
    with pytest.warns(UserWarning, match="starts afresh"):
        model = keras.models.load_model(path)
    assert int(model.optimizer.iterations) == 0


def test_state_without_a_learning_rate_and_an_optimizer_by_name(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("nadam", "mse")
    model.fit(X, X[:, :2], epochs=3, verbose=0)
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        config, store = json.loads(archive.read("config.json")), archive.read("model.weights.h5")
    config["compile_config"]["optimizer"] = "nadam"  # as Keras 2 writes a name
    buffer = io.BytesIO(store)
    with h5py.File(buffer, "a") as file:
        state = [file[f"optimizer/vars/{i}"][()] for i in range(len(file["optimizer/vars"]))]
        del file["optimizer/vars"]
        kept = [array for i, array in enumerate(state) if i != 1][: 1 + 4]  # neither the rate nor the product
        for i, array in enumerate(kept):
            file[f"optimizer/vars/{i}"] = array
    with zipfile.ZipFile(tmp_path / "k2.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", '{"keras_version": "2.15.0"}')
        archive.writestr("model.weights.h5", buffer.getvalue())
    again = keras.models.load_model(tmp_path / "k2.keras")
    losses = [m.fit(X, X[:, :2], epochs=2, verbose=0, shuffle=False).history["loss"] for m in (model, again)]
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_sgd_of_keras_2_keeps_momenta_that_it_does_not_use(tmp_path):
    training = {**TRAINING, "optimizer_config": {"class_name": "SGD", "config": {"momentum": 0.0}}}
    state = {"iteration:0": np.int64(9), "SGD/m/dense/kernel:0": M, "SGD/m/dense/bias:0": MB}
    model = keras.models.load_model(write(tmp_path / "m.h5", sequential(dense()), WEIGHTS, training, state))
    assert int(model.optimizer.iterations) == 9


def test_the_state_is_written_for_keras_2_where_asked(tmp_path):
    model = keras.models.load_model(write(tmp_path / "m.h5", sequential(dense()), WEIGHTS, TRAINING, NEW))
    model.save(tmp_path / "k2.h5", keras_version=2)
    with h5py.File(tmp_path / "k2.h5") as file:
        group = file["optimizer_weights"]
        written = [group[name][()] for name in group.attrs["weight_names"]]
    for found, expected in zip(written, OLD.values(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert int(keras.models.load_model(tmp_path / "k2.h5").optimizer.iterations) == 17
    with pytest.raises(ValueError, match="keras_version"):
        model.save(tmp_path / "m.keras", keras_version=2)
