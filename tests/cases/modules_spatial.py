"""Rows of the layers that rearrange, of those around local normalisation and of those that undo pooling."""

import numpy as np

from .case import constant, distinct, normal, positive, values
from .modules import ModuleCase

FIRST = values([[[1, 3]], [[0, 2]]])
PLANES = values([[[[0, 3], [9, 14]], [[5, 6], [8, 11]]]])


def _samples(rank):
    return constant(values(np.random.default_rng(rank).random((2, 2, rank))))


MODULE_CASES = [
    ModuleCase("PixelShuffle", (2,), {}, (normal(1, 8, 2, 3),)),
    ModuleCase("PixelUnshuffle", (2,), {}, (normal(1, 2, 4, 6),)),
    ModuleCase("ChannelShuffle", (3,), {}, (normal(1, 6, 2),)),
    ModuleCase("Unfold", ((2, 3),), {}, (normal(1, 2, 4, 5),)),
    ModuleCase("Unfold", (2, 2, 1, 2), {}, (normal(2, 4, 5),), id="all"),
    ModuleCase("Fold", ((3, 4), 2), {}, (normal(1, 8, 6),)),
    ModuleCase("LocalResponseNorm", (3,), {"alpha": 0.5}, (normal(1, 5, 2, 2),)),
    ModuleCase("LPPool1d", (2, 3), {}, (positive(1, 2, 7),)),
    ModuleCase("LPPool2d", (3, (2, 3), 2, True), {}, (positive(1, 2, 5, 6),)),
    ModuleCase("LPPool3d", (1.5, 2), {}, (positive(2, 2, 4, 3),)),
    ModuleCase("MaxUnpool1d", (2,), {}, (normal(2, 1, 2), FIRST)),
    ModuleCase("MaxUnpool2d", (2, 2, 0), {}, (normal(1, 2, 2, 2), PLANES), call={"output_size": (1, 2, 5, 5)}),
    ModuleCase("MaxUnpool3d", (2,), {}, (normal(2, 1, 1, 2), values([[[[0, 9]]], [[[15, 3]]]]))),
    ModuleCase(
        "FractionalMaxPool2d", (2,), {"output_size": 3, "_random_samples": _samples(2)}, (distinct(2, 2, 6, 5),)
    ),
    ModuleCase(
        "FractionalMaxPool3d", (2, None, (0.5, 0.4, 0.7), True), {"_random_samples": _samples(3)},
        (distinct(2, 2, 5, 5, 6),),
    ),
]  # fmt: skip
