"""Metrics: what is shown while a model trains, and after. Targets come first.

>>> from minidl import keras
>>> keras.metrics.get("mae")
<MeanAbsoluteError name=mean_absolute_error>
"""

from minidl.keras.identifiers import Identifiers
from minidl.keras.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from minidl.keras.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from minidl.keras.metrics.auc import AUC
from minidl.keras.metrics.base import Mean, MeanMetricWrapper, Metric, Sum
from minidl.keras.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from minidl.keras.metrics.overlap import (
    BinaryIoU,
    F1Score,
    FBetaScore,
    IoU,
    MeanIoU,
    OneHotIoU,
    OneHotMeanIoU,
)
from minidl.keras.metrics.regression import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    ConcordanceCorrelation,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    PearsonCorrelation,
    Poisson,
    R2Score,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    concordance_correlation,
    pearson_correlation,
)

__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity", "F1Score",
    "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge", "IoU", "KLDivergence", "LogCoshError", "Mean",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU", "MeanMetricWrapper", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Metric", "OneHotIoU", "OneHotMeanIoU", "PearsonCorrelation", "Poisson",
    "Precision", "PrecisionAtRecall", "R2Score", "Recall", "RecallAtPrecision", "RootMeanSquaredError",
    "SensitivityAtSpecificity", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "SpecificityAtSensitivity", "SquaredHinge", "Sum",
    "TopKCategoricalAccuracy", "TrueNegatives", "TruePositives", "accuracy", "binary_accuracy",
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_accuracy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_hinge", "concordance_correlation", "deserialize", "get",
    "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_error", "mean_squared_logarithmic_error", "pearson_correlation", "poisson", "serialize",
    "sparse_categorical_accuracy", "sparse_categorical_crossentropy", "sparse_top_k_categorical_accuracy",
    "squared_hinge", "top_k_categorical_accuracy",
]  # fmt: skip

_CLASSES = (
    AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy, CategoricalCrossentropy,
    CategoricalHinge, ConcordanceCorrelation, CosineSimilarity, F1Score, FBetaScore, FalseNegatives,
    FalsePositives, Hinge, IoU, KLDivergence, LogCoshError, Mean, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanIoU, MeanMetricWrapper, MeanSquaredError, MeanSquaredLogarithmicError,
    OneHotIoU, OneHotMeanIoU, PearsonCorrelation, Poisson, Precision, PrecisionAtRecall, R2Score, Recall,
    RecallAtPrecision, RootMeanSquaredError, SensitivityAtSpecificity, SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, SpecificityAtSensitivity, SquaredHinge, Sum,
    TopKCategoricalAccuracy, TrueNegatives, TruePositives,
)  # fmt: skip
_FUNCTIONS = (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    categorical_hinge, hinge, huber, kl_divergence, log_cosh, mean_absolute_error,
    mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error, poisson,
    sparse_categorical_crossentropy, squared_hinge, accuracy, binary_accuracy, categorical_accuracy,
    sparse_categorical_accuracy, sparse_top_k_categorical_accuracy, top_k_categorical_accuracy,
    concordance_correlation, pearson_correlation,
)  # fmt: skip
_ALIASES = {
    "acc": "Accuracy", "bce": "BinaryCrossentropy", "mse": "MeanSquaredError", "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError", "msle": "MeanSquaredLogarithmicError", "kld": "KLDivergence",
    "rmse": "RootMeanSquaredError", "cosine_proximity": "CosineSimilarity", "logcosh": "LogCoshError",
}  # fmt: skip
_KNOWN = Identifiers("metric", "keras.metrics", _CLASSES, _FUNCTIONS, _ALIASES)


def get(identifier):
    """The metric of a name (``mse``, ``AUC``; a snake-case name of a function is the function), a config, a class or a
    callable; None stays None. ``ValueError`` names the closest."""
    return _KNOWN.get(identifier)


def by_shape(identifier, y_true, y_pred):
    """What ``accuracy`` and ``crossentropy`` stand for, by the shapes: the class, or None for another identifier.

    A last size of 1 of the predictions is binary; labels of a lower rank, or whose last size is 1, are class numbers.
    """
    kinds = {
        "accuracy": (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy),
        "crossentropy": (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy),
    }
    word = {"acc": "accuracy", "ce": "crossentropy"}.get(str(identifier).lower(), str(identifier).lower())
    if not isinstance(identifier, str) or word not in kinds:
        return None
    binary, sparse, categorical = kinds[word]
    if y_pred[-1] == 1:
        return binary
    return sparse if len(y_true) < len(y_pred) or y_true[-1] == 1 else categorical


def as_metric(identifier, y_true, y_pred):
    """What ``compile`` makes of a metric for these shapes: an object, named as it was typed."""
    cls = by_shape(identifier, y_true, y_pred)
    if cls is not None:
        return cls(name=identifier)
    found = get(identifier)
    if found is None or isinstance(found, Metric):
        if isinstance(identifier, str):
            found.name = identifier
        return found
    if hasattr(found, "update_state") and hasattr(found, "result"):
        return found
    name = identifier if isinstance(identifier, str) else getattr(found, "__name__", type(found).__name__)
    return MeanMetricWrapper(found, name=name)


def serialize(metric):
    """A dict for a metric object, the name for a function."""
    return _KNOWN.serialize(metric)


def deserialize(config, custom_objects=None):
    """The metric of a name or a dict of Keras 2 or 3; a ``MeanMetricWrapper``'s function goes by its name."""
    if isinstance(config, dict) and config.get("class_name") == "MeanMetricWrapper":
        inner = dict(config["config"])
        return MeanMetricWrapper(_KNOWN.deserialize(inner.pop("fn"), custom_objects), **inner)
    return _KNOWN.deserialize(config, custom_objects)


# Keras 2's short names.
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
