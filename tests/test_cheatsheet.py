"""Every snippet of cheatsheet.md runs as it is written, with the names of the packages replaced by ours.

``tensorflow.keras`` becomes ``minidl.keras``, ``torch`` becomes ``minidl``, ``sklearn.metrics`` becomes
``minidl.metrics``. What a snippet speaks of without making it is made by its prelude, below.
"""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl import keras

TEXT = (Path(__file__).resolve().parent / "cheatsheet.md").read_text(encoding="utf-8")

DATA = """
import numpy as np
from minidl.keras.models import Sequential
from minidl.keras.layers import Dense
rng = np.random.default_rng(0)
X = rng.normal(3.0, 2.0, (600, 8))
y = (X[:, 0] + X[:, 1] > X[:, 2] + 3).astype(int)
X_train, X_test, y_train, y_test = X[:480] - 3, X[480:] - 3, y[:480], y[480:]
"""

MODEL = """
model = Sequential([Dense(16, activation='relu', input_shape=(8,)), Dense(1, activation='sigmoid')])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss='binary_crossentropy', metrics=['accuracy'])
"""

WORDS = """
from minidl.keras.models import Sequential
from minidl.keras.layers import Dense, Embedding
vocab_size = 20
"""

TRAINED = MODEL + "model.fit(X_train, y_train, epochs=15, verbose=0)\n"


def snippets():
    """The Python blocks by the heading, and the item of a list, that they stand under."""
    found, heading, code = {}, "", None
    for line in TEXT.splitlines():
        if code is None:
            title = re.match(r"#+ \*\*([\d.]+\d)|  - \*\*([\w ]+):\*\*$", line)
            if title:
                heading = title[1] or f"{heading.split()[0]} {title[2]}"
            code = [] if line.strip() == "```python" else None
        elif line.strip().startswith("```"):
            found[heading], code = textwrap.dedent("\n".join(code)) + "\n", None
        else:
            code.append(line)
    return found


SNIPPETS = snippets()


def ours(code):
    """A snippet with our packages' names."""
    code = code.replace("tensorflow.keras", "minidl.keras").replace("sklearn.metrics", "minidl.metrics")
    return re.sub(r"\btorch\b", "minidl", code)


def run(name, prelude, code=None):
    """The names that are there after the prelude and the snippet."""
    keras.utils.set_random_seed(0)
    names = {"keras": keras, "minidl": minidl, "__name__": "cheatsheet"}
    exec(compile(prelude, f"prelude of {name}", "exec"), names)
    exec(compile(ours(SNIPPETS[name]) if code is None else code, f"cheatsheet {name}", "exec"), names)
    return names


def test_all_snippets_are_known():
    assert list(SNIPPETS) == [
        "2.2", "2.3", "3.1", "3.2", "3.3", "4.1", "4.2 Grid Search", "4.3 Dropout", "5.1", "5.2", "5.3",
    ]  # fmt: skip


def learned(model, loss, x, y, accuracy, epochs=10, **options):
    """Compiles and trains a model that a snippet leaves without ``compile``."""
    model.compile(optimizer=keras.optimizers.Adam(options.pop("rate", 0.01)), loss=loss, metrics=["accuracy"])
    history = model.fit(x, y, epochs=epochs, verbose=0, **options).history
    assert history["loss"][-1] < history["loss"][0] and history["accuracy"][-1] > accuracy, history


def test_a_network_with_keras(capsys):
    names = run("2.2", DATA)
    model = names["model"]
    assert [layer.units for layer in model.layers] == [64, 32, 1] and model.count_params() == 2689
    assert len(model.history.epoch) == 10 and model.history.history["val_accuracy"][-1] > 0.85
    assert model.predict(names["X_test"], verbose=0).shape == (120, 1)
    assert "Epoch 10/10" in capsys.readouterr().out


def test_a_network_with_torch():
    prelude = """
import minidl
X_train = minidl.randn(256, 8)
y_train = (X_train.sum(1, keepdim=True) > 0).float()
input_size, num_epochs = 8, 200
"""
    names = run("2.3", prelude)
    outputs, targets = names["outputs"], names["y_train"]
    assert names["loss"].item() < 0.2 and outputs.shape == (256, 1)
    assert ((outputs > 0.5).float() == targets).float().mean().item() > 0.95


def test_convolutions():
    prelude = "from minidl.keras.models import Sequential\nfrom minidl.keras.layers import Dense\n"
    model = run("3.1", prelude)["model"]
    assert model.output_shape == (None, 10) and model.count_params() == 3938570
    rng = np.random.default_rng(0)
    y = np.arange(40) % 10
    x = rng.random((40, 64, 64, 3)) * 0.1 + y[:, None, None, None] / 10.0
    for i, label in enumerate(y):
        x[i, 6 * label : 6 * label + 6] += 1
    learned(model, "sparse_categorical_crossentropy", x, y, 0.8, epochs=6, batch_size=10, rate=0.002)
    assert np.allclose(model.predict(x, verbose=0).sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["3.2", "3.3"])
def test_recurrent_networks(name):
    model = run(name, WORDS)["model"]
    words = np.random.default_rng(0).integers(2, 20, (128, 10))
    y = np.arange(128) % 2
    words[:, 4] = y
    learned(model, "binary_crossentropy", words, y, 0.9, epochs=8)
    assert model.predict(words, verbose=0).shape == (128, 1)


def test_a_report(capsys):
    names = run("4.1", DATA + TRAINED)
    shown = capsys.readouterr().out
    classes = (names["y_pred"] > 0.5).astype(int)
    right = float((classes.ravel() == names["y_test"]).mean())
    assert right > 0.9 and re.search(rf"accuracy +{right:.2f} +120\n", shown)
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    assert metrics.classification_report(names["y_test"], classes) in shown


def test_a_grid_search():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    names = run("4.2 Grid Search", DATA + MODEL)
    search = names["grid_search"]
    assert set(search.best_params_) == {"batch_size", "epochs"} and search.best_score_ > 0.85
    assert len(search.cv_results_["params"]) == 4
    assert (
        search.predict(names["X_test"]).shape == (120, 1)
        and search.score(names["X_test"], names["y_test"]) > 0.85
    )


def test_dropout():
    names = run("4.3 Dropout", DATA + "input_dim = 8\n")
    model, x = names["model"], names["X_train"]
    learned(model, "binary_crossentropy", x, names["y_train"], 0.85)
    assert np.array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))
    assert not np.array_equal(model(x[:4], training=True).detach().numpy(), model.predict(x[:4], verbose=0))


@pytest.mark.parametrize("package", ["sklearn", "minidl"])
def test_preprocessing(package):
    pytest.importorskip(package, reason=f"{package} is not installed")
    code = ours(SNIPPETS["5.1"]).replace("sklearn.preprocessing", f"{package}.preprocessing")
    names = run("5.1", DATA + "X_train = rng.random((12, 20, 20, 3))\n", code)
    assert np.allclose(names["X_scaled"].mean(0), 0, atol=1e-9) and np.allclose(names["X_scaled"].std(0), 1)
    images = next(names["datagen"].flow(names["X_train"], batch_size=4, seed=0))
    assert images.shape == (4, 20, 20, 3) and images.min() >= 0 and images.max() <= 1


def test_training_and_evaluation():
    names = run("5.2", DATA + MODEL)
    loss, accuracy = names["score"]
    assert accuracy > 0.85 and loss < 0.4
    classes = names["model"].predict(names["X_test"], verbose=0)[:, 0] > 0.5
    assert np.isclose(accuracy, (classes == names["y_test"]).mean())


def test_saving_and_loading(tmp_path, monkeypatch):
    pytest.importorskip("h5py", reason="h5py is not installed")
    monkeypatch.chdir(tmp_path)
    names = run("5.3", DATA + TRAINED + "before = model.predict(X_test, verbose=0)\ntrained = model\n")
    model, x = names["model"], names["X_test"]
    assert (
        model is not names["trained"] and np.abs(model.predict(x, verbose=0) - names["before"]).max() < 1e-6
    )
    assert int(model.optimizer.iterations) == int(names["trained"].optimizer.iterations) > 0
    model.fit(names["X_train"], names["y_train"], epochs=1, verbose=0)
