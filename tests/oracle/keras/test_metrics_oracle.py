"""Metrics against Keras: several batches, weights, options, configs, the function forms."""

import keras
import numpy as np
import pytest
import torch

import minidl
from minidl import keras as ours

# Keras' own tensors answer NumPy 2 as NumPy 1 asked
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

R = np.random.default_rng(1)
N, C = 40, 5
SHARES = R.dirichlet(np.ones(C), N).astype("float32")
LABELS = R.integers(0, C, N)
HOT = np.eye(C, dtype="float32")[LABELS]
BITS = R.integers(0, 2, (N, C)).astype("float32")
UNIT = R.uniform(0, 1, (N, C)).astype("float32")
REAL, OTHER = R.normal(size=(2, N, C)).astype("float32")
IDS = R.integers(0, C, N)
FLAT_BITS, FLAT_UNIT = BITS[:, 0], UNIT[:, 0]

CASES = [
    ("Accuracy", {}, LABELS, IDS),
    ("BinaryAccuracy", {}, BITS, UNIT),
    ("BinaryAccuracy", {"threshold": 0.3}, FLAT_BITS, UNIT[:, :1]),
    ("CategoricalAccuracy", {}, HOT, SHARES),
    ("SparseCategoricalAccuracy", {}, LABELS, SHARES),
    ("SparseCategoricalAccuracy", {}, LABELS[:, None], SHARES),
    ("TopKCategoricalAccuracy", {"k": 2}, HOT, SHARES),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, LABELS, SHARES),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, LABELS, np.argsort(-SHARES).astype("float32")),
    ("MeanSquaredError", {}, REAL, OTHER),
    ("RootMeanSquaredError", {}, REAL, OTHER),
    ("MeanAbsoluteError", {}, REAL, OTHER),
    ("MeanAbsolutePercentageError", {}, REAL, OTHER),
    ("MeanSquaredLogarithmicError", {}, UNIT, UNIT[::-1].copy()),
    ("CosineSimilarity", {}, REAL, OTHER),
    ("LogCoshError", {}, REAL, OTHER),
    ("Poisson", {}, UNIT, UNIT[::-1].copy()),
    ("KLDivergence", {}, SHARES, SHARES[::-1].copy()),
    ("Hinge", {}, BITS, REAL),
    ("SquaredHinge", {}, BITS, REAL),
    ("CategoricalHinge", {}, HOT, REAL),
    ("BinaryCrossentropy", {}, BITS, UNIT),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, REAL),
    ("CategoricalCrossentropy", {}, HOT, SHARES),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, HOT, REAL),
    ("SparseCategoricalCrossentropy", {}, LABELS, SHARES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, REAL),
    ("PearsonCorrelation", {}, REAL, OTHER),
    ("ConcordanceCorrelation", {}, REAL, OTHER),
    ("R2Score", {}, REAL, OTHER),
    ("R2Score", {"class_aggregation": None}, REAL, OTHER),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 3}, REAL, OTHER),
    ("TruePositives", {}, BITS, UNIT),
    ("FalsePositives", {"thresholds": [0.2, 0.5, 0.9]}, BITS, UNIT),
    ("TrueNegatives", {"thresholds": [0.0, 0.5, 1.0]}, FLAT_BITS, FLAT_UNIT),
    ("FalseNegatives", {"thresholds": 0.3}, BITS, UNIT),
    ("Precision", {}, BITS, UNIT),
    ("Precision", {"thresholds": [0.7, 0.2]}, BITS, UNIT),
    ("Precision", {"top_k": 2}, HOT, SHARES),
    ("Precision", {"class_id": 1}, BITS, UNIT),
    ("Recall", {}, FLAT_BITS, FLAT_UNIT),
    ("Recall", {"top_k": 2, "class_id": 3}, HOT, SHARES),
    ("F1Score", {}, BITS, UNIT),
    ("F1Score", {"average": "macro", "threshold": 0.4}, BITS, UNIT),
    ("F1Score", {"average": "micro"}, HOT, SHARES),
    ("FBetaScore", {"average": "weighted", "beta": 2.0, "threshold": 0.5}, BITS, UNIT),
    ("AUC", {}, FLAT_BITS, FLAT_UNIT),
    ("AUC", {}, BITS, UNIT),
    ("AUC", {"curve": "PR"}, BITS, UNIT),
    ("AUC", {"curve": "PR", "summation_method": "majoring"}, BITS, UNIT),
    ("AUC", {"curve": "PRGAIN", "summation_method": "minoring"}, BITS, UNIT),
    ("AUC", {"num_thresholds": 11, "summation_method": "minoring"}, BITS, UNIT),
    ("AUC", {"thresholds": [0.1, 0.35, 0.8]}, BITS, UNIT),
    ("AUC", {"multi_label": True}, BITS, UNIT),
    ("AUC", {"multi_label": True, "curve": "PR", "label_weights": [1.0, 2.0, 0.5, 1.0, 0.1]}, BITS, UNIT),
    ("AUC", {"from_logits": True, "num_thresholds": 50}, BITS, REAL),
    ("SensitivityAtSpecificity", {"specificity": 0.6}, FLAT_BITS, FLAT_UNIT),
    ("SpecificityAtSensitivity", {"sensitivity": 0.4, "num_thresholds": 50}, FLAT_BITS, FLAT_UNIT),
    ("PrecisionAtRecall", {"recall": 0.5}, FLAT_BITS, FLAT_UNIT),
    ("RecallAtPrecision", {"precision": 0.5}, FLAT_BITS, FLAT_UNIT),
    ("PrecisionAtRecall", {"recall": 0.3, "num_thresholds": 1}, FLAT_BITS, FLAT_UNIT),
    ("IoU", {"num_classes": 5, "target_class_ids": [0, 2]}, LABELS, IDS),
    ("BinaryIoU", {"threshold": 0.4}, BITS, UNIT),
    ("MeanIoU", {"num_classes": 5}, LABELS, IDS),
    ("MeanIoU", {"num_classes": 5, "ignore_class": 1}, LABELS, IDS),
    ("OneHotIoU", {"num_classes": 5, "target_class_ids": [1, 4]}, HOT, SHARES),
    ("OneHotMeanIoU", {"num_classes": 5}, HOT, SHARES),
]  # fmt: skip
NAMED = [
    f"{i}-{name}-{'-'.join(f'{k}={v}' for k, v in kwargs.items())}"
    for i, (name, kwargs, *_) in enumerate(CASES)
]


def value(metric):
    result = metric.result()
    return np.asarray(result.detach().numpy() if hasattr(result, "detach") else result)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "kwargs", "y", "p"), CASES, ids=NAMED)
def test_metric_over_batches(name, kwargs, y, p, weighted):
    one, theirs = getattr(ours.metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)
    weights = np.linspace(0.5, 2, N).astype("float32") if weighted else None
    whole = "IoU" in name  # whose weights Keras makes integers
    weights = np.arange(1, N + 1, dtype="int32") if weighted and whole else weights
    if weighted and name == "BinaryIoU":
        weights = np.repeat(weights[:, None], C, 1)
    for start in (0, 16, 32):
        part = slice(start, start + 16)
        extra = {} if weights is None else {"sample_weight": weights[part]}
        one.update_state(y[part], p[part], **extra)
        theirs.update_state(y[part], p[part], **extra)
        a, b = value(one), value(theirs)
        assert a.shape == b.shape
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
    one.reset_state()
    theirs.reset_state()
    np.testing.assert_allclose(value_after(one, y, p), value_after(theirs, y, p), rtol=2e-5, atol=2e-6)


def value_after(metric, y, p):
    metric.update_state(y[:8], p[:8])
    return value(metric)


@pytest.mark.parametrize(("name", "kwargs", "y", "p"), CASES, ids=NAMED)
def test_config(name, kwargs, y, p):
    one, theirs = getattr(ours.metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)
    mine = one.get_config()
    again = type(one).from_config(mine)
    assert again.get_config() == mine
    back = ours.metrics.deserialize(keras.metrics.serialize(theirs))
    assert type(back) is type(one)
    there = keras.metrics.deserialize(ours.metrics.serialize(one))
    assert type(there) is type(theirs)
    assert one._direction == getattr(theirs, "_direction", one._direction)


def test_names_are_those_of_keras():
    for name in ("AUC", "Precision", "MeanIoU", "TruePositives", "BinaryIoU"):
        kwargs = {"num_classes": 2} if name == "MeanIoU" else {}
        assert getattr(ours.metrics, name)(**kwargs).name.rstrip("_0123456789") == getattr(
            keras.metrics, name
        )(**kwargs).name.rstrip("_0123456789")


@pytest.mark.parametrize("shape", [(), (4,), (4, 3), (4, 3, 2)])
@pytest.mark.parametrize("weight_shape", [None, (4,), (4, 1), (4, 3)])
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_mean_and_sum(name, shape, weight_shape):
    if weight_shape is not None and len(weight_shape) > len(shape):
        return
    values = R.normal(size=shape).astype("float32")
    weights = None if weight_shape is None else R.uniform(size=weight_shape).astype("float32")
    one, theirs = getattr(ours.metrics, name)(), getattr(keras.metrics, name)()
    for _ in range(2):
        one.update_state(values, sample_weight=weights)
        theirs.update_state(values, sample_weight=weights)
    np.testing.assert_allclose(value(one), value(theirs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_masked_steps_are_left_out(weighted):

    y, p = R.normal(size=(3, 4, 2)).astype("float32"), R.normal(size=(3, 4, 2)).astype("float32")
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]], bool)
    pred, pred_t = minidl.tensor(p), torch.tensor(p)
    pred._keras_mask, pred_t._keras_mask = minidl.tensor(mask), torch.tensor(mask)
    weights = np.linspace(0.5, 2, 12).reshape(3, 4).astype("float32") if weighted else None
    one, theirs = ours.metrics.MeanSquaredError(), keras.metrics.MeanSquaredError()
    one.update_state(y, pred, sample_weight=weights)
    theirs.update_state(torch.tensor(y), pred_t, sample_weight=weights)
    np.testing.assert_allclose(value(one), value(theirs), rtol=1e-6)


def test_images():
    labels, p = R.integers(0, 3, (2, 4, 4)), R.dirichlet(np.ones(3), (2, 4, 4)).astype("float32")
    for name, y in (("SparseCategoricalAccuracy", labels), ("CategoricalAccuracy", np.eye(3)[labels])):
        one, theirs = getattr(ours.metrics, name)(), getattr(keras.metrics, name)()
        assert float(one(y, p)) == pytest.approx(float(theirs(y, p)), rel=1e-6)
    one, theirs = (m.OneHotMeanIoU(3) for m in (ours.metrics, keras.metrics))
    assert float(one(np.eye(3)[labels], p)) == pytest.approx(float(theirs(np.eye(3)[labels], p)), rel=1e-5)
