"""F scores and intersections over unions."""

from minidl import where, zeros
from minidl.autograd.modes import no_grad
from minidl.keras.metrics.base import Metric
from minidl.keras.settings import epsilon
from minidl.keras.tensors import place_of_largest, to_float, to_tensor

__all__ = ["BinaryIoU", "F1Score", "FBetaScore", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class FBetaScore(Metric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall), for labels and scores (N, C).

    ``average`` is None (one a class), ``micro``, ``macro`` or ``weighted``; without a ``threshold`` the largest
    score is the prediction. ``ValueError`` for other arguments and ranks.

    >>> from minidl import keras
    >>> keras.metrics.FBetaScore(beta=2.0, threshold=0.5)([[1, 1], [1, 0]], [[0.2, 0.6], [0.6, 0.8]])
    tensor([0.5556, 0.8333])
    """

    _direction = "up"

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                "Invalid `average` argument value. Expected one of: {None, 'micro', 'macro', 'weighted'}. "
                f"Received: average={average}"
            )
        if not isinstance(beta, float) or beta <= 0.0:
            raise ValueError(
                f"Invalid `beta` argument value. It should be a Python float > 0. Received: beta={beta}"
            )
        if threshold is not None and not (isinstance(threshold, float) and 0.0 < threshold <= 1.0):
            raise ValueError(
                "Invalid `threshold` argument value. It should be a Python float, 0 < threshold <= 1. "
                f"Received: threshold={threshold}"
            )
        self.average, self.beta, self.threshold = average, beta, threshold

    def _build(self, y_true, y_pred):
        if y_pred.ndim != 2 or y_true.ndim != 2:
            raise ValueError(
                "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_pred.shape={tuple(y_pred.shape)} and y_true.shape={tuple(y_true.shape)}."
            )
        shape = () if self.average == "micro" else (y_pred.shape[-1],)
        for part in ("true_positives", "false_positives", "false_negatives", "intermediate_weights"):
            setattr(self, part, self.add_variable(shape, name=part))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch: labels 0 and 1 and scores, (N, C); weights (N,)."""
        with no_grad():
            y_pred = to_float(y_pred)
            y_true = to_float(y_true, like=y_pred)
            if not self._states:
                self._build(y_true, y_pred)
            if self.threshold is None:
                found = (y_pred >= y_pred.amax(-1, keepdim=True)) & (y_pred.abs() > 1e-9)
            else:
                found = y_pred > self.threshold
            found = found.to(y_true.dtype)
            weight = None if sample_weight is None else to_float(sample_weight, like=y_pred).reshape(-1, 1)
            for state, value in (
                (self.true_positives, found * y_true),
                (self.false_positives, found * (1 - y_true)),
                (self.false_negatives, (1 - found) * y_true),
                (self.intermediate_weights, y_true),
            ):
                value = value if weight is None else value * weight
                state.assign_add(value.sum() if self.average == "micro" else value.sum(0))

    def result(self):
        """The score, (C,) where ``average`` is None."""
        if not self._states:
            raise ValueError(
                f"{type(self).__name__} knows its classes only after update_state(): call that first"
            )
        with no_grad():
            tp, low = self.true_positives, epsilon()
            precision = tp / (tp + self.false_positives + low)
            recall = tp / (tp + self.false_negatives + low)
            square = self.beta**2
            score = precision * recall / (square * precision + recall + low) * (1 + square)
            if self.average == "weighted":
                weights = self.intermediate_weights
                return self._out((score * (weights / (weights.sum() + low))).sum())
            return self._out(score if self.average is None else score.mean())

    def get_config(self):
        """The constructor's arguments."""
        mine = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **mine}


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall): ``FBetaScore`` with beta 1."""

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        """The constructor's arguments."""
        return {key: value for key, value in super().get_config().items() if key != "beta"}


class IoU(Metric):
    """The mean over classes of true positives / (true positives + false positives + false negatives).

    Labels and predictions are class numbers, or scores over ``axis`` where ``sparse_y_true`` or ``sparse_y_pred`` is
    False. What is outside the classes, or is labelled ``ignore_class``, is left out. Float weights count as they are.

    >>> from minidl import keras
    >>> round(float(keras.metrics.IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])), 4)
    0.3333
    """

    _direction = "up"

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_true=True,
        sparse_y_pred=True, axis=-1,
    ):  # fmt: skip
        super().__init__(dtype, name)
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is [0, {num_classes})."
            )
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")

    def _numbers(self, values, sparse):
        return (values if sparse else place_of_largest(values, self.axis)).long().reshape(-1)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch to the confusion matrix."""
        with no_grad():
            y_pred = to_tensor(y_pred)
            true = self._numbers(to_tensor(y_true, like=y_pred), self.sparse_y_true)
            found = self._numbers(y_pred, self.sparse_y_pred)
            size = self.num_classes
            valid = (true >= 0) & (true < size) & (found >= 0) & (found < size)
            if self.ignore_class is not None:
                valid = valid & (true != self.ignore_class)
            weight = valid.to(self.total_cm.dtype)
            if sample_weight is not None:
                weight = weight * to_float(sample_weight, like=weight).reshape(-1).expand(weight.shape)
            cell = where(valid, true * size + found, true * 0)
            cells = zeros(size * size, dtype=weight.dtype, device=weight.device)
            self.total_cm.assign_add(cells.scatter_add(0, cell, weight).reshape(size, size))

    def result(self):
        """The mean over the target classes that occur."""
        with no_grad():
            matrix = self.total_cm
            right = matrix.diagonal()
            union = (matrix.sum(0) + matrix.sum(1) - right)[self.target_class_ids]
            right = right[self.target_class_ids]
            occurs = union > 1e-9
            shares = where(occurs, right / (union + epsilon()), union * 0)
            return self._out(shares.sum() / (occurs.to(shares.dtype).sum() + epsilon()))

    def get_config(self):
        """The constructor's arguments."""
        mine = {
            "num_classes": self.num_classes, "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class, "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred, "axis": self.axis,
        }  # fmt: skip
        return {**super().get_config(), **{key: mine[key] for key in mine if key in self._arguments}}

    _arguments = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")


class BinaryIoU(IoU):
    """``IoU`` of two classes, of scores that are class 1 from ``threshold`` on."""

    _arguments = ("target_class_ids",)

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch to the confusion matrix."""
        super().update_state(y_true, (to_float(y_pred) >= self.threshold).long(), sample_weight)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "threshold": self.threshold}


class MeanIoU(IoU):
    """``IoU`` over all classes."""

    _arguments = ("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")

    def __init__(
        self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1
    ):  # fmt: skip
        classes = range(num_classes)
        super().__init__(num_classes, classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """``IoU`` of one-hot labels and of scores (or, ``sparse_y_pred``, of class numbers)."""

    _arguments = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1
    ):  # fmt: skip
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """``MeanIoU`` of one-hot labels and of scores (or, ``sparse_y_pred``, of class numbers)."""

    _arguments = ("num_classes", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1
    ):  # fmt: skip
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
