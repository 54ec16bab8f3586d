"""Rows of minidl/nn/upsample.py."""

from .case import normal
from .modules import ModuleCase

MODULE_CASES = [
    ModuleCase("Upsample", (), {"scale_factor": 2}, (normal(1, 2, 3),)),
    ModuleCase("Upsample", ((2, 5), None, "bilinear", True), {}, (normal(1, 2, 3, 4),), id="size"),
    ModuleCase(
        "Upsample", (), {"scale_factor": (2, 1.5), "mode": "bicubic"}, (normal(1, 2, 3, 4),), id="factors"
    ),
    ModuleCase(
        "Upsample", (None, 1.7, "trilinear", False, True), {}, (normal(1, 1, 2, 3, 4),), id="recomputed"
    ),
    ModuleCase("UpsamplingNearest2d", (3,), {}, (normal(1, 2, 2, 4),)),
    ModuleCase("UpsamplingBilinear2d", (), {"scale_factor": 1.5}, (normal(1, 2, 2, 4),)),
]
