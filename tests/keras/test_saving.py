"""Models to files and back: what is kept, what is refused, that a file is whole or the old one."""

import builtins
import contextlib
import json
import os
import zipfile

import numpy as np
import pytest

import minidl
from minidl import keras
from minidl.errors import FileFormatError
from minidl.keras.saving import model_files, tree
from minidl.utils import all_rng_states, restore_rng_states

h5py = pytest.importorskip("h5py")
layers = keras.layers
X = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
ENDINGS = ("h5", "keras")


def small(**options):
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, activation="relu", **options), layers.Dense(1)]
    )


def trained(model=None, optimizer="adam"):
    model = model or small()
    model.compile(optimizer, "mse", metrics=["mae", "acc"])
    model.fit(X, Y, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_model_goes_on_as_if_it_had_not_been_saved(ending, tmp_path):
    model = trained()
    path = os.path.join(tmp_path, "new", "folder", f"m.{ending}")
    model.save(path)
    again = keras.models.load_model(path)
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == again.evaluate(
        X, Y, verbose=0, return_dict=True
    )
    positions = all_rng_states()  # of the data's order
    first = model.fit(X, Y, batch_size=5, epochs=2, verbose=0).history
    restore_rng_states(positions)
    assert first == again.fit(X, Y, batch_size=5, epochs=2, verbose=0).history
    assert set(first) == {"loss", "mae", "acc"}  # as they were typed
    for one, two in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_lazily_built_model_keeps_the_batch_open(ending, tmp_path):
    model = trained(keras.Sequential([layers.Dense(3), layers.Dense(1)]))
    model.save(tmp_path / f"m.{ending}")
    again = keras.models.load_model(tmp_path / f"m.{ending}")
    assert again.input_shape == (None, 6)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("ending", ENDINGS)
def test_shared_layers_operators_and_lambdas(ending, tmp_path):
    a, b = keras.Input((6,)), keras.Input((6,))
    shared = layers.Dense(3)
    x = (shared(a) - shared(b)) * 2.0
    y = layers.Lambda(twice)(x[:, 1:])
    model = keras.Model([a, b], y)
    said = (
        pytest.warns(UserWarning, match="Keras will not know") if ending == "h5" else contextlib.nullcontext()
    )
    with said:
        model.save(tmp_path / f"m.{ending}")
    with pytest.raises(ValueError, match="custom_objects"):
        keras.models.load_model(tmp_path / f"m.{ending}")
    again = keras.models.load_model(tmp_path / f"m.{ending}", custom_objects={"twice": twice}, compile=False)
    np.testing.assert_array_equal(
        again.predict([X, Y @ X[:1]], verbose=0), model.predict([X, Y @ X[:1]], verbose=0)
    )
    assert again.count_params() == model.count_params() == 21


def twice(x):
    return x * 2


@pytest.mark.parametrize("ending", ENDINGS)
def test_code_in_a_file_is_not_run(ending, tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Lambda(lambda x: x * 3), layers.Dense(1)])
    model.save(tmp_path / f"m.{ending}")
    for options in ({}, {"untrusted": True}):
        with pytest.raises(ValueError, match=r"Python code.*safe_mode=False"):
            keras.models.load_model(tmp_path / f"m.{ending}", compile=False, **options)
    again = keras.models.load_model(tmp_path / f"m.{ending}", compile=False, safe_mode=False)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


class Scale(layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

    def call(self, inputs):
        return inputs * self.gain * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@pytest.mark.parametrize("ending", ENDINGS)
def test_layers_of_ones_own(ending, tmp_path):
    model = keras.Sequential([keras.Input((6,)), Scale(2.0), layers.Dense(1)])
    model.layers[0].gain.assign(np.arange(6))
    model.save(tmp_path / f"m.{ending}")
    again = keras.models.load_model(tmp_path / f"m.{ending}", custom_objects={"Scale": Scale}, compile=False)
    assert again.layers[0].factor == 2.0
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


class Net(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.blocks = [layers.Dense(units), layers.Dense(units)]
        self.out = layers.Dense(1)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.out(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@pytest.mark.parametrize("ending", ENDINGS)
def test_models_of_ones_own(ending, tmp_path):
    model = trained(Net(5))
    model.save(tmp_path / f"m.{ending}")
    again = keras.models.load_model(tmp_path / f"m.{ending}", custom_objects={"Net": Net})
    assert again.units == 5 and int(again.optimizer.iterations) == 2
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("ending", ENDINGS)
def test_recurrent_and_wrapped_layers(ending, tmp_path):
    model = keras.Sequential([
        keras.Input((5, 3)), layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(3)), layers.BatchNormalization(), layers.GRU(2),
    ])  # fmt: skip
    x = np.random.default_rng(1).normal(size=(4, 5, 3))
    model.save(tmp_path / f"m.{ending}")
    again = keras.models.load_model(tmp_path / f"m.{ending}", compile=False)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    if ending == "h5":
        with h5py.File(tmp_path / "m.h5") as file:
            wrapper = json.loads(file.attrs["model_config"])["config"]["layers"][1]
        inner = wrapper["config"]["layer"]
        assert (
            inner["module"] == "keras.layers" and inner["registered_name"] is None and "module" not in wrapper
        )


def test_a_custom_loss_is_left_out_of_an_h5_and_said(tmp_path):
    def own_loss(y_true, y_pred):
        return (y_true - y_pred).abs().mean(-1)

    model = small()
    model.compile("adam", own_loss)
    model.fit(X, Y, verbose=0)
    with pytest.warns(UserWarning, match=r"left out.*own_loss"):
        model.save(tmp_path / "m.h5")
    assert not keras.models.load_model(tmp_path / "m.h5", compile=False).compiled
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects={"own_loss": own_loss})
    assert again.evaluate(X, Y, verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0))


@pytest.mark.parametrize("ending", ["weights.h5", "h5", "npz", "safetensors"])
def test_weights_alone(ending, tmp_path):
    model, other = small(), small()
    model.save_weights(tmp_path / f"w.{ending}")
    other.load_weights(tmp_path / f"w.{ending}")
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_from_a_whole_model(tmp_path):
    model = trained()
    for ending in ENDINGS:
        other = small()
        model.save(tmp_path / f"m.{ending}")
        other.load_weights(tmp_path / f"m.{ending}")
        np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("ending", ["weights.h5", "h5"])
def test_weights_that_do_not_fit_change_nothing(ending, tmp_path):
    small().save_weights(tmp_path / f"w.{ending}")
    for model in (
        keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(2)]),
        keras.Sequential([keras.Input((6,)), layers.Dense(4)]),
        keras.Sequential([keras.Input((6,)), layers.Dense(4, use_bias=False), layers.Dense(1)]),
    ):
        before = model.get_weights()
        with pytest.raises(ValueError, match=r"mismatch|not those of the model"):
            model.load_weights(tmp_path / f"w.{ending}")
        assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))


def test_both_lists_are_printed(tmp_path):
    small().save_weights(tmp_path / "w.h5")
    model = keras.Sequential([keras.Input((6,)), layers.Dense(9, name="lonely")])
    with pytest.raises(ValueError, match=r"(?s)Model expected 1 layers, found 2.*lonely: \(6, 9\).*\(6, 4\)"):
        model.load_weights(tmp_path / "w.h5")


def test_an_unbuilt_model_says_how_to_build_it(tmp_path):
    model = keras.Sequential([layers.Dense(2)])
    for ending in ("h5", "keras"):
        with pytest.raises(ValueError, match="build"):
            model.save(tmp_path / f"m.{ending}")
    with pytest.raises(ValueError, match="build"):
        model.save_weights(tmp_path / "w.weights.h5")
    small().save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="build"):
        model.load_weights(tmp_path / "w.weights.h5")


def test_endings_and_overwriting(tmp_path):
    model = small()
    with pytest.raises(ValueError, match="extension"):
        model.save(tmp_path / "m.pt")
    with pytest.raises(ValueError, match="must end in"):
        model.save_weights(tmp_path / "m.pt")
    for name, save in (("m.h5", model.save), ("m.keras", model.save), ("w.weights.h5", model.save_weights)):
        save(tmp_path / name)
        save(tmp_path / name)
        with pytest.raises(FileExistsError, match="overwrite=True"):
            save(tmp_path / name, overwrite=False)


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    model = small()
    model.save(tmp_path / "m.h5")
    old = (tmp_path / "m.h5").read_bytes()

    def fails(*args):
        raise OSError("disk")

    monkeypatch.setattr(tree, "write_array", fails)
    with pytest.raises(OSError, match="disk"):
        model.save(tmp_path / "m.h5")
    assert (tmp_path / "m.h5").read_bytes() == old and os.listdir(tmp_path) == ["m.h5"]


def test_without_h5py_it_is_one_line(tmp_path, monkeypatch):
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name == "h5py":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    small().save(tmp_path / "m.h5")
    monkeypatch.setattr(builtins, "__import__", absent)
    for act in (lambda: small().save(tmp_path / "n.h5"), lambda: keras.models.load_model(tmp_path / "m.h5")):
        with pytest.raises(ImportError, match="pip install h5py") as caught:
            act()
        assert "\n" not in str(caught.value)


def test_half_precision_lies_as_float32(tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(2, dtype="float16")])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert (
            file["model_weights/dense" if "dense" in file["model_weights"] else "model_weights"] is not None
        )
        found = []
        file["model_weights"].visititems(
            lambda name, item: found.append(item.dtype) if hasattr(item, "dtype") else None
        )
    assert [kind for kind in found if kind is not None] == [np.float32, np.float32]
    again = keras.models.load_model(tmp_path / "m.h5", compile=False)
    assert again.weights[0].numpy().dtype == np.float16


def test_the_dialect(tmp_path):
    """What makes both Keras 2 and Keras 3 open a ``.h5``."""
    model = trained(keras.Sequential([keras.Input((6,), name="first"), layers.Dense(1, name="d")]))
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert file.attrs["keras_version"].startswith("2.") and file.attrs["backend"] == "tensorflow"
        assert file.attrs["minidl_version"] == minidl.__version__
        config = json.loads(file.attrs["model_config"])
        training = json.loads(file.attrs["training_config"])
        assert list(file["model_weights/d"].attrs["weight_names"]) == [b"d/kernel:0", b"d/bias:0"]
        state = [name.decode() for name in file["optimizer_weights"].attrs["weight_names"]]
    first, second = config["config"]["layers"]
    assert first["config"] == {
        "batch_input_shape": [None, 6], "dtype": "float32", "sparse": False, "ragged": False, "name": "first",
    }  # fmt: skip
    assert (
        second["config"]["dtype"] == "float32" and "registered_name" not in second and "module" not in second
    )
    assert not {"quantization_config", "batch_input_shape"} & set(second["config"])
    assert training["loss"] == "mean_squared_error" and "loss_weights" in training
    assert not {"loss_scale_factor", "gradient_accumulation_steps"} & set(
        training["optimizer_config"]["config"]
    )
    assert [name.partition("/")[2] for name in state[:2]] == ["iteration", "learning_rate"]
    assert [name.rpartition("_")[2] for name in state[2:]] == ["momentum", "velocity"] * 2


def test_a_keras_file_is_a_zip_of_three(tmp_path):
    small().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        config = json.loads(archive.read("config.json"))
    assert config["module"] == "keras" and config["registered_name"] is None
    assert config["build_config"] == {"input_shape": [None, 6]}


def test_a_layer_without_a_config_says_so(tmp_path):
    model = keras.Sequential([keras.Input((6,)), minidl.nn.Linear(6, 2)])
    with pytest.raises(NotImplementedError, match="config"):
        model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "w.h5")


def test_unknown_arguments(tmp_path):
    small().save(tmp_path / "m.h5")
    with pytest.raises(TypeError, match="unexpected keyword argument 'complie'"):
        keras.models.load_model(tmp_path / "m.h5", complie=False)


def test_a_file_of_weights_is_no_model(tmp_path):
    small().save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match=r"without an architecture.*load_weights"):
        keras.models.load_model(tmp_path / "w.weights.h5")


def test_the_bytes_are_those_of_a_file():
    assert model_files.tree_of(small()).startswith(b"\x89HDF") and FileFormatError.__mro__[1] is RuntimeError


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(3, kernel_regularizer="l2"), lambda: keras.regularizers.L1L2(0.1, 0.2),
        lambda: keras.losses.BinaryCrossentropy(from_logits=True), lambda: keras.metrics.AUC(num_thresholds=7),
        lambda: keras.optimizers.SGD(0.1, momentum=0.5), lambda: keras.initializers.RandomNormal(0.1), small,
        lambda: keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5), lambda: keras.constraints.MaxNorm(2),
        lambda: Scale(2.0),
    ],
)  # fmt: skip
def test_objects_as_plain_data(make):
    first = make()
    data = json.loads(json.dumps(keras.saving.serialize_keras_object(first)))
    again = keras.saving.deserialize_keras_object(data, custom_objects={"Scale": Scale})
    assert type(again) is type(first)
    assert json.dumps(again.get_config(), default=str) == json.dumps(first.get_config(), default=str)


def test_checkpoints_are_files_like_these(tmp_path):
    model = small()
    model.compile("adam", "mse")
    names = ("{epoch}.keras", "{epoch}.h5", "{epoch}.weights.h5", "{epoch}.npz", "{epoch}.safetensors")
    calls = [keras.callbacks.ModelCheckpoint(str(tmp_path / name)) for name in names]
    model.fit(X, Y, epochs=2, verbose=0, callbacks=calls)
    assert sorted(os.listdir(tmp_path)) == sorted(name.format(epoch=e) for name in names for e in (1, 2))
    for name in names:
        other = small()
        other.load_weights(tmp_path / name.format(epoch=2))
        np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_long_lists_of_names_are_split(tmp_path):
    layers = [keras.layers.Dense(1, name=f"a_very_long_name_of_a_layer_{'x' * 190}_{i}") for i in range(330)]
    model = keras.Sequential([keras.Input((1,)), *layers])
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as file:
        assert "layer_names" not in file.attrs and "layer_names1" in file.attrs
    kept = model.get_weights()
    model.set_weights([w + 1 for w in kept])
    model.load_weights(tmp_path / "w.h5")
    assert all((a == b).all() for a, b in zip(model.get_weights(), kept, strict=True))
