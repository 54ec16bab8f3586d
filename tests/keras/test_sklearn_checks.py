"""scikit-learn's own checks of estimators: none fails, on any of the four."""

import warnings

import pytest

from minidl import keras, nn

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
from sklearn.utils.estimator_checks import check_estimator

from minidl.keras import wrappers


def network(meta):
    outputs = meta["n_outputs_expected_"]
    last = "linear" if "classes_" not in meta else "softmax" if outputs > 1 else "sigmoid"
    return keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(outputs, activation=last),
        ]
    )


class Net(nn.Module):
    def __init__(self, meta):
        super().__init__()
        outputs = max(2, meta["n_classes_"]) if "classes_" in meta else meta["n_outputs_"]
        self.layers = nn.Sequential(nn.Linear(meta["n_features_in_"], 8), nn.ReLU(), nn.Linear(8, outputs))

    def forward(self, x):
        return self.layers(x)


ESTIMATORS = {
    "KerasClassifier": lambda: wrappers.KerasClassifier(network, verbose=0, random_state=0, epochs=3),
    "KerasRegressor": lambda: wrappers.KerasRegressor(network, verbose=0, random_state=0, epochs=3),
    "NeuralNetClassifier": lambda: wrappers.NeuralNetClassifier(
        Net, criterion=nn.CrossEntropyLoss, optimizer__momentum=0.9, verbose=0, random_state=0
    ),
    "NeuralNetRegressor": lambda: wrappers.NeuralNetRegressor(Net, verbose=0, random_state=0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTIMATORS)
def test_check_estimator(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(ESTIMATORS[name](), on_fail=None, on_skip=None)
    failed = {
        r["check_name"]: repr(r["exception"])[:300]
        for r in results
        if r["status"] not in ("passed", "skipped")
    }
    assert not failed, failed
    assert sum(r["status"] == "passed" for r in results) >= 50
