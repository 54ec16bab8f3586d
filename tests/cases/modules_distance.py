"""Rows of CosineSimilarity."""

from .case import normal
from .modules import ModuleCase

MODULE_CASES = [
    ModuleCase("CosineSimilarity", (), {}, (normal(2, 3), normal(2, 3))),
    ModuleCase("CosineSimilarity", (0,), {"eps": 1e-6}, (normal(3, 1), normal(4)), id="dim"),
]
