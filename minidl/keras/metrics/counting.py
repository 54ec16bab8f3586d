"""Counts of true and false positives and negatives at many thresholds, in one pass over the predictions."""

import numpy as np

from minidl import as_tensor, ceil, cumsum, flip, searchsorted, topk, where, zeros, zeros_like
from minidl.keras.losses.base import same_rank
from minidl.keras.settings import epsilon
from minidl.keras.tensors import to_float, to_tensor

BELOW_ALL = -1e10  # the threshold, and the score of what is not among the best k, where top_k is given


def checked_thresholds(thresholds, default):
    """Thresholds as a list; ``ValueError`` for one outside [0, 1]."""
    values = [default if thresholds is None else thresholds]
    values = list(values[0]) if isinstance(values[0], (list, tuple, np.ndarray)) else values
    wrong = [t for t in values if t is None or (thresholds is not None and not 0 <= t <= 1)]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return [float(t) for t in values]


def evenly_spread(thresholds):
    """Whether thresholds divide [0, 1] evenly (up to epsilon): a prediction's place is then found by a product."""
    count = len(thresholds)
    return count >= 3 and np.allclose(thresholds, np.arange(count) / (count - 1), atol=epsilon())


def _prepared(y_true, y_pred, sample_weight, label_weights, top_k, class_id):
    """Labels and scores of one shape, and weights of that shape or None."""
    y_pred = to_float(y_pred)
    y_true = to_tensor(y_true, like=y_pred)
    y_pred, y_true = same_rank(y_pred, y_true)
    if y_pred.shape != y_true.shape:
        raise ValueError(
            f"Shapes {tuple(y_true.shape)} of y_true and {tuple(y_pred.shape)} of y_pred are incompatible"
        )
    if top_k is not None:
        best = topk(y_pred, top_k)[1]
        chosen = zeros_like(y_pred).scatter(-1, best, 1.0)
        y_pred = where(chosen > 0, y_pred, zeros_like(y_pred) + BELOW_ALL)
    if class_id is not None:
        if y_pred.ndim == 1:
            raise ValueError(
                "When class_id is provided, y_pred must be a 2D array with shape (num_samples, num_classes), found "
                f"shape: {tuple(y_pred.shape)}"
            )
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
    weight = None
    if sample_weight is not None:
        weight = to_float(sample_weight, like=y_pred)
        if weight.ndim == y_pred.ndim + 1 and weight.shape[-1] == 1:
            weight = weight.squeeze(-1)
        weight = weight.reshape(*weight.shape, *(1,) * (y_pred.ndim - weight.ndim))
        weight = weight.expand(y_pred.shape)
    if label_weights is not None:
        labels = to_float(label_weights, like=y_pred).expand(y_pred.shape)
        weight = labels if weight is None else weight * labels
    return y_true != 0, y_pred, weight


def _places(y_pred, thresholds, even):
    """How many thresholds are below each score: it counts as positive at those."""
    if not even:
        steps = as_tensor(np.asarray(thresholds), dtype=y_pred.dtype, device=y_pred.device)
        return searchsorted(steps, y_pred.contiguous())
    score = y_pred.clamp(0, 1)
    score = where(score == score, score, zeros_like(score))
    places = ceil(score * (len(thresholds) - 1)).long()
    return places.clamp(min=1) if thresholds[0] < 0 else places


def counts(
    y_true, y_pred, thresholds, sample_weight=None, label_weights=None, top_k=None, class_id=None, per_label=False
):  # fmt: skip
    """Weighted ``(true positives, false positives, true negatives, false negatives)``, each (T,) for T thresholds, or
    (T, L) with ``per_label``. A score above a threshold is a positive.

    Scores are sorted into the gaps between thresholds, whose sums from the top are the counts: O(N + T).
    """
    label, score, weight = _prepared(y_true, y_pred, sample_weight, label_weights, top_k, class_id)
    ones = zeros_like(score) + 1 if weight is None else weight
    right = where(label, ones, zeros_like(ones)).double()
    wrong = where(label, zeros_like(ones), ones).double()
    width = score.shape[-1] if per_label else 1
    order = np.argsort(thresholds, kind="stable")
    ordered = [thresholds[i] for i in order]
    if len(ordered) == 1 and not per_label:
        above = score > ordered[0]
        tp = where(above, right, zeros_like(right)).sum().reshape(1)
        fp = where(above, wrong, zeros_like(wrong)).sum().reshape(1)
        return tp, fp, wrong.sum() - fp, right.sum() - tp
    place = _places(score, ordered, evenly_spread(ordered))
    if per_label:
        place = place * width + as_tensor(np.arange(width), device=place.device)
    size = (len(ordered) + 1) * width
    found = []
    for part in (right, wrong):
        gaps = zeros(size, dtype=part.dtype, device=part.device)
        gaps = gaps.scatter_add(0, place.reshape(-1), part.reshape(-1)).reshape(-1, width)
        found.append(flip(cumsum(flip(gaps, (0,)), 0), (0,))[1:])
    if any(order != np.arange(len(order))):
        back = as_tensor(np.argsort(order), device=place.device)
        found = [part[back] for part in found]
    tp, fp = found if per_label else [part[:, 0] for part in found]
    total = (right.sum(0), wrong.sum(0)) if per_label else (right.sum(), wrong.sum())
    return tp, fp, total[1] - fp, total[0] - tp
