"""Rows of the loss layers and of the softmax layers."""

from .case import integers, normal, positive, values
from .losses import probabilities
from .modules import ModuleCase

PAIR = (normal(3, 4), normal(3, 4))
UNIT = (probabilities(3, 4), probabilities(3, 4))
CLASSES = (normal(4, 5), integers(0, 5, 4))

MODULE_CASES = [
    *(ModuleCase("MSELoss", (), {"reduction": r}, PAIR, id=r) for r in ("none", "mean", "sum")),
    ModuleCase("L1Loss", (), {}, PAIR),
    ModuleCase("SmoothL1Loss", (), {"beta": 0.5}, PAIR),
    ModuleCase("HuberLoss", (), {"reduction": "sum", "delta": 0.5}, PAIR),
    ModuleCase("BCELoss", (), {}, UNIT),
    ModuleCase("BCELoss", (positive(4),), {"reduction": "sum"}, UNIT, id="weight"),
    ModuleCase("BCEWithLogitsLoss", (), {}, (normal(3, 4), probabilities(3, 4))),
    ModuleCase(
        "BCEWithLogitsLoss", (), {"pos_weight": positive(4), "weight": positive(3, 1)},
        (normal(3, 4), probabilities(3, 4)), id="weights",
    ),
    ModuleCase("NLLLoss", (), {}, CLASSES),
    ModuleCase("NLLLoss", (positive(5),), {"ignore_index": 2}, CLASSES, id="weight-ignored"),
    ModuleCase("CrossEntropyLoss", (), {}, CLASSES),
    ModuleCase(
        "CrossEntropyLoss", (positive(5),), {"label_smoothing": 0.1, "reduction": "sum"},
        (normal(3, 5), values([1, -100, 4])), id="all",
    ),
    ModuleCase("CrossEntropyLoss", (), {}, (normal(3, 5), probabilities(3, 5)), id="probabilities"),
    ModuleCase("KLDivLoss", (), {"reduction": "batchmean"}, (normal(3, 4), probabilities(3, 4))),
    ModuleCase("KLDivLoss", (), {"reduction": "sum", "log_target": True}, PAIR, id="log_target"),
    ModuleCase("Softmax", (1,), {}, (normal(3, 4),)),
    ModuleCase("LogSoftmax", (), {"dim": -1}, (normal(3, 4),)),
    ModuleCase("Softmin", (), {"dim": 0}, (normal(3, 4),)),
    ModuleCase("Softmax2d", (), {}, (normal(2, 3, 2, 2),)),
    ModuleCase("Softmax2d", (), {}, (normal(3, 2, 2),), id="no-batch"),
]  # fmt: skip
