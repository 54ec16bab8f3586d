"""A compiled model is an estimator: searches, clones, scores, copies that go on training."""

import copy
import pickle

import numpy as np
import pytest

from minidl import keras
from minidl.keras.layers import Dense

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
from sklearn.base import clone, is_classifier, is_regressor  # noqa: E402
from sklearn.metrics import r2_score  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

X = np.random.default_rng(0).random((90, 4)).astype("float32")
Y = (X.sum(axis=1) > 2).astype(int)


def binary():
    model = keras.Sequential([Dense(8, activation="relu", input_shape=(4,)), Dense(1, activation="sigmoid")])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def graph():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Dense(1)(Dense(8, activation="tanh")(inputs)))
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9), "mse", metrics=[keras.metrics.MeanAbsoluteError()]
    )
    return model


class Own(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.hidden, self.out = Dense(units, activation="relu"), Dense(1, activation="sigmoid")

    def call(self, inputs):
        return self.out(self.hidden(inputs))


def own():
    model = Own(8)
    model.compile("adam", "binary_crossentropy")
    return model


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_a_grid_search_over_the_raw_model(n_jobs, capsys):
    keras.utils.set_random_seed(1)
    model = binary()
    before = model.get_weights()
    search = GridSearchCV(
        estimator=model, param_grid={"batch_size": [16, 32], "epochs": [10, 20]}, cv=3, n_jobs=n_jobs
    )
    search.fit(X, Y)
    assert set(search.best_params_) == {"batch_size", "epochs"}
    assert search.best_estimator_ is not model and not np.isnan(search.cv_results_["mean_test_score"]).any()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert search.predict(X).shape == (90, 1) and capsys.readouterr().out == ""
    assert len(search.best_estimator_.history.epoch) == search.best_params_["epochs"]


def test_a_search_over_the_optimizer():
    search = GridSearchCV(graph(), {"optimizer__learning_rate": [1e-6, 0.05], "epochs": [15]}, cv=3)
    search.fit(X, X.sum(axis=1))
    assert search.best_params_["optimizer__learning_rate"] == 0.05
    assert np.isclose(float(search.best_estimator_.optimizer.learning_rate), 0.05)
    assert search.best_estimator_.optimizer.momentum == 0.9


@pytest.mark.parametrize("make", [binary, graph, own])
def test_a_clone_is_drawn_anew_with_the_same_settings(make):
    model = make()
    model.fit(X, Y, epochs=2, verbose=0)
    made = clone(model)
    assert made.history is None and int(made.optimizer.iterations) == 0
    assert type(made) is type(model) and made.loss == model.loss
    assert (
        made.optimizer.get_config() == model.optimizer.get_config() and made.optimizer is not model.optimizer
    )
    made.predict(X[:1])
    pairs = list(zip(model.get_weights(), made.get_weights(), strict=True))
    assert all(a.shape == b.shape for a, b in pairs) and not np.allclose(pairs[0][0], pairs[0][1])
    made.fit(X, Y)
    assert len(made.history.epoch) == 1


def test_clones_share_no_metrics():
    model = graph()
    made = clone(model)
    assert made._compile_arguments["metrics"][0] is not model._compile_arguments["metrics"][0]


def test_parameters():
    model = binary()
    assert model.set_params(batch_size=16, epochs=3, verbose=0) is model
    found = model.get_params()
    assert (found["batch_size"], found["epochs"], found["optimizer"]) == (16, 3, "adam")
    assert np.isclose(found["optimizer__learning_rate"], 1e-3)
    assert not any("__" in name for name in model.get_params(deep=False))
    assert len(model.fit(X, Y).epoch) == 3
    assert len(model.fit(X, Y, epochs=1).epoch) == 1  # an argument of fit comes before
    model.set_params(loss="mse", optimizer="sgd", optimizer__learning_rate=0.5)
    assert model.loss == "mse" and float(model.optimizer.learning_rate) == 0.5
    with pytest.raises(ValueError, match=r"Invalid parameter 'epoch' for estimator.*batch_size.*epochs"):
        model.set_params(epoch=3)
    with pytest.raises(ValueError, match="optimizer__speed"):
        model.set_params(optimizer__speed=3)


def test_a_random_state_makes_runs_equal():
    model = binary().set_params(epochs=2, random_state=3)
    state = np.random.get_state()[1].copy()
    one, two = (clone(model).fit(X, Y).history["loss"] for _ in range(2))
    assert one == two and np.array_equal(state, np.random.get_state()[1])


def test_an_uncompiled_model_is_refused():
    with pytest.raises(RuntimeError, match=r"compile\(\)"):
        GridSearchCV(keras.Sequential([Dense(1)]), {"epochs": [1]}).fit(X, Y)


def test_kinds():
    assert is_classifier(binary()) and not is_regressor(binary()) and is_regressor(graph())
    assert cross_val_score(binary().set_params(epochs=1, verbose=0), X, Y, cv=3).shape == (3,)


def test_the_raw_model_ends_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), binary().set_params(verbose=0)).fit(X, Y)
    again = pickle.loads(pickle.dumps(pipeline))
    assert pipeline.predict(X).shape == (90, 1)
    np.testing.assert_array_equal(again.predict(X), pipeline.predict(X))
    found = GridSearchCV(pipeline, {"sequential__epochs": [1, 2]}, cv=3).fit(X, Y)
    assert found.best_estimator_.predict(X).shape == (90, 1) and np.isfinite(found.best_score_)


def _outputs(outputs, loss):
    model = keras.Sequential([keras.Input((outputs.shape[1],)), keras.layers.Activation("linear")])
    model.compile("sgd", loss)
    return model


def test_scores():
    p = np.array([[0.9], [0.2], [0.6], [0.4]], "float32")
    y = np.array([1, 0, 0, 1])
    assert _outputs(p, "binary_crossentropy").score(p, y) == 0.5
    assert _outputs(p, "binary_crossentropy").score(p, y, sample_weight=[1, 1, 0, 0]) == 1.0
    assert _outputs(p, keras.losses.BinaryCrossentropy(from_logits=True)).score(p - 0.5, [1, 0, 1, 0]) == 1.0
    assert _outputs(p, "hinge").score(p - 0.5, [1, -1, -1, 1]) == 0.5
    three = np.eye(3, dtype="float32")[[0, 1, 2, 1]]
    assert _outputs(three, "sparse_categorical_crossentropy").score(three, [0, 1, 2, 0]) == 0.75
    assert _outputs(three, "categorical_crossentropy").score(three, three) == 1.0
    assert _outputs(three, "binary_crossentropy").score(three, three[[0, 1, 2, 0]]) == 0.75
    truth = np.random.default_rng(0).random((4, 3))
    assert np.isclose(_outputs(three, "mse").score(three, truth), r2_score(truth, three))
    weights = [1, 2, 0, 1]
    assert np.isclose(
        _outputs(three, "mse").score(three, truth, weights), r2_score(truth, three, sample_weight=weights)
    )


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("make", [binary, graph, own])
def test_copies_go_on_training(make, copied):
    model = make()
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    made = copied(model)
    assert np.array_equal(made.predict(X, verbose=0), model.predict(X, verbose=0))
    one, two = (m.fit(X, Y, epochs=2, verbose=0, shuffle=False).history for m in (made, model))
    assert one == two
    assert np.array_equal(made.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_layer_may_be_called_score():
    class Scored(keras.Model):
        def __init__(self):
            super().__init__()
            self.score = Dense(1)

        def call(self, inputs):
            return self.score(inputs)

    model = Scored()
    assert model.predict(X, verbose=0).shape == (90, 1) and len(model.weights) == 2


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_deep_graphs_are_copied(copied):
    x = inputs = keras.Input((2,))
    for _ in range(300):
        x = Dense(2)(x)
    assert len(copied(keras.Model(inputs, x)).layers) == 301
