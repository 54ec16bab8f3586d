"""Scores of numbers and of probabilities."""

import warnings

import numpy as np

from minidl.metrics.labels import host

__all__ = [
    "log_loss", "max_error", "mean_absolute_error", "mean_squared_error", "median_absolute_error", "r2_score",
    "roc_auc_score", "roc_curve", "root_mean_squared_error",
]  # fmt: skip


def _tables(y_true, y_pred):
    """Both as float tables (N, D); ``ValueError`` for shapes that differ."""
    true, pred = host(y_true).astype(np.float64), host(y_pred).astype(np.float64)
    true, pred = (x.reshape(-1, 1) if x.ndim == 1 else x for x in (true, pred))
    if len(true) != len(pred):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: [{len(true)}, {len(pred)}]"
        )
    if true.shape != pred.shape:
        raise ValueError(
            f"y_true and y_pred have different number of output ({true.shape[1]}!={pred.shape[1]})"
        )
    return true, pred


def _outputs(values, multioutput):
    """A value an output, averaged as ``multioutput`` says."""
    if isinstance(multioutput, str):
        if multioutput == "raw_values":
            return values
        if multioutput != "uniform_average":
            raise ValueError(
                f"multioutput must be 'raw_values', 'uniform_average' or weights, got {multioutput!r}"
            )
        multioutput = None
    return float(np.average(values, weights=multioutput))


def mean_squared_error(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    """mean (y_true - y_pred)^2; predictions (N, 1) meet labels (N,).

    >>> from minidl.metrics import mean_squared_error
    >>> mean_squared_error([1.0, 2.0], [[1.0], [4.0]])
    2.0
    """
    true, pred = _tables(y_true, y_pred)
    return _outputs(np.average((true - pred) ** 2, axis=0, weights=sample_weight), multioutput)


def root_mean_squared_error(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    """The root of the mean squared error, of each output."""
    values = mean_squared_error(y_true, y_pred, sample_weight=sample_weight, multioutput="raw_values")
    return _outputs(np.sqrt(values), multioutput)


def mean_absolute_error(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    """mean |y_true - y_pred|."""
    true, pred = _tables(y_true, y_pred)
    return _outputs(np.average(np.abs(true - pred), axis=0, weights=sample_weight), multioutput)


def median_absolute_error(y_true, y_pred, *, multioutput="uniform_average"):
    """The median of |y_true - y_pred|."""
    true, pred = _tables(y_true, y_pred)
    return _outputs(np.median(np.abs(true - pred), axis=0), multioutput)


def max_error(y_true, y_pred):
    """The largest |y_true - y_pred|."""
    true, pred = _tables(y_true, y_pred)
    return float(np.abs(true - pred).max())


def r2_score(y_true, y_pred, *, sample_weight=None, multioutput="uniform_average"):
    """1 - squared error / variance; 1 where both are 0, 0 where only the variance is.

    >>> from minidl.metrics import r2_score
    >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    true, pred = _tables(y_true, y_pred)
    weight = np.ones(len(true)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    weight = weight[:, None]
    error = (weight * (true - pred) ** 2).sum(0)
    spread = (weight * (true - np.average(true, axis=0, weights=weight[:, 0])) ** 2).sum(0)
    scores = np.where(spread == 0, (error == 0).astype(float), 1 - error / np.where(spread == 0, 1, spread))
    if multioutput == "variance_weighted":
        return float(np.average(scores, weights=spread)) if spread.any() else float(scores.mean())
    return _outputs(scores, multioutput)


def _binary(y_true, pos_label=None):
    """Labels (N,) as truth values, the larger of two being true."""
    true = host(y_true)
    true = true[:, 0] if true.ndim == 2 and true.shape[1] == 1 else true
    known = np.unique(true)
    if pos_label is not None:
        return true == pos_label
    if len(known) != 2:
        raise ValueError(
            "Only one class present in y_true. ROC AUC score is not defined in that case."
            if len(known) < 2
            else f"labels of two classes are wanted, got {len(known)}"
        )
    return true == known[1]


def roc_curve(y_true, y_score, *, pos_label=None, sample_weight=None, drop_intermediate=True):
    """``(false positive rates, true positive rates, thresholds)`` from the highest threshold, inf, downwards.

    Without ``drop_intermediate`` with the points on straight lines too.
    """
    truth, score = _binary(y_true, pos_label), host(y_score).reshape(-1)
    weight = np.ones(len(truth)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    order = np.argsort(-score, kind="stable")
    truth, score, weight = truth[order], score[order], weight[order]
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    right = np.cumsum(truth * weight)[last]
    wrong = np.cumsum(~truth * weight)[last]
    if drop_intermediate and len(last) > 2:
        corners = np.flatnonzero(np.r_[True, (np.diff(wrong, 2) != 0) | (np.diff(right, 2) != 0), True])
        right, wrong, last = right[corners], wrong[corners], last[corners]
    right, wrong, limits = np.append(0, right), np.append(0, wrong), np.append(np.inf, score[last])
    return wrong / wrong[-1], right / right[-1], limits


def roc_auc_score(y_true, y_score, *, average="macro", sample_weight=None, multi_class="ovr"):
    """The area under the ROC curve; of several classes (scores (N, C)) one against the rest, averaged.

    >>> from minidl.metrics import roc_auc_score
    >>> roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    scores = host(y_score)
    if scores.ndim == 2 and scores.shape[1] > 1:
        if multi_class != "ovr" or average not in ("macro", "weighted", None):
            raise NotImplementedError(
                "of several classes, multi_class='ovr' with average 'macro', 'weighted' or None"
            )
        true = host(y_true)
        hot = true if true.ndim == 2 and true.shape[1] > 1 else true.reshape(-1, 1) == np.unique(true)
        if hot.shape[1] != scores.shape[1]:
            raise ValueError("Number of classes in y_true not equal to the number of columns in 'y_score'")
        pairs = zip(hot.T, scores.T, strict=True)
        areas = np.array([roc_auc_score(t, s, sample_weight=sample_weight) for t, s in pairs])
        if average is None:
            return areas
        return float(np.average(areas, weights=hot.sum(0) if average == "weighted" else None))
    _binary(y_true)
    wrong, right, _ = roc_curve(y_true, scores, sample_weight=sample_weight)
    return float(np.trapezoid(right, wrong))


def log_loss(y_true, y_pred, *, normalize=True, sample_weight=None, labels=None):
    """mean - log of the probability given to the right label: (N,) or (N, 1) of the second, or (N, C).

    Rows that do not sum to one are taken as they are, with a ``UserWarning``.

    >>> from minidl.metrics import log_loss
    >>> round(log_loss([0, 1], [0.1, 0.8]), 4)
    0.1643
    """
    true, chance = host(y_true), host(y_pred)
    kind = chance.dtype if chance.dtype.kind == "f" else np.dtype(np.float64)
    chance = chance.astype(np.float64)
    if chance.ndim == 1 or chance.shape[1] == 1:
        chance = np.stack([1 - chance.reshape(-1), chance.reshape(-1)], 1)
    if true.ndim == 2 and true.shape[1] > 1:
        hot = true.astype(bool)
    else:
        true = true.reshape(len(true))
        known = np.unique(true) if labels is None else np.asarray(labels)
        numbers = known.dtype.kind in "iub" and len(known) < chance.shape[1]
        known = np.arange(chance.shape[1]) if numbers and labels is None else known
        if len(known) != chance.shape[1]:
            raise ValueError(
                f"y_true has {len(known)} labels, but y_pred has probabilities of {chance.shape[1]}"
            )
        hot = true[:, None] == known
    small = np.finfo(kind).eps
    if not np.allclose(chance.sum(1), 1, rtol=small**0.5, atol=0):
        warnings.warn("The y_prob values do not sum to one. Make sure to pass probabilities.", stacklevel=2)
    chance = np.clip(chance, small, 1 - small)
    values = -np.log(chance[hot])
    if normalize:
        return float(np.average(values, weights=sample_weight))
    return float(values.sum() if sample_weight is None else np.dot(values, sample_weight))
