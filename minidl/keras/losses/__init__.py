"""Losses: functions of a value a sample, and classes that reduce them. Targets come first.

>>> from minidl import keras
>>> keras.losses.get("mse")([[1.0]], [[3.0]])
tensor([4.])
>>> keras.losses.MeanSquaredError()([[1.0]], [[3.0]])
tensor(4.)
"""

from minidl.keras.identifiers import Identifiers
from minidl.keras.losses.base import FunctionLoss, Loss
from minidl.keras.losses.classes import (
    CLASSES,
    CTC,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
)
from minidl.keras.losses.crossentropy import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from minidl.keras.losses.margin import categorical_hinge, circle, ctc, dice, hinge, squared_hinge, tversky
from minidl.keras.losses.regression import (
    cosine_similarity,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)

__all__ = [
    "CTC", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy", "CategoricalHinge", "Circle",
    "CosineSimilarity", "Dice", "Hinge", "Huber", "KLDivergence", "LogCosh", "Loss", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge", "Tversky", "binary_crossentropy",
    "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy", "categorical_hinge", "circle", "cosine_similarity", "ctc",
    "deserialize", "dice", "get", "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "poisson",
    "serialize", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
]  # fmt: skip

_FUNCTIONS = (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    categorical_generalized_cross_entropy, sparse_categorical_crossentropy, categorical_hinge, circle, ctc,
    dice, hinge, squared_hinge, tversky, cosine_similarity, huber, kl_divergence, log_cosh, mean_absolute_error,
    mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error, poisson,
)  # fmt: skip
_ALIASES = {
    "bce": "binary_crossentropy", "kld": "kl_divergence", "mae": "mean_absolute_error", "mse": "mean_squared_error",
    "mape": "mean_absolute_percentage_error", "msle": "mean_squared_logarithmic_error",
    "logcosh": "log_cosh", "kullback_leibler_divergence": "kl_divergence", "huber_loss": "huber",
    "cosine_proximity": "cosine_similarity",
}  # fmt: skip
_KNOWN = Identifiers("loss", "keras.losses", CLASSES, _FUNCTIONS, _ALIASES)


def get(identifier):
    """The loss of a name (``mse``, ``MSE``, ``mean_squared_error``: the function; ``MeanSquaredError``: an object),
    a config, a class or a callable; None stays None. ``ValueError`` names the closest."""
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        raise ValueError(
            f"Could not interpret loss identifier: {identifier}. It stands for a loss only in compile(), which sees "
            "the shapes: name 'binary_', 'categorical_' or 'sparse_categorical_crossentropy'."
        )
    return _KNOWN.get(identifier)


def as_loss(identifier):
    """What ``compile`` makes of a loss: an object with a reduction. A function becomes its mean over the batch."""
    found = get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    cls = {cls().fn: cls for cls in CLASSES}.get(found)
    return FunctionLoss(found) if cls is None else cls()


def serialize(loss):
    """A dict for a loss object, the canonical name for a function (``mse`` is ``mean_squared_error``)."""
    return _KNOWN.serialize(loss)


def deserialize(name, custom_objects=None):
    """The loss of a name or a dict of Keras 2 or 3."""
    return _KNOWN.deserialize(name, custom_objects)


# Keras 2's short names.
bce = BCE = binary_crossentropy
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
