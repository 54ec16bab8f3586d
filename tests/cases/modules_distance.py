"""Rows of the distances between vectors."""

from .case import normal
from .modules import ModuleCase

MODULE_CASES = [
    ModuleCase("CosineSimilarity", (), {}, (normal(2, 3), normal(2, 3))),
    ModuleCase("CosineSimilarity", (0,), {"eps": 1e-6}, (normal(3, 1), normal(4)), id="dim"),
    ModuleCase("PairwiseDistance", (), {}, (normal(2, 3), normal(2, 3))),
    ModuleCase("PairwiseDistance", (3.0,), {"keepdim": True}, (normal(2, 4), normal(4)), id="cubes"),
]
