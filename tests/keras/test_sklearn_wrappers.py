"""Keras models and nn modules as scikit-learn estimators."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import minidl
from minidl import keras, nn, optim
from minidl.keras.layers import Dense

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from minidl.keras.wrappers import (
    KerasClassifier,
    KerasRegressor,
    NeuralNetClassifier,
    NeuralNetRegressor,
    ValidSplit,
)
from minidl.keras.wrappers.sample_weights import merged

X = np.random.default_rng(0).normal(size=(150, 4)).astype("float32")
THREE = np.array(["ant", "bee", "cow"])[np.digitize(X[:, 0] + X[:, 1], [-0.6, 0.6])]
TWO = np.where(X[:, 0] > X[:, 1], "yes", "no")
VALUES = X @ np.array([1.0, -2.0, 0.5, 0.0])


def network(meta, hidden=16, activation="relu"):
    outputs = meta["n_outputs_expected_"]
    last = "linear" if "classes_" not in meta else "softmax" if outputs > 1 else "sigmoid"
    return keras.Sequential(
        [
            keras.Input((meta["n_features_in_"],)),
            Dense(hidden, activation=activation),
            Dense(outputs, activation=last),
        ]
    )


def old_function(optimizer="adam", neurons=8):
    model = keras.Sequential(
        [Dense(neurons, activation="relu", input_shape=(4,)), Dense(1, activation="sigmoid")]
    )
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


class Net(nn.Module):
    def __init__(self, hidden=16, outputs=3):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, x):
        return self.layers(x)


class Probabilities(Net):
    def forward(self, x):
        return super().forward(x).softmax(-1)


def classifier(**options):
    settings = {
        "optimizer": "adam",
        "optimizer__learning_rate": 0.02,
        "epochs": 15,
        "verbose": 0,
        "random_state": 0,
    }
    return KerasClassifier(network, **(settings | options))


def net(**options):
    settings = {"criterion": nn.CrossEntropyLoss, "lr": 0.1, "optimizer__momentum": 0.9, "batch_size": 32}
    return NeuralNetClassifier(Net, **(settings | {"verbose": 0, "random_state": 0} | options))


# --- Keras ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_labels_of_any_kind(y):
    found = classifier().fit(X, y)
    assert list(found.classes_) == sorted(set(y)) and found.n_features_in_ == 4
    assert found.score(X, y) > 0.9 and set(found.predict(X)) <= set(y)
    proba = found.predict_proba(X)
    assert proba.shape == (150, len(found.classes_)) and np.allclose(proba.sum(1), 1, atol=1e-6)
    assert len(found.history_["loss"]) == found.current_epoch == 15


def test_the_numbers_are_the_models_own():
    made = classifier(epochs=3, random_state=4).fit(X, TWO)
    keras.utils.set_random_seed(4)
    model = network({"n_features_in_": 4, "n_outputs_expected_": 1, "classes_": 0})
    model.predict(X[:1], verbose=0)
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    model.fit(X, (TWO == "yes").astype("float32"), epochs=3, verbose=0)
    assert np.allclose(model.predict(X, verbose=0)[:, 0], made.predict_proba(X)[:, 1], atol=1e-6)


def test_routed_parameters():
    made = classifier(model__hidden=5, fit__epochs=2, model__activation="tanh", optimizer__clipnorm=1.0).fit(
        X, TWO
    )
    assert made.model_.layers[0].units == 5 and made.current_epoch == 2
    assert made.model_.optimizer.clipnorm == 1.0
    assert clone(made).get_params() == made.get_params() and "model__hidden=5" in repr(made)
    search = GridSearchCV(
        classifier(), {"model__hidden": [1, 16], "optimizer__learning_rate": [1e-5, 0.02]}, cv=3
    )
    search.fit(X, THREE)
    assert search.best_params_ == {"model__hidden": 16, "optimizer__learning_rate": 0.02}


def test_functions_of_the_old_wrapper():
    made = KerasClassifier(build_fn=old_function, neurons=6, epochs=2, batch_size=10, verbose=0)
    assert made.fit(X, TWO).model_.layers[0].units == 6
    assert type(made.model_.optimizer).__name__ == "Adam"
    search = GridSearchCV(made, {"optimizer": ["sgd", "rmsprop"], "neurons": [3]}, cv=2).fit(X, TWO)
    assert type(search.best_estimator_.model_.optimizer).__name__.lower() == search.best_params_["optimizer"]
    with pytest.raises(ValueError, match="'neurones' is neither"):
        KerasClassifier(build_fn=old_function, neurones=6).fit(X, TWO)
    with pytest.raises(ValueError, match="Invalid parameter 'neurones'"):
        made.set_params(neurones=6)


def test_models_as_objects():
    model = old_function()
    before = [w.copy() for w in model.get_weights()]
    made = KerasClassifier(model, epochs=2, verbose=0, random_state=0)
    first = made.fit(X, TWO).predict_proba(X)
    assert made.model_ is not model and all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert np.array_equal(first, made.fit(X, TWO).predict_proba(X))
    assert cross_val_score(made, X, TWO, cv=3).shape == (3,)


@pytest.mark.parametrize(
    ("loss", "last"),
    [
        ("categorical_crossentropy", "softmax"),
        ("sparse_categorical_crossentropy", "softmax"),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), "linear"),
        (keras.losses.CategoricalCrossentropy(from_logits=True), "linear"),
    ],
)
def test_losses(loss, last):
    model = keras.Sequential([Dense(16, activation="relu"), Dense(3, activation=last)])
    made = KerasClassifier(model, loss=loss, optimizer="adam", optimizer__learning_rate=0.02, epochs=15, verbose=0,
                           random_state=0)  # fmt: skip
    assert made.fit(X, THREE).score(X, THREE) > 0.85
    assert np.allclose(made.predict_proba(X).sum(1), 1, atol=1e-5)


def test_one_hot_and_indicator_targets():
    hot = (THREE[:, None] == np.unique(THREE)).astype(int)
    made = classifier(epochs=20).fit(X, hot)
    assert made.predict(X).shape == (150, 3)
    several = np.stack([X[:, 0] > 0, X[:, 1] > 0], 1).astype(int)
    model = keras.Sequential([Dense(16, activation="relu"), Dense(2, activation="sigmoid")])
    made = KerasClassifier(model, optimizer="adam", optimizer__learning_rate=0.02, epochs=20, verbose=0).fit(
        X, several
    )
    assert made.score(X, several) > 0.8


def test_weights_of_classes_and_samples():
    plain = classifier(epochs=5).fit(X, TWO)
    leaning = classifier(epochs=5, class_weight={"yes": 20.0, "no": 1.0}).fit(X, TWO)
    assert (leaning.predict(X) == "yes").sum() > (plain.predict(X) == "yes").sum()
    classifier(epochs=1, class_weight="balanced").fit(X, TWO)
    kept = np.arange(150) % 3 > 0
    with_zeros = classifier().fit(X, THREE, sample_weight=kept.astype(float)).predict_proba(X)
    assert np.array_equal(with_zeros, classifier().fit(X[kept], THREE[kept]).predict_proba(X))


@pytest.mark.parametrize("make", [classifier, net])
def test_k_equal_samples_are_one_of_weight_k(make):
    weights = np.arange(12) % 4
    x, y = X[:12], THREE[:12]
    if make is net:
        make = lambda: net(train_split=None)  # noqa: E731
    repeated = make().fit(x.repeat(weights, 0), y.repeat(weights)).predict_proba(X)
    assert np.array_equal(make().fit(x, y, sample_weight=weights).predict_proba(X), repeated)


def test_merging_keeps_data_without_repeats():
    x, y, weights = merged(X, THREE, None, 32)
    assert x is X and y is THREE and weights is None
    assert merged(X[:9], THREE[:9], np.full(9, 2.0), 32)[2] is None
    assert len(merged(np.zeros((100, 2)), np.zeros(100), None, 32)[0]) == 100  # several batches: as they come


def test_warm_start_and_partial_fit():
    made = classifier(epochs=2, warm_start=True).fit(X, THREE)
    model = made.model_
    assert made.fit(X, THREE).model_ is model and made.current_epoch == 4
    parts = classifier()
    for _ in range(12):
        parts.partial_fit(X[:70], THREE[:70], classes=np.unique(THREE))
        parts.partial_fit(X[70:], THREE[70:])
    assert parts.score(X, THREE) > 0.85 and parts.current_epoch == 24
    with pytest.raises(ValueError, match=r"features"):
        parts.partial_fit(X[:, :2], THREE)
    with pytest.raises(ValueError, match="dog"):
        parts.partial_fit(X, np.where(THREE == "ant", "dog", THREE))


def test_callbacks_are_copied():
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=0, min_delta=10.0)
    made = classifier(callbacks=[stop]).fit(X, TWO)
    assert made.current_epoch < 15 and getattr(stop, "_model", None) is None
    made = classifier(
        callbacks=keras.callbacks.EarlyStopping, callbacks__monitor="loss", callbacks__min_delta=10.0
    )
    assert made.fit(X, TWO).current_epoch < 15


def test_regression():
    made = KerasRegressor(
        network, optimizer="adam", optimizer__learning_rate=0.03, epochs=40, verbose=0, random_state=0
    )
    assert made.fit(X, VALUES).score(X, VALUES) > 0.95 and made.predict(X).shape == (150,)
    two = np.stack([VALUES, -VALUES], 1)
    assert made.fit(X, two).predict(X).shape == (150, 2)
    made.set_params(epochs=1).partial_fit(X, two)


@pytest.mark.parametrize("make", [classifier, net])
def test_pipelines_frames_and_pickles(make):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    made = make().fit(frame, THREE)
    assert list(made.feature_names_in_) == list("abcd")
    pipeline = make_pipeline(StandardScaler(), make()).fit(frame, THREE)
    again = pickle.loads(pickle.dumps(pipeline))
    assert pipeline.score(frame, THREE) > 0.85
    assert np.array_equal(again.predict_proba(frame), pipeline.predict_proba(frame))
    assert cross_val_score(pipeline, frame, THREE, cv=3).mean() > 0.8


@pytest.mark.parametrize("make", [classifier, net])
def test_the_programs_generators_are_left_alone(make):
    np.random.seed(5)
    minidl.manual_seed(5)
    expected = np.random.rand(), minidl.rand(1).item()
    np.random.seed(5)
    minidl.manual_seed(5)
    make().fit(X, THREE)
    assert (np.random.rand(), minidl.rand(1).item()) == expected


def test_what_cannot_be_is_said():
    with pytest.raises(NotFittedError):
        classifier().predict(X)
    with pytest.raises(ValueError, match="model= is needed"):
        KerasClassifier().fit(X, TWO)
    with pytest.raises(TypeError, match=r"must be, or return, a keras\.Model"):
        KerasClassifier(lambda: 3).fit(X, TWO)
    with pytest.raises(ValueError, match="1 output, but y has 3 classes"):
        KerasClassifier(old_function(), verbose=0).fit(X, THREE)
    with pytest.raises(ValueError, match="at least one non-zero"):
        classifier().fit(X, TWO, sample_weight=np.zeros(150))


# --- nn modules -------------------------------------------------------------------------------------------------------


def test_a_net(capsys):
    made = net(verbose=1, module__hidden=20, max_epochs=12).fit(X, THREE)
    assert made.score(X, THREE) > 0.85 and list(made.classes_) == ["ant", "bee", "cow"]
    assert np.allclose(made.predict_proba(X).sum(1), 1, atol=1e-6)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["epoch", "train_loss", "valid_acc", "valid_loss", "dur"] and len(lines) == 14
    assert "\033" not in "".join(lines)
    assert made.module_.layers[0].out_features == 20
    assert (
        len(made.history[:, "train_loss"]) == 12
        and made.history[-1, "train_loss"] < made.history[0, "train_loss"]
    )
    assert made.history[-1]["epoch"] == 12 and set(made.history[-1]) >= {"valid_acc", "dur"}


@pytest.mark.parametrize(
    ("module", "criterion", "outputs", "y"),
    [
        (Probabilities, None, 3, THREE),
        (Net, nn.CrossEntropyLoss, 2, TWO),
        (Net, nn.BCEWithLogitsLoss, 1, TWO),
        (Net(16, 3), nn.CrossEntropyLoss(label_smoothing=0.01), None, THREE),
    ],
)
def test_criteria(module, criterion, outputs, y):
    sizes = {} if outputs is None else {"module__outputs": outputs}
    made = NeuralNetClassifier(
        module, criterion, optim.Adam, lr=0.02, batch_size=32, verbose=0, random_state=0, **sizes
    )
    assert made.fit(X, y).score(X, y) > 0.8
    weighted = clone(made).fit(X, y, sample_weight=np.linspace(0, 1, 150))
    assert weighted.predict_proba(X).shape == (150, len(set(y)))


def test_the_steps_are_the_plain_loop():
    made = net(train_split=None, max_epochs=3, random_state=3).fit(X, THREE)
    keras.utils.set_random_seed(3)
    module, loss = Net(), nn.CrossEntropyLoss()
    optimizer = optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    inputs, targets = minidl.tensor(X), minidl.tensor(np.unique(THREE, return_inverse=True)[1])
    for _ in range(3):
        for start in range(0, 150, 32):
            optimizer.zero_grad()
            loss(module(inputs[start : start + 32]), targets[start : start + 32]).backward()
            optimizer.step()
    assert np.allclose(module(inputs).softmax(-1).detach().numpy(), made.predict_proba(X), atol=1e-6)


def test_callbacks_of_a_net():
    seen = []

    class Stop:
        def on_epoch_end(self, net, **kwargs):
            seen.append(net.history[-1, "train_loss"])
            if len(seen) == 3:
                raise KeyboardInterrupt

        def on_train_end(self, net, X, y):
            seen.append(len(X))

    assert len(net(callbacks=[("stop", Stop)]).fit(X, THREE).history) == 3 and seen[-1] == 150


def test_splits():
    train, valid = ValidSplit(5, stratified=True)(X, np.arange(150) % 3)
    assert len(valid) == 30 and sorted([*train, *valid]) == list(range(150))
    assert list(np.bincount(valid % 3)) == [10, 10, 10]
    assert len(ValidSplit(0.1, random_state=1)(X)[1]) == 15
    with pytest.raises(ValueError, match="cv is a number of folds"):
        ValidSplit(2.5)
    assert "valid_loss" not in net(train_split=None, max_epochs=1).fit(X, THREE).history[0]


def test_weights_of_a_net_go_to_a_file(tmp_path):
    made = net().fit(X, THREE)
    made.save_params(tmp_path / "net.safetensors")
    other = clone(made).initialize()
    other.load_params(tmp_path / "net.safetensors")
    assert np.array_equal(other.forward(X).numpy(), made.forward(X).numpy())


def test_regression_by_a_net():
    made = NeuralNetRegressor(
        Net, module__outputs=1, lr=0.05, max_epochs=60, batch_size=32, verbose=0, random_state=0
    )
    assert made.fit(X, VALUES).score(X, VALUES) > 0.95 and made.predict(X).shape == (150,)
    assert len(made.partial_fit(X, VALUES).history) == 120
    search = GridSearchCV(made, {"lr": [1e-6, 0.05], "max_epochs": [20]}, cv=3).fit(X, VALUES)
    assert search.best_params_["lr"] == 0.05


def test_without_scikit_learn_one_line_says_what_to_install():
    code = "import sys; sys.modules['sklearn'] = sys.modules['sklearn.base'] = None\nimport minidl.keras\n"
    code += "try: import minidl.keras.wrappers\nexcept ImportError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'scikit-learn'" in done.stdout and len(done.stdout.splitlines()) == 1
