"""Rows of EmbeddingBag."""

from .case import normal, values
from .embedding_bag import FIXED, INDICES, OFFSETS
from .modules import ModuleCase

MODULE_CASES = [
    *(ModuleCase("EmbeddingBag", (4, 3), {"mode": m}, (INDICES, OFFSETS), id=m) for m in ("sum", "mean", "max")),
    ModuleCase("EmbeddingBag", (4, 3), {"padding_idx": -1}, (FIXED,), id="padding"),
    ModuleCase("EmbeddingBag", (4, 3), {"mode": "sum"}, (INDICES, OFFSETS, normal(7)), id="weights"),
    ModuleCase(
        "EmbeddingBag", (4, 3), {"include_last_offset": True, "max_norm": 100.0, "norm_type": 1.0},
        (INDICES, values([0, 2, 2, 5, 7])), id="last",
    ),
]  # fmt: skip
