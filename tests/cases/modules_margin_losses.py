"""Rows of the layers of margin and likelihood losses."""

import numpy as np

from .case import integers, normal, positive, values
from .margin_losses import CLASSES, LABELS, TRIPLET
from .modules import ModuleCase


def _own_distance(nn):
    return nn.TripletMarginWithDistanceLoss(
        distance_function=lambda a, b: (a - b).abs().sum(-1), swap=True, margin=3.0
    )


MODULE_CASES = [
    *(ModuleCase("TripletMarginLoss", (), {"reduction": r}, TRIPLET, id=r) for r in ("none", "mean", "sum")),
    ModuleCase("TripletMarginLoss", (2.0, 3.0), {"swap": True, "eps": 1e-3}, TRIPLET, id="all"),
    ModuleCase("TripletMarginWithDistanceLoss", (), {"margin": 2.0}, TRIPLET),
    ModuleCase(_own_distance, inputs=TRIPLET, id="TripletMarginWithDistanceLoss-own"),
    ModuleCase("CosineEmbeddingLoss", (), {"margin": -0.5}, (normal(4, 3), normal(4, 3), values([1, -1, -1, 1]))),
    ModuleCase("MarginRankingLoss", (0.5,), {}, (normal(4), normal(4), values([1, -1, -1, 1]))),
    ModuleCase("HingeEmbeddingLoss", (2.0,), {"reduction": "sum"}, (normal(4), values([1, -1, -1, 1]))),
    ModuleCase("SoftMarginLoss", (), {}, (normal(4), values([1, -1, -1, 1]))),
    ModuleCase("MultiMarginLoss", (), {}, CLASSES),
    ModuleCase("MultiMarginLoss", (2, 0.5), {"weight": positive(5), "reduction": "none"}, CLASSES, id="all"),
    ModuleCase("MultiLabelMarginLoss", (), {}, LABELS),
    ModuleCase("MultiLabelSoftMarginLoss", (), {}, (normal(3, 4), integers(0, 2, 3, 4))),
    ModuleCase(
        "MultiLabelSoftMarginLoss", (positive(4),), {"reduction": "none"}, (normal(3, 4), integers(0, 2, 3, 4)),
        id="weight",
    ),
    ModuleCase("PoissonNLLLoss", (), {}, (normal(3, 4), integers(0, 5, 3, 4))),
    ModuleCase(
        "PoissonNLLLoss", (False, True), {"reduction": "sum"}, (positive(4), values(np.arange(4.0) + 0.5)), id="full"
    ),
    ModuleCase("GaussianNLLLoss", (), {}, (normal(3, 4), normal(3, 4), positive(3, 4))),
    ModuleCase(
        "GaussianNLLLoss", (), {"full": True, "eps": 1e-3}, (normal(3, 4), normal(4), positive(3, 1)), id="full"
    ),
]  # fmt: skip
