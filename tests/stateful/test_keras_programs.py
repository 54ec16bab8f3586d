"""Programs of fit, evaluate, predict, save, load, compile and trainable, beside linear regression in NumPy."""

import contextlib
import tempfile
import warnings
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from stateful_runs import quick_and_long

from minidl import keras
from minidl.keras import layers

BATCHES = st.sampled_from([1, 3, 4, 100])
RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (7, 3)).astype("float32")
Y = RNG.uniform(-1, 1, (7, 2)).astype("float32")


@contextlib.contextmanager
def all_may_be_frozen():
    """Keras warns where no weight is trained."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The model does not have any trainable weights")
        yield


class Training(RuleBasedStateMachine):
    """Two dense layers without activation, SGD with momentum; the model of it is two matrices and two vectors."""

    @initialize()
    def build(self):
        self.net = keras.Sequential(
            [keras.Input((3,)), layers.Dense(2, name="one"), layers.Dense(2, name="two")]
        )
        rng = np.random.default_rng(1)
        self.weights = [rng.uniform(-1, 1, w.shape) for w in self.net.get_weights()]
        self.net.set_weights([w.astype("float32") for w in self.weights])
        self.trainable, self.trained = {"one": True, "two": True}, [True] * 4
        self.compile(0.1, 0.5, "mse")

    @rule(
        rate=st.sampled_from([0.1, 0.01]),
        momentum=st.sampled_from([0.5, 0.0]),
        loss=st.sampled_from(["mse", "mae"]),
    )
    def compile(self, rate, momentum, loss):
        self.net.compile(keras.optimizers.SGD(rate, momentum=momentum), loss, metrics=["mae"])
        self.rate, self.momentum, self.loss = rate, momentum, loss
        self.speeds = [np.zeros_like(w) for w in self.weights]
        self.trained = [flag for name in ("one", "two") for flag in [self.trainable[name]] * 2]

    @rule(name=st.sampled_from(["one", "two"]), flag=st.booleans(), rate=st.sampled_from([0.1, 0.01]))
    def freeze(self, name, flag, rate):
        """Takes effect with the next ``compile``, which follows at once."""
        self.net.get_layer(name).trainable = flag
        self.trainable[name] = flag
        assert len(self.net.trainable_weights) == 2 * sum(self.trainable.values())
        self.compile(rate, 0.5, "mse")

    @rule(rate=st.sampled_from([0.2, 0.05]))
    def change_the_rate(self, rate):
        self.net.optimizer.learning_rate = rate
        self.rate = rate

    def forward(self, x):
        a, b, c, d = self.weights
        hidden = x @ a + b
        return hidden, hidden @ c + d

    def loss_of(self, x, y):
        difference = self.forward(x)[1] - y
        return float((difference**2).mean() if self.loss == "mse" else np.abs(difference).mean())

    def step(self, x, y):
        hidden, out = self.forward(x)
        slope = (2 * (out - y) if self.loss == "mse" else np.sign(out - y)) / out.size
        inner = slope @ self.weights[2].T
        gradients = [x.T @ inner, inner.sum(0), hidden.T @ slope, slope.sum(0)]
        for i, gradient in enumerate(gradients):
            if self.trained[i]:
                self.speeds[i] = self.momentum * self.speeds[i] - self.rate * gradient
                self.weights[i] = self.weights[i] + (
                    self.speeds[i] if self.momentum else -self.rate * gradient
                )

    @rule(size=BATCHES, epochs=st.integers(1, 2))
    def fit(self, size, epochs):
        with all_may_be_frozen():
            history = self.net.fit(X, Y, batch_size=size, epochs=epochs, shuffle=False, verbose=0)
        for epoch in range(epochs):
            total = 0.0
            for i in range(0, len(X), size):
                x, y = X[i : i + size], Y[i : i + size]
                total += self.loss_of(x, y) * len(x)
                self.step(x, y)
            assert near(history.history["loss"][epoch], total / len(X))

    @rule()
    def train_on_batch(self):
        wanted = self.loss_of(X[:4], Y[:4])
        self.net.reset_metrics()
        with all_may_be_frozen():
            assert near(self.net.train_on_batch(X[:4], Y[:4])[0], wanted)
        self.step(X[:4], Y[:4])

    @rule(size=BATCHES)
    def evaluate(self, size):
        found = self.net.evaluate(X, Y, batch_size=size, verbose=0, return_dict=True)
        assert near(found["loss"], self.loss_of(X, Y))
        assert near(found["mae"], np.abs(self.forward(X)[1] - Y).mean())

    @rule(size=BATCHES)
    def predict(self, size):
        np.testing.assert_allclose(
            self.net.predict(X, batch_size=size, verbose=0), self.forward(X)[1], rtol=1e-3, atol=1e-3
        )

    @rule(whole=st.booleans())
    def save_and_load(self, whole):
        """The whole model goes on where it was, its optimizer's momenta included."""
        with tempfile.TemporaryDirectory() as folder:
            if whole:
                path = Path(folder) / "model.keras"
                self.net.save(path)
                with warnings.catch_warnings():  # Keras' own warning where the optimizer has not begun
                    warnings.filterwarnings("ignore", "The saved state of the optimizer")
                    self.net = keras.models.load_model(path)
                assert [self.net.get_layer(n).trainable for n in ("one", "two")] == list(
                    self.trainable.values()
                )
                return
            path = Path(folder) / "model.weights.h5"
            self.net.save_weights(path)
            self.net.set_weights([w * 0 for w in self.net.get_weights()])
            self.net.load_weights(path)

    @rule(factor=st.sampled_from([0.5, -1.0]))
    def set_weights(self, factor):
        self.weights = [w * factor for w in self.weights]
        self.net.set_weights([w.astype("float32") for w in self.weights])

    @invariant()
    def weights_agree(self):
        for found, wanted in zip(self.net.get_weights(), self.weights, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)
        # float32 drifts from float64, and more where a step is near a kink of mae: go on from what is there
        self.weights = [w.astype("float64") for w in self.net.get_weights()]


def near(found, wanted):
    return abs(float(found) - wanted) <= 1e-4 + 1e-3 * abs(wanted)


test_quick, test_long = quick_and_long(Training, examples=15, steps=15)
