"""``python -m minidl convert`` and ``inspect``; weights to and from ``minidl.nn``."""

import itertools

import numpy as np
import pytest

import minidl
from minidl import __main__ as command_line
from minidl import keras, nn

pytest.importorskip("h5py")
X = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")


@pytest.fixture
def model():
    layers = [keras.layers.Dense(4, activation="relu", name="a"), keras.layers.Dense(1, name="b")]
    made = keras.Sequential([keras.Input((6,)), *layers])
    made.compile("adam", "mse")
    made.fit(X, X[:, :1], verbose=0)
    return made


def test_there_and_back(model, tmp_path, capsys):
    model.save(tmp_path / "m.h5")
    names = ["m.h5", "m.safetensors", "m.keras", "n.h5", "m.weights.h5"]
    for source, target in itertools.pairwise(names):
        assert command_line.main(["convert", str(tmp_path / source), str(tmp_path / target)]) == 0
        assert command_line.main(["inspect", str(tmp_path / target)]) == 0
    out = capsys.readouterr().out
    assert "a.weight" in out and "(4, 6)" in out and "layers/dense/vars/0" in out and "33 parameters" in out
    again = keras.models.load_model(tmp_path / "n.h5", compile=False)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    again.set_weights([w + 1 for w in again.get_weights()])
    again.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_the_state_of_the_optimizer_comes_along(model, tmp_path):
    model.save(tmp_path / "m.h5")
    assert (
        command_line.main(["convert", "--untrusted", str(tmp_path / "m.h5"), str(tmp_path / "m.keras")]) == 0
    )
    again = keras.models.load_model(tmp_path / "m.keras")
    assert int(again.optimizer.iterations) == 1
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        ("missing.h5", "x.keras", "no file"), ("m.h5", "x.onnx", "convert writes"), ("m.h5", "m.h5", "exists already"),
        ("w.weights.h5", "x.keras", "without an architecture"),
    ],
)  # fmt: skip
def test_what_a_user_can_mend_is_one_line(source, target, text, model, tmp_path, capsys):
    model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "w.weights.h5")
    assert command_line.main(["convert", str(tmp_path / source), str(tmp_path / target)]) == 1
    err = capsys.readouterr().err
    assert text in err and err.count("\n") == 1


def test_inspect_says_what_a_file_holds(model, tmp_path, capsys):
    model.save(tmp_path / "m.h5")
    assert command_line.main(["inspect", "--untrusted", str(tmp_path / "m.h5")]) == 0
    out = capsys.readouterr().out
    for text in (
        "Keras 2 and 3",
        "Sequential",
        "Adam, loss mean_squared_error",
        "a/a/kernel:0",
        "(6, 4)",
        "10 arrays",
    ):
        assert text in out


def test_summary_lists_the_layers_of_a_file(model, tmp_path, capsys):
    model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "w.h5")
    assert command_line.main(["summary", str(tmp_path / "m.h5")]) == 0
    out = capsys.readouterr().out
    assert "Total params: 33" in out and "(None, 4)" in out
    assert command_line.main(["summary", str(tmp_path / "w.h5")]) == 1
    assert "without an architecture" in capsys.readouterr().err


def test_a_safetensors_file_loads_into_nn(model, tmp_path):
    model.save(tmp_path / "m.keras")
    command_line.main(["convert", str(tmp_path / "m.keras"), str(tmp_path / "m.safetensors")])
    state = minidl.load(tmp_path / "m.safetensors")
    net = nn.Sequential()
    net.add_module("a", nn.Linear(6, 4))
    net.add_module("relu", nn.ReLU())
    net.add_module("b", nn.Linear(4, 1))
    net.load_state_dict(state)
    np.testing.assert_allclose(
        net(minidl.tensor(X)).detach().numpy(), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6
    )


def test_a_state_dict_into_a_keras_model(model):
    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1))
    keras.saving.load_state_dict(model, net.state_dict())  # by order
    np.testing.assert_allclose(
        net(minidl.tensor(X)).detach().numpy(), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6
    )
    state = keras.saving.to_state_dict(model)
    assert list(state) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    before = model.get_weights()
    for wrong in (
        {**state, "a.weight": np.zeros((6, 4))},
        {k: state[k] for k in list(state)[1:]},
        {**state, "c": X},
    ):
        with pytest.raises(ValueError, match="does not fit"):
            keras.saving.load_state_dict(model, wrong)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    keras.saving.load_state_dict(model, {"a.bias": np.ones(4)}, strict=False)
    assert (model.get_weights()[1] == 1).all()


def test_convolutions_and_embeddings_in_the_layouts_of_nn():
    made = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3, name="c"), keras.layers.Flatten()]
    )
    state = keras.saving.to_state_dict(made)
    assert {name: array.shape for name, array in state.items()} == {"c.weight": (5, 3, 3, 3), "c.bias": (5,)}
    np.testing.assert_array_equal(state["c.weight"].transpose(2, 3, 1, 0), made.get_weights()[0])
