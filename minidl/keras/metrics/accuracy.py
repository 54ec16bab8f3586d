"""Accuracies: how often the best guess is right, or is among the best k."""

from minidl import where
from minidl.keras.losses.base import same_rank
from minidl.keras.metrics.base import MeanMetricWrapper
from minidl.keras.settings import named_dtype
from minidl.keras.tensors import place_of_largest, to_tensor

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy", "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]  # fmt: skip


def _pair(y_true, y_pred):
    y_pred = to_tensor(y_pred)
    return to_tensor(y_true, like=y_pred), y_pred


def _hits(matches):
    return matches.to(named_dtype())


def accuracy(y_true, y_pred):
    """1 where y_pred equals y_true."""
    y_true, y_pred = same_rank(*_pair(y_true, y_pred))
    return _hits(y_true == y_pred)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1 where y_pred > threshold says what y_true does.

    >>> from minidl import keras
    >>> keras.metrics.binary_accuracy([1, 1, 0], [0.6, 0.4, 0.1])
    tensor([1., 0., 1.])
    """
    y_true, y_pred = same_rank(*_pair(y_true, y_pred))
    return _hits(y_true == (y_pred > threshold).to(y_true.dtype))


def categorical_accuracy(y_true, y_pred):
    """1 where the largest of y_pred is the largest of y_true, over the last dimension."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _hits(place_of_largest(y_true) == place_of_largest(y_pred))


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where the largest of y_pred is at the class number y_true, (N, ...) or (N, ..., 1)."""
    y_true, y_pred = _pair(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true.squeeze(-1)
    best = place_of_largest(y_pred)
    hits = _hits(y_true == (best.to(y_true.dtype) if y_true.is_floating_point() else best))
    return hits.squeeze(-1) if hits.ndim > 1 and hits.shape[-1] == 1 else hits


def _in_top(labels, y_pred, k):
    """Whether fewer than k scores are above the label's; a label that is no class is in no top."""
    classes = y_pred.shape[-1]
    labels = labels.long()
    known = (labels >= 0) & (labels < classes)
    safe = where(known, labels, labels * 0)
    score = y_pred.gather(-1, safe.unsqueeze(-1))
    return (((y_pred > score).sum(-1) < k) & known) & score.squeeze(-1).isfinite()


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1 where the class of the one-hot y_true is among the k largest of y_pred."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _hits(_in_top(place_of_largest(y_true), y_pred, k))


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """1 where the class number y_true, (N, ...) or (N, ..., 1), is among the k largest of y_pred.

    With ``from_sorted_ids`` y_pred is class numbers, the likeliest first.
    """
    y_true, y_pred = _pair(y_true, y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        return sparse_top_k_categorical_accuracy(y_true.squeeze(-1), y_pred, k, from_sorted_ids).unsqueeze(-1)
    if from_sorted_ids:
        return _hits((y_true.unsqueeze(-1) == y_pred[..., :k]).any(-1))
    return _hits(_in_top(y_true, y_pred, k))


class _Accuracy(MeanMetricWrapper):
    _direction = "up"


class Accuracy(_Accuracy):
    """How often predictions equal labels.

    >>> from minidl import keras
    >>> float(keras.metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
    0.75
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(_Accuracy):
    """How often predictions above the threshold are the labels that are 1; of logits with ``threshold=0``."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(_Accuracy):
    """How often the largest prediction is the class of a one-hot label."""

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(_Accuracy):
    """How often the largest prediction is the class number."""

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(_Accuracy):
    """How often the class of a one-hot label is among the k largest predictions."""

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(_Accuracy):
    """How often the class number is among the k largest predictions."""

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k, self.from_sorted_ids = k, from_sorted_ids
