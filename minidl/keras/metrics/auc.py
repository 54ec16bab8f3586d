"""The area under a curve of rates over all thresholds."""

from minidl import log, maximum, minimum, sigmoid, where
from minidl.autograd.modes import no_grad
from minidl.keras.metrics.base import ratio
from minidl.keras.metrics.confusion import Confusion
from minidl.keras.settings import epsilon
from minidl.keras.tensors import to_float

__all__ = ["AUC"]

_CURVES = {"roc": "ROC", "pr": "PR", "prgain": "PRGAIN"}
_SUMS = ("interpolation", "minoring", "majoring")


def _named(value, names, kind):
    found = dict(names).get(str(value).lower())
    if found is None:
        raise ValueError(
            f'Invalid AUC {kind} value: "{value}". Expected values are {list(dict(names).values())}'
        )
    return found


class AUC(Confusion):
    """The area under the ROC curve (or PR, PRGAIN) of scores in [0, 1], from counts at ``num_thresholds`` thresholds.

    ``multi_label`` averages the areas of the columns, weighted by ``label_weights``; ``from_logits`` takes scores
    before their sigmoid. ``ValueError`` for unknown names. Source: J. Davis, M. Goadrich, "The relationship
    between precision-recall and ROC curves", ICML 2006 (interpolation of PR); Keras' ``AUC``.

    >>> from minidl import keras
    >>> float(keras.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
    0.75
    """

    def __init__(
        self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None,
        thresholds=None, multi_label=False, num_labels=None, label_weights=None, from_logits=False,
    ):  # fmt: skip
        super().__init__(dtype, name)
        self.curve = _named(curve, _CURVES, "curve")
        self.summation_method = _named(summation_method, zip(_SUMS, _SUMS, strict=True), "summation method")
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(
                f"Argument `num_thresholds` must be an integer > 1. Received: num_thresholds={num_thresholds}"
            )
        inner = sorted(thresholds) if thresholds is not None else [
            (i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)
        ]  # fmt: skip
        self._given = None if thresholds is None else list(inner)
        # ends beyond [0, 1], so that rounding leaves no score outside
        self.thresholds = [-epsilon(), *inner, 1.0 + epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = label_weights
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        if not multi_label:
            self._keep(self.num_thresholds)
        elif num_labels:
            self._keep(self.num_thresholds, num_labels)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch: labels and scores (N, ...), or (N, L) where ``multi_label``."""
        with no_grad():
            y_pred = to_float(y_pred)
            if self.multi_label and y_pred.ndim != 2:
                raise ValueError(
                    "`y_pred` must have rank 2 when `multi_label=True`. Found rank "
                    f"{y_pred.ndim}. Full shape received for `y_pred`: {tuple(y_pred.shape)}"
                )
            if not self._states:
                self._keep(self.num_thresholds, y_pred.shape[1])
            y_pred = sigmoid(y_pred) if self.from_logits else y_pred
            weights = None if self.multi_label else self.label_weights
            self._add(y_true, y_pred, sample_weight, label_weights=weights, per_label=self.multi_label)

    def result(self):
        """The area."""
        if not self._states:
            raise ValueError(
                "AUC with multi_label=True knows its labels only after update_state(): call that first"
            )
        with no_grad():
            tp, fp, tn, fn = (getattr(self, part) for part in self.parts)
            if self.curve == "PR" and self.summation_method == "interpolation":
                return self._averaged(_interpolated(tp, fp, fn))
            x, y = self._curve(tp, fp, tn, fn)
            heights = {
                "interpolation": lambda a, b: (a + b) / 2.0, "minoring": minimum, "majoring": maximum
            }[self.summation_method](y[:-1], y[1:])  # fmt: skip
            return self._averaged((x[:-1] - x[1:]) * heights)

    def _curve(self, tp, fp, tn, fn):
        recall = ratio(tp, tp + fn)
        if self.curve == "ROC":
            return ratio(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, ratio(tp, tp + fp)
        scale = ratio(tp + fn, tn + fp)
        none = tp == 0
        recall_gain = where(none, tp * 0, 1.0 - scale * ratio(fn, tp)).clamp(min=0)
        return recall_gain, where(none, tp * 0 + 1, 1.0 - scale * ratio(fp, tp))

    def _averaged(self, areas):
        areas = areas.sum(0)
        if not self.multi_label:
            return self._out(areas)
        if self.label_weights is None:
            return self._out(areas.mean())
        weights = to_float(self.label_weights, like=areas)
        return self._out(ratio((areas * weights).sum(), weights.sum()))

    def get_config(self):
        """The constructor's arguments."""
        config = {
            **super().get_config(), "num_thresholds": self.num_thresholds, "curve": self.curve,
            "summation_method": self.summation_method, "multi_label": self.multi_label,
            "num_labels": self.num_labels, "label_weights": self.label_weights, "from_logits": self.from_logits,
        }  # fmt: skip
        return config if self._given is None else {**config, "thresholds": self._given}


def _interpolated(tp, fp, fn):
    """Areas under PR between neighbouring thresholds, where positives (not precision) are straight lines."""
    p = tp + fp
    steps, rise = tp[:-1] - tp[1:], p[:-1] - p[1:]
    slope = ratio(steps, rise.clamp(min=0))
    intercept = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    share = where(both, ratio(p[:-1], p[1:].clamp(min=0)), p[1:] * 0 + 1)
    return ratio(slope * (steps + intercept * log(share)), (tp[1:] + fn[1:]).clamp(min=0))
