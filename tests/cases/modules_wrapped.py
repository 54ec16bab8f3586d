"""Rows of modules that wrap or change others: DataParallel, weight normalisation."""

from .case import normal
from .modules import ModuleCase

MODULE_CASES = [
    ModuleCase(lambda nn: nn.DataParallel(nn.Linear(3, 2)), inputs=(normal(4, 3),), id="DataParallel"),
    ModuleCase(lambda nn: nn.utils.weight_norm(nn.Linear(3, 2)), inputs=(normal(4, 3),), id="weight_norm"),
]
