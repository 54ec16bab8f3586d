"""Metrics of numbers: correlation, explained variance, the root of the mean square; and losses as metrics."""

import warnings

from minidl import sqrt, where
from minidl.autograd.modes import no_grad
from minidl.keras import losses
from minidl.keras.losses.base import pair
from minidl.keras.metrics.base import Mean, MeanMetricWrapper, Metric
from minidl.keras.settings import epsilon
from minidl.keras.tensors import to_float

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity",
    "Hinge", "KLDivergence", "LogCoshError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "PearsonCorrelation", "Poisson", "R2Score", "RootMeanSquaredError",
    "SparseCategoricalCrossentropy", "SquaredHinge", "concordance_correlation", "pearson_correlation",
]  # fmt: skip


class _Loss(MeanMetricWrapper):
    """A loss as a metric: its mean over all samples so far."""

    _direction = "down"


class MeanSquaredError(_Loss):
    """The mean of the squared error."""

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(_Loss):
    """The mean of the absolute error."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(_Loss):
    """The mean of the absolute error in per cent of the label."""

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(_Loss):
    """The mean of the squared difference of logarithms."""

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(_Loss):
    """The mean of log(cosh(error))."""

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(losses.log_cosh, name, dtype)


class Poisson(_Loss):
    """The mean of the Poisson loss."""

    def __init__(self, name="poisson", dtype=None):
        super().__init__(losses.poisson, name, dtype)


class KLDivergence(_Loss):
    """The mean of the Kullback-Leibler divergence."""

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(losses.kl_divergence, name, dtype)


class Hinge(_Loss):
    """The mean of the hinge loss."""

    def __init__(self, name="hinge", dtype=None):
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(_Loss):
    """The mean of the squared hinge loss."""

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(_Loss):
    """The mean of the categorical hinge loss."""

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(losses.categorical_hinge, name, dtype)


class BinaryCrossentropy(_Loss):
    """The mean of the binary cross-entropy."""

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(losses.binary_crossentropy, name, dtype, **options)


class CategoricalCrossentropy(_Loss):
    """The mean of the cross-entropy of one-hot labels."""

    def __init__(
        self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0, axis=-1
    ):
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(losses.categorical_crossentropy, name, dtype, **options)


class SparseCategoricalCrossentropy(_Loss):
    """The mean of the cross-entropy of class numbers."""

    def __init__(
        self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, ignore_class=None, axis=-1
    ):  # fmt: skip
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, **options)


def cosine_similarity(y_true, y_pred, axis=-1):
    """sum y_true y_pred / (|y_true| |y_pred|): 1 where they point the same way."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """The mean of the cosine between labels and predictions."""

    _direction = "up"

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(cosine_similarity, name, dtype, axis=axis)


def pearson_correlation(y_true, y_pred, axis=-1):
    """The covariance over both standard deviations, along ``axis``.

    >>> from minidl import keras
    >>> keras.metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]])
    tensor([1.])
    """
    y_true, y_pred = (_centred(x, axis) for x in pair(y_true, y_pred))
    norms = (y_true.square().mean(axis) * y_pred.square().mean(axis)).sqrt()
    return (y_true * y_pred).mean(axis) / norms


def _centred(x, axis):
    return x - x.mean(axis, keepdim=True)


def concordance_correlation(y_true, y_pred, axis=-1):
    """Twice the covariance over both variances and the squared distance of the means, along ``axis``.

    Source: L. Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 1989.
    """
    y_true, y_pred = pair(y_true, y_pred)
    mean_true, mean_pred = y_true.mean(axis, keepdim=True), y_pred.mean(axis, keepdim=True)
    true, pred = y_true - mean_true, y_pred - mean_pred
    spread = true.square().mean(axis) + pred.square().mean(axis)
    apart = (mean_true - mean_pred).square().squeeze(axis)
    return 2 * (true * pred).mean(axis) / (spread + apart + epsilon())


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of the correlation along ``axis``."""

    _direction = "up"

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of the concordance correlation along ``axis``."""

    _direction = "up"

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis


class RootMeanSquaredError(Mean):
    """The root of the mean squared error.

    >>> from minidl import keras
    >>> float(keras.metrics.RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [3.0]]))
    3.0
    """

    _direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch."""
        with no_grad():
            y_true, y_pred = pair(y_true, y_pred)
            super().update_state((y_pred - y_true).square(), sample_weight)

    def result(self):
        """The root."""
        return sqrt(super().result())


class R2Score(Metric):
    """1 - squared error / variance, for labels and predictions (N, D).

    ``class_aggregation`` is None (one an output), ``uniform_average`` or ``variance_weighted_average``;
    ``num_regressors`` adjusts for that many predictors. ``ValueError`` for other arguments and ranks.

    >>> from minidl import keras
    >>> round(float(keras.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
    0.5714
    """

    _direction = "up"

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(dtype, name)
        choices = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in choices:
            raise ValueError(
                f"Invalid value for argument `class_aggregation`. Expected one of {choices}. Received: "
                f"class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0. Received: "
                f"num_regressors={num_regressors}"
            )
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable(name="num_samples")
        self._built = False

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch; weights are (N,) or (N, D)."""
        with no_grad():
            y_true, y_pred = (x.double() for x in pair(y_true, y_pred))
            if not self._built:
                if y_true.ndim != 2 or y_pred.ndim != 2:
                    raise ValueError(
                        "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                        f"y_pred.shape={tuple(y_pred.shape)} and y_true.shape={tuple(y_true.shape)}."
                    )
                for name in ("squared_sum", "sum", "residual", "count"):
                    setattr(self, name, self.add_variable((y_pred.shape[-1],), name=name))
                self._built = True
            weight = y_true * 0 + 1
            if sample_weight is not None:
                given = to_float(sample_weight, like=y_true)
                weight = weight * (given.unsqueeze(1) if given.ndim == 1 else given)
            self.sum.assign_add((y_true * weight).sum(0))
            self.squared_sum.assign_add((y_true.square() * weight).sum(0))
            self.residual.assign_add(((y_true - y_pred).square() * weight).sum(0))
            self.count.assign_add(weight.sum(0))
            self.num_samples.assign_add(float(y_true.numel()))

    def result(self):
        """The score, (D,) where ``class_aggregation`` is None."""
        if not self._built:
            raise ValueError("R2Score knows its outputs only after update_state(): call that first")
        with no_grad():
            total = self.squared_sum - self.sum * (self.sum / self.count)
            scores = 1 - self.residual / total
            scores = where(scores.isinf(), scores.new_zeros(scores.shape), scores)
            if self.class_aggregation == "uniform_average":
                scores = scores.mean()
            elif self.class_aggregation == "variance_weighted_average":
                scores = (total * scores).sum() / total.sum()
            return self._out(self._adjusted(scores))

    def _adjusted(self, scores):
        if not self.num_regressors:
            return scores
        samples = float(self.num_samples)
        if self.num_regressors >= samples - 1:
            reason = (
                "Division by zero" if self.num_regressors == samples - 1 else "More predictors than samples"
            )
            warnings.warn(f"{reason} in adjusted R2 score. Falling back to standard R2 score.", stacklevel=3)
            return scores
        return 1 - (1 - scores) * (samples - 1) / (samples - self.num_regressors - 1)

    def get_config(self):
        """The constructor's arguments."""
        mine = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **mine}
