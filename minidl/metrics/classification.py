"""Counts of right and wrong labels, and the scores made of them."""

import warnings

import numpy as np

from minidl.metrics.labels import as_labels

__all__ = [
    "accuracy_score", "balanced_accuracy_score", "confusion_matrix", "f1_score", "fbeta_score",
    "precision_recall_fscore_support", "precision_score", "recall_score",
]  # fmt: skip


def accuracy_score(y_true, y_pred, *, normalize=True, sample_weight=None):
    """The share (or, ``normalize=False``, the number) of labels that are right; probabilities are taken too.

    >>> from minidl.metrics import accuracy_score
    >>> accuracy_score([0, 2], [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    0.5
    """
    true, pred = as_labels(y_true, y_pred)
    right = true == pred
    if normalize:
        return float(np.average(right, weights=sample_weight))
    return float(right.sum() if sample_weight is None else np.dot(right, np.asarray(sample_weight)))


def confusion_matrix(y_true, y_pred, *, labels=None, sample_weight=None, normalize=None):
    """How many samples of each label (rows) were given each label (columns), (C, C).

    ``labels`` names and orders them; ``normalize`` divides by rows (``true``), columns (``pred``) or ``all``.

    >>> from minidl.metrics import confusion_matrix
    >>> confusion_matrix([0, 1, 1], [0, 0, 1]).tolist()
    [[1, 0], [1, 1]]
    """
    if normalize not in ("true", "pred", "all", None):
        raise ValueError("normalize must be one of {'true', 'pred', 'all', None}")
    true, pred = as_labels(y_true, y_pred)
    labels = np.unique(np.concatenate([true, pred])) if labels is None else np.asarray(labels)
    if not len(labels):
        raise ValueError("'labels' should contain at least one label.")
    if len(true) and not np.isin(labels, true).any():
        raise ValueError("At least one label specified must be in y_true")
    order = np.argsort(labels, kind="stable")
    ordered, size = labels[order], len(labels)
    places = [np.clip(np.searchsorted(ordered, values), 0, size - 1) for values in (true, pred)]
    known = (ordered[places[0]] == true) & (ordered[places[1]] == pred)
    cells = (order[places[0]] * size + order[places[1]])[known]
    weight = None if sample_weight is None else np.asarray(sample_weight)[known]
    matrix = np.bincount(cells, weight, size * size).reshape(size, size)
    if sample_weight is not None and np.asarray(sample_weight).dtype.kind in "iub":
        matrix = matrix.astype(np.int64)
    if normalize is None:
        return matrix
    below = {"true": matrix.sum(1, keepdims=True), "pred": matrix.sum(0, keepdims=True), "all": matrix.sum()}
    with np.errstate(all="ignore"):
        return np.nan_to_num(matrix / below[normalize])


def balanced_accuracy_score(y_true, y_pred, *, sample_weight=None, adjusted=False):
    """The mean over labels of the share that was found; ``adjusted`` makes chance 0."""
    matrix = confusion_matrix(y_true, y_pred, sample_weight=sample_weight)
    with np.errstate(all="ignore"):
        shares = np.diag(matrix) / matrix.sum(1)
    shares = shares[~np.isnan(shares)]
    score = shares.mean()
    if adjusted:
        chance = 1 / len(shares)
        score = (score - chance) / (1 - chance)
    return float(score)


def _ratio(above, below, name, kind, zero_division):
    """above / below; where the divisor is 0 the value of ``zero_division``, with a warning unless it was named."""
    empty = below == 0
    if empty.any() and zero_division == "warn":
        warnings.warn(
            f"{name.capitalize()} is ill-defined and being set to 0.0 in labels with no {kind} samples. Use "
            "`zero_division` parameter to control this behavior.",
            UserWarning,
            stacklevel=5,
        )
    value = 0.0 if zero_division == "warn" else float(zero_division)
    return np.where(empty, value, above / np.where(empty, 1, below))


def precision_recall_fscore_support(
    y_true, y_pred, *, beta=1.0, labels=None, pos_label=1, average=None, warn_for=("precision", "recall", "f-score"),
    sample_weight=None, zero_division="warn",
):  # fmt: skip
    """``(precision, recall, f score, support)``: one a label, or averaged (``binary``, ``micro``, ``macro``,
    ``weighted``; support is then None). ``ValueError`` for another average, and for ``binary`` of several labels.

    >>> from minidl.metrics import precision_recall_fscore_support
    >>> p, r, f, s = precision_recall_fscore_support([0, 1, 1], [0, 0, 1])
    >>> p.tolist(), r.tolist(), s.tolist()
    ([0.5, 1.0], [1.0, 0.5], [1, 2])
    """
    if average not in (None, "micro", "macro", "weighted", "binary"):
        raise ValueError(
            f"average has to be one of (None, 'micro', 'macro', 'weighted', 'binary'), got {average!r}"
        )
    if beta < 0:
        raise ValueError("beta should be >=0 in the F-beta score")
    true, pred = as_labels(y_true, y_pred)
    present = np.unique(np.concatenate([true, pred]))
    if average == "binary":
        labels = _positive(present, pos_label)
    wanted = present if labels is None else np.asarray(labels)
    everything = np.concatenate([wanted, np.setdiff1d(present, wanted)])
    matrix = _matrix(true, pred, everything, sample_weight)
    count = len(wanted)
    right, found, there = np.diag(matrix)[:count], matrix.sum(0)[:count], matrix.sum(1)[:count]
    support = there
    if average == "micro":
        right, found, there = (np.array([x.sum()]) for x in (right, found, there))
    precision = _ratio(
        right, found, "precision", "predicted", zero_division if "precision" in warn_for else 0
    )
    recall = _ratio(right, there, "recall", "true", zero_division if "recall" in warn_for else 0)
    if np.isposinf(beta):
        score = recall
    else:
        square = beta**2
        both = zero_division if zero_division != "warn" else 0
        score = _ratio((1 + square) * right, square * there + found, "f-score", "true nor predicted", both)
    if average is None:
        return precision, recall, score, support
    if average == "weighted":
        weights = support if support.sum() else None
        return *(float(np.average(x, weights=weights)) for x in (precision, recall, score)), None
    return *(float(np.nanmean(x)) for x in (precision, recall, score)), None


def _positive(present, pos_label):
    if len(present) > 2:
        raise ValueError(
            "Target is multiclass but average='binary'. Please choose another average setting, one of [None, 'micro', "
            "'macro', 'weighted']."
        )
    if pos_label not in present and len(present) >= 2:
        raise ValueError(
            f"pos_label={pos_label} is not a valid label. It should be one of {present.tolist()}"
        )
    return [pos_label]


def _matrix(true, pred, labels, sample_weight):
    order = np.argsort(labels, kind="stable")
    ordered, size = labels[order], len(labels)
    cells = order[np.searchsorted(ordered, true)] * size + order[np.searchsorted(ordered, pred)]
    weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    return np.bincount(cells, weight, size * size).reshape(size, size)


def _one(part, y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, beta=1.0):
    names = ("precision", "recall", "f-score")
    return precision_recall_fscore_support(
        y_true, y_pred, beta=beta, labels=labels, pos_label=pos_label, average=average, warn_for=(names[part],),
        sample_weight=sample_weight, zero_division=zero_division,
    )[part]  # fmt: skip


def precision_score(
    y_true, y_pred, *, labels=None, pos_label=1, average="binary", sample_weight=None, zero_division="warn"
):  # fmt: skip
    """Of the samples given a label, the share that has it."""
    return _one(0, y_true, y_pred, labels, pos_label, average, sample_weight, zero_division)


def recall_score(
    y_true, y_pred, *, labels=None, pos_label=1, average="binary", sample_weight=None, zero_division="warn"
):  # fmt: skip
    """Of the samples that have a label, the share given it."""
    return _one(1, y_true, y_pred, labels, pos_label, average, sample_weight, zero_division)


def f1_score(
    y_true, y_pred, *, labels=None, pos_label=1, average="binary", sample_weight=None, zero_division="warn"
):  # fmt: skip
    """The harmonic mean of precision and recall.

    >>> from minidl.metrics import f1_score
    >>> round(f1_score([0, 1, 1], [0.1, 0.4, 0.8]), 4)
    0.6667
    """
    return _one(2, y_true, y_pred, labels, pos_label, average, sample_weight, zero_division)


def fbeta_score(
    y_true, y_pred, *, beta, labels=None, pos_label=1, average="binary", sample_weight=None, zero_division="warn"
):  # fmt: skip
    """The harmonic mean of precision and recall, the latter ``beta`` times as heavy."""
    return _one(2, y_true, y_pred, labels, pos_label, average, sample_weight, zero_division, beta)
