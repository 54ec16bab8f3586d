"""What makes one ``.h5`` fit both Keras 2 and Keras 3: confirmed on both, held here by its structure."""

import json

import numpy as np
import pytest

from minidl import keras

h5py = pytest.importorskip("h5py")

X = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


def written(path, what="model_config"):
    with h5py.File(path) as file:
        return json.loads(file.attrs[what])


def test_calls_of_models_inside_have_numbers_that_both_keras_read(tmp_path):
    """Keras 2 counts them from 1, Keras 3 from 0: each is written twice, and an odd number is right in both."""
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)], name="inner")
    inputs = keras.Input((3,), name="i")
    model = keras.Model(inputs, inner(inner(inputs)))
    for version in (2, 3):
        model.save(tmp_path / "m.h5", keras_version=version)
        config = written(tmp_path / "m.h5")["config"]
        once, again = [["i", 0, 0, {}]], [["inner", 1, 0, {}]]
        assert config["layers"][1]["inbound_nodes"] == [once, once, again, again]
        assert config["output_layers"] == ["inner", 3, 0]
        loaded = keras.models.load_model(tmp_path / "m.h5", compile=False)
        np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_models_inside_wrappers_go_by_names_that_both_keras_have(tmp_path):
    inputs = keras.Input((3,))
    for inner, name in (
        (keras.Sequential([inputs, keras.layers.Dense(2)]), "Sequential"),
        (keras.Model(inputs, keras.layers.Dense(2)(inputs)), "Model"),
    ):
        model = keras.Sequential([keras.Input((4, 3)), keras.layers.TimeDistributed(inner)])
        model.save(tmp_path / "m.h5")
        wrapped = written(tmp_path / "m.h5")["config"]["layers"][1]["config"]["layer"]
        assert (wrapped["module"], wrapped["class_name"]) == ("keras", name)
        loaded, x = keras.models.load_model(tmp_path / "m.h5", compile=False), np.stack([X] * 4, 1)
        np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("layer", "unknown"),
    [
        (keras.layers.Dense(2, kernel_initializer=keras.initializers.VarianceScaling(2.0)), "input_axes"),
        (keras.layers.Resizing(2, 2), "fill_mode"),
        (keras.layers.RandomContrast(0.1), "value_range"),
    ],
    ids=["initializer", "Resizing", "RandomContrast"],
)
def test_what_keras_2_does_not_know_is_left_out_where_it_says_nothing(layer, unknown, tmp_path):
    keras.Sequential([keras.Input((4, 4, 3)), layer]).save(tmp_path / "m.h5")
    assert unknown not in json.dumps(written(tmp_path / "m.h5"))
    again = keras.models.load_model(tmp_path / "m.h5", compile=False).layers[-1]
    assert again.get_config() == layer.get_config()


def test_losses_and_metrics_are_without_what_keras_2_does_not_know(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=[keras.metrics.SparseTopKCategoricalAccuracy(2)])
    model.save(tmp_path / "m.h5")
    training = written(tmp_path / "m.h5", "training_config")
    assert "axis" not in training["loss"]["config"] and training["loss"]["config"]["from_logits"]
    assert (
        "from_sorted_ids" not in training["metrics"][0]["config"]
        and training["metrics"][0]["config"]["k"] == 2
    )


def test_several_axes_are_written_with_a_module(tmp_path):
    """Without, Keras 3 takes a number alone."""
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.LayerNormalization([1, 2])])
    model.save(tmp_path / "m.h5")
    assert written(tmp_path / "m.h5")["config"]["layers"][1]["module"] == "keras.layers"
    assert keras.models.load_model(tmp_path / "m.h5", compile=False).weights[0].shape == (4, 3)


@pytest.mark.parametrize("ending", ["weights.h5", "h5", "keras"])
def test_models_without_weights(ending, tmp_path):
    model, other = (
        keras.Sequential([keras.Input((3,)), layer]) for layer in (keras.layers.ReLU(), keras.layers.Dense(2))
    )
    (model.save if ending == "keras" else model.save_weights)(tmp_path / f"w.{ending}")
    model.load_weights(tmp_path / f"w.{ending}")
    with pytest.raises(ValueError, match="dense"):
        other.load_weights(tmp_path / f"w.{ending}")
