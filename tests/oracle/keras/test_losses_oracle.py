"""Losses against Keras: values a sample, gradients, reductions, weights, masks, options."""

import keras
import numpy as np
import pytest
import torch

import minidl
from minidl import keras as ours

R = np.random.default_rng(0)
N, C = 6, 5
PROBS = R.dirichlet(np.ones(C), N).astype("float32")
LOGITS = (R.normal(size=(N, C)) * 3).astype("float32")
HOT = np.eye(C, dtype="float32")[R.integers(0, C, N)]
BITS = R.integers(0, 2, (N, C)).astype("float32")
UNIT = R.uniform(0, 1, (N, C)).astype("float32")
REAL = R.normal(size=(N, C)).astype("float32")
OTHER = R.normal(size=(N, C)).astype("float32")
LABELS = R.integers(0, C, N)
EMBEDDED = (LOGITS / np.linalg.norm(LOGITS, axis=1, keepdims=True)).astype("float32")

CASES = [
    ("MeanSquaredError", {}, REAL, OTHER),
    ("MeanAbsoluteError", {}, REAL, OTHER),
    ("MeanAbsolutePercentageError", {}, REAL, OTHER),
    ("MeanSquaredLogarithmicError", {}, UNIT, np.abs(OTHER)),
    ("CosineSimilarity", {}, REAL, OTHER),
    ("CosineSimilarity", {"axis": 0}, REAL, OTHER),
    ("Huber", {}, REAL, OTHER),
    ("Huber", {"delta": 0.4}, REAL, OTHER),
    ("LogCosh", {}, REAL, OTHER * 30),
    ("KLDivergence", {}, PROBS, UNIT),
    ("Poisson", {}, UNIT, UNIT[::-1].copy()),
    ("Hinge", {}, BITS, OTHER),
    ("Hinge", {}, BITS * 2 - 1, OTHER),
    ("SquaredHinge", {}, BITS, OTHER),
    ("CategoricalHinge", {}, HOT, OTHER),
    ("BinaryCrossentropy", {}, BITS, UNIT),
    ("BinaryCrossentropy", {}, BITS, BITS[::-1].copy()),
    ("BinaryCrossentropy", {"from_logits": True}, BITS, LOGITS),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, BITS, UNIT),
    ("BinaryFocalCrossentropy", {}, BITS, UNIT),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5, "alpha": 0.3}, BITS, UNIT),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, LOGITS),
    ("CategoricalCrossentropy", {}, HOT, PROBS),
    ("CategoricalCrossentropy", {}, HOT, UNIT),
    ("CategoricalCrossentropy", {"from_logits": True}, HOT, LOGITS),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.3}, HOT, LOGITS),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, HOT, PROBS),
    ("CategoricalFocalCrossentropy", {}, HOT, PROBS),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "alpha": 0.5, "gamma": 1.0}, HOT, LOGITS),
    ("SparseCategoricalCrossentropy", {}, LABELS, PROBS),
    ("SparseCategoricalCrossentropy", {}, LABELS[:, None], UNIT),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, LOGITS),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}, LABELS, LOGITS),
    ("CategoricalGeneralizedCrossEntropy", {}, LABELS, PROBS),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.9}, LABELS, PROBS),
    ("Dice", {}, BITS, UNIT),
    ("Dice", {"axis": 1}, BITS, UNIT),
    ("Tversky", {}, BITS, UNIT),
    ("Tversky", {"alpha": 0.2, "beta": 0.7, "axis": (0, 1)}, BITS, UNIT),
    ("Circle", {}, LABELS % 2, EMBEDDED),
    ("Circle", {"gamma": 20.0, "margin": 0.3, "remove_diagonal": False}, LABELS % 2, EMBEDDED),
    ("CTC", {}, np.array([[1, 2, 2, 0], [3, 0, 0, 0]]), R.normal(size=(2, 7, 5)).astype("float32")),
]
IDS = [
    f"{name}-{'-'.join(f'{k}={v}' for k, v in kwargs.items())}-{i}"
    for i, (name, kwargs, *_) in enumerate(CASES)
]


def both(loss, theirs, y, p, **kwargs):
    pred, pred_t = minidl.tensor(p, requires_grad=True), torch.tensor(p, requires_grad=True)
    return loss(y, pred, **kwargs), theirs(torch.tensor(y), pred_t, **kwargs), pred, pred_t


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", None, "mean_with_sample_weight"])
@pytest.mark.parametrize(("name", "kwargs", "y", "p"), CASES, ids=IDS)
def test_loss(name, kwargs, y, p, reduction):
    one = getattr(ours.losses, name)(**kwargs, reduction=reduction)
    theirs = getattr(keras.losses, name)(**kwargs, reduction=reduction)
    a, b, pred, pred_t = both(one, theirs, y, p)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=2e-6, atol=2e-6)
    weights = np.linspace(0.5, 2, a.numel(), dtype="float32").reshape(tuple(a.shape))
    (a * minidl.tensor(weights)).sum().backward()
    (b * torch.tensor(weights)).sum().backward()
    assert np.isfinite(pred.grad.numpy()).all()
    np.testing.assert_allclose(pred.grad.numpy(), torch.nan_to_num(pred_t.grad).numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "kwargs", "y", "p"), CASES, ids=IDS)
def test_loss_with_weights(name, kwargs, y, p):
    values = getattr(keras.losses, name)(**kwargs, reduction=None)(y, p)
    if values.ndim == 0:
        return
    weights = np.linspace(0.2, 3, len(values)).astype("float32")
    for reduction in ("sum_over_batch_size", "sum", "none", "mean_with_sample_weight"):
        one = getattr(ours.losses, name)(**kwargs, reduction=reduction)
        theirs = getattr(keras.losses, name)(**kwargs, reduction=reduction)
        a, b, *_ = both(one, theirs, y, p, sample_weight=weights)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", [c for c in ours.losses.__all__ if c[0].isupper() and c != "Loss"])
def test_config_is_that_of_keras(name):
    one, theirs = getattr(ours.losses, name)(), getattr(keras.losses, name)()
    assert one.get_config().items() >= theirs.get_config().items()  # Keras leaves some options out
    assert one.name == theirs.name
    if name == "CategoricalGeneralizedCrossEntropy":  # Keras 3.15 cannot save this one
        return
    back = ours.losses.deserialize(keras.losses.serialize(theirs))
    assert back.get_config() == one.get_config()
    again = keras.losses.deserialize(ours.losses.serialize(one))
    assert again.get_config() == theirs.get_config()


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weighted", [False, True])
def test_mask_of_the_predictions(reduction, weighted):
    y, p = R.normal(size=(3, 4, 2)).astype("float32"), R.normal(size=(3, 4, 2)).astype("float32")
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]], bool)
    weights = np.array([[0.5], [2], [3]], "float32") * np.ones((3, 4), "float32") if weighted else None
    pred, pred_t = minidl.tensor(p), torch.tensor(p)
    pred._keras_mask, pred_t._keras_mask = minidl.tensor(mask), torch.tensor(mask)
    a = ours.losses.MeanSquaredError(reduction=reduction)(y, pred, sample_weight=weights)
    b = keras.losses.MeanSquaredError(reduction=reduction)(torch.tensor(y), pred_t, sample_weight=weights)
    assert float(a) == pytest.approx(float(b), rel=1e-6)


@pytest.mark.parametrize(
    "name", ["mse", "MAE", "bce", "kld", "mape", "msle", "hinge", "log_cosh", "MeanSquaredError"]
)
def test_names_of_keras_are_names(name):
    one, theirs = ours.losses.get(name), keras.losses.get(name)
    y, p = (BITS, UNIT)
    np.testing.assert_allclose(one(y, p).numpy(), theirs(y, p).numpy(), rtol=1e-6, atol=1e-6)


def test_images_and_sequences():
    labels = R.integers(0, 4, (2, 3, 3))
    p = R.normal(size=(2, 3, 3, 4)).astype("float32")
    for options in ({"from_logits": True}, {"from_logits": True, "ignore_class": 1}):
        a = ours.losses.SparseCategoricalCrossentropy(**options)(labels, p)
        b = keras.losses.SparseCategoricalCrossentropy(**options)(labels, p)
        assert float(a) == pytest.approx(float(b), rel=1e-6)
    hot = np.moveaxis(np.eye(4, dtype="float32")[labels], -1, 1)
    first = np.moveaxis(p, -1, 1).copy()
    for logits in (True, False):
        first = first if logits else np.abs(first)
        a = ours.losses.CategoricalCrossentropy(from_logits=logits, axis=1)(hot, first)
        b = keras.losses.CategoricalCrossentropy(from_logits=logits, axis=1)(hot, first)
        assert float(a) == pytest.approx(float(b), rel=1e-6)
    column, flat = R.normal(size=(4, 1)).astype("float32"), R.normal(size=4).astype("float32")
    for name in ("mse", "mae", "huber", "bce"):
        p = 1 / (1 + np.exp(-column))
        a, b = ours.losses.get(name)(flat > 0, p), keras.losses.get(name)((flat > 0)[:, None], p)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)
