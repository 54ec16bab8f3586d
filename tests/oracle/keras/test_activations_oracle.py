"""Activations, regularizers and constraints against Keras: values, and the slopes where PyTorch gives them."""

import keras
import numpy as np
import pytest
import torch

import minidl
from minidl import keras as ours

# hard_sigmoid_keras2 is that of Keras 2. Keras 3.15 sums cumulated sums in sparsemax, so its values do not add up to 1:
# tests/keras holds ours to the paper.
OTHER = ("get", "serialize", "deserialize", "threshold", "sparsemax", "hard_sigmoid_keras2")
NAMES = [name for name in ours.activations.__all__ if name not in OTHER]
X = np.linspace(-4, 4, 24).astype("float32").reshape(3, 8) + 0.013


@pytest.mark.parametrize("name", NAMES)
def test_activation_is_that_of_keras(name):
    x = minidl.tensor(X, requires_grad=True)
    y = getattr(ours.activations, name)(x)
    xt = torch.tensor(X, requires_grad=True)
    yt = getattr(keras.activations, name)(xt)
    np.testing.assert_allclose(y.detach().numpy(), yt.detach().numpy(), rtol=1e-5, atol=1e-6)
    weights = np.arange(y.numel(), dtype="float32").reshape(tuple(y.shape)) / 7
    (y * minidl.tensor(weights)).sum().backward()
    (yt * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), xt.grad.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("relu", {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.5}),
        ("relu", {"max_value": 6}),
        ("relu", {"negative_slope": 0.2}),
        ("threshold", {"threshold": 0.3, "default_value": -1.0}),
        ("gelu", {"approximate": True}),
        ("softmax", {"axis": 0}),
        ("squareplus", {"b": 2}),
        ("celu", {"alpha": 0.7}),
        ("glu", {"axis": 1}),
    ],
)
def test_options(name, kwargs):
    theirs = getattr(keras.activations, name)(torch.tensor(X), **kwargs).numpy()
    np.testing.assert_allclose(
        getattr(ours.activations, name)(X, **kwargs).numpy(), theirs, rtol=1e-5, atol=1e-6
    )


REGULARIZERS = [
    ("L1", {"l1": 0.1}), ("L2", {"l2": 0.3}), ("L1L2", {"l1": 0.1, "l2": 0.2}), ("OrthogonalRegularizer", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kwargs"), REGULARIZERS)
def test_regularizer(name, kwargs):
    theirs = float(getattr(keras.regularizers, name)(**kwargs)(X))
    one = getattr(ours.regularizers, name)(**kwargs)
    assert float(one(X)) == pytest.approx(theirs, rel=1e-5)
    theirs = getattr(keras.regularizers, name)(**kwargs).get_config()  # its numbers have been through float32
    assert {k: pytest.approx(v) if k != "mode" else v for k, v in theirs.items()} == one.get_config()


CONSTRAINTS = [
    ("MaxNorm", {}), ("MaxNorm", {"max_value": 1.5, "axis": 1}), ("NonNeg", {}), ("UnitNorm", {}),
    ("UnitNorm", {"axis": 1}), ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.7}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kwargs"), CONSTRAINTS)
def test_constraint(name, kwargs):
    theirs = getattr(keras.constraints, name)(**kwargs)
    one = getattr(ours.constraints, name)(**kwargs)
    np.testing.assert_allclose(one(X).numpy(), theirs(X).numpy(), rtol=1e-5, atol=1e-6)
    assert one.get_config() == theirs.get_config()


INITIALIZERS = [
    n for n in ours.initializers.__all__ if n[0].isupper() and n not in ("Initializer", "Constant")
]


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializer_has_the_distribution_of_keras(name):
    shape = (64, 64) if name != "STFT" else (32, 1, 17)
    one, theirs = getattr(ours.initializers, name)(), getattr(keras.initializers, name)()
    a, b = one(shape).numpy(), theirs(shape).detach().numpy()
    assert a.dtype == np.float32
    assert a.std() == pytest.approx(b.std(), rel=0.06, abs=1e-6)
    assert abs(a.mean() - b.mean()) < 6 * b.std() / 64 + 1e-6
    np.testing.assert_allclose(a.max(), b.max(), rtol=0.3)
    if name in ("Zeros", "Ones", "Identity", "STFT"):
        np.testing.assert_allclose(a, b, atol=1e-6)
    config = {k: v for k, v in theirs.get_config().items() if v is not None}
    if name != "Identity":  # Keras leaves out its gain
        assert {k: v for k, v in one.get_config().items() if v is not None} == config
    np.testing.assert_array_equal(a, one(shape).numpy())
    back = ours.initializers.deserialize(keras.initializers.serialize(theirs))
    assert type(back) is type(one)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (3, 3, 2, 8), (2, 2, 2, 3, 5)])
def test_fans(shape):
    for mode in ("fan_in", "fan_out", "fan_avg"):
        args = {"scale": 2.0, "mode": mode, "distribution": "uniform", "seed": 3}
        a = ours.initializers.VarianceScaling(**args)(shape).numpy()
        b = keras.initializers.VarianceScaling(**args)(shape).detach().numpy()
        assert abs(a).max() == pytest.approx(abs(b).max(), rel=0.5)
    a = ours.initializers.Orthogonal(gain=2.0, seed=1)((3, 4)).numpy()
    np.testing.assert_allclose(a @ a.T, 4 * np.eye(3), atol=1e-5)
