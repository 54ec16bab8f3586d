"""The cheatsheet's first model, on data where the answer is known."""

import numpy as np
import pytest

from minidl.keras.layers import Dense, Dropout
from minidl.keras.models import Sequential


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 6))
    return x, (x[:, 0] + x[:, 1] > 0).astype(int)


def test_the_first_model_learns(data):
    x, y = data
    model = Sequential(
        [
            Dense(64, activation="relu", input_shape=(6,)),
            Dropout(0.1),
            Dense(32, activation="relu"),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=10, batch_size=32, validation_split=0.2, verbose=0)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.history["accuracy"][-1] > 0.9
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert accuracy > 0.9 and loss < 0.5
    predicted = model.predict(x, verbose=0)
    assert predicted.shape == (200, 1) and predicted.dtype == np.float32
    assert ((predicted[:, 0] > 0.5) == y).mean() == pytest.approx(accuracy)


def test_a_lazy_model_builds_on_the_first_batch(data):
    x, y = data
    model = Sequential([Dense(4, activation="relu"), Dense(2, activation="softmax")])
    assert not model.built
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=1, verbose=0)
    assert [w.shape for w in model.weights] == [(6, 4), (4,), (4, 2), (2,)]
