"""How good predictions are, by the kind of loss: accuracy or R^2."""

import re

import numpy as np

from minidl.keras.engine.nest import flatten


def loss_name(loss):
    """The letters of a loss's name, of the first of several: ``sparsecategoricalcrossentropy``."""
    first = next(iter(flatten(loss)), "")
    name = first if isinstance(first, str) else getattr(first, "__name__", None) or type(first).__name__
    return re.sub(r"[^a-z]", "", name.lower())


def is_classification(loss):
    """Whether a loss is a cross-entropy or a hinge: then its targets are classes.

    >>> is_classification("sparse_categorical_crossentropy"), is_classification("mse")
    (True, False)
    """
    return any(word in loss_name(loss) for word in ("crossentropy", "hinge"))


def takes_logits(loss):
    """Whether a loss object was made with ``from_logits=True``.

    >>> from minidl import keras
    >>> takes_logits(keras.losses.BinaryCrossentropy(from_logits=True))
    True
    """
    first = next(iter(flatten(loss)), None)
    return hasattr(first, "get_config") and bool(first.get_config().get("from_logits", False))


def classes_of(found, loss):
    """Class numbers (N,) of outputs (N, classes), or 0 and 1 in the shape of outputs of single units."""
    if found.ndim > 1 and found.shape[-1] > 1 and "binary" not in loss_name(loss):
        return found.argmax(axis=-1)
    zero_centred = takes_logits(loss) or "hinge" in loss_name(loss)
    return (found > (0.0 if zero_centred else 0.5)).astype(np.int64)


def accuracy(truth, found, loss, weights=None):
    """The share of right predictions; with one-hot or several targets a sample counts where all are right."""
    labels = classes_of(found, loss)
    if labels.ndim == 1 and found.ndim == 2 and found.shape[1] > 1:
        truth = truth.argmax(axis=-1) if truth.ndim == 2 and truth.shape[1] > 1 else truth
    elif "hinge" in loss_name(loss):
        truth = truth > 0  # -1 and 1 are the same two classes as 0 and 1
    right = (labels.reshape(len(found), -1) == truth.reshape(len(found), -1)).all(axis=1)
    return float(np.average(right, weights=weights))


def r2(truth, found, weights=None):
    """1 - sum (y - p)^2 / sum (y - mean y)^2, the mean over outputs; a constant target scores 1 or 0."""
    truth = truth.reshape(len(truth), -1).astype(np.float64)
    found = found.reshape(len(found), -1).astype(np.float64)
    weights = np.ones(len(truth)) if weights is None else weights
    wrong = (weights[:, None] * (truth - found) ** 2).sum(axis=0)
    spread = (weights[:, None] * (truth - np.average(truth, axis=0, weights=weights)) ** 2).sum(axis=0)
    scores = np.where(spread > 0, 1 - wrong / np.where(spread > 0, spread, 1), np.where(wrong == 0, 1.0, 0.0))
    return float(scores.mean())
