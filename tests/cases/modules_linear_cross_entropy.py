"""Rows of LinearCrossEntropyLoss."""

from .case import normal, positive, values
from .linear_cross_entropy import CLASSES
from .losses import probabilities
from .modules import ModuleCase

MODULE_CASES = [
    ModuleCase("LinearCrossEntropyLoss", (5, 4), {}, (normal(3, 5), CLASSES)),
    ModuleCase(
        "LinearCrossEntropyLoss", (5, 4),
        {"bias": True, "weight": positive(4), "label_smoothing": 0.1, "ignore_index": 0, "reduction": "sum"},
        (normal(3, 5), CLASSES), id="all",
    ),
    ModuleCase(
        "LinearCrossEntropyLoss", (5, 4), {"out_features": (3,), "bias": True},
        (normal(2, 5), values([[1, 3, 0], [2, 2, 1]])), id="deep",
    ),
    ModuleCase("LinearCrossEntropyLoss", (5, 4), {}, (normal(3, 5), probabilities(3, 4)), id="probabilities"),
]  # fmt: skip
