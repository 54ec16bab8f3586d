"""Rows of minidl/ops/interpolate.py and minidl/ops/resample.py."""

import naive_spatial
import numpy as np

from minidl.ops import resample

from .case import Case, normal

SHAPES = {1: (2, 2, 5), 2: (1, 2, 4, 5), 3: (1, 2, 3, 2, 4)}


def _row(rank, mode, id, torch=None, **kwargs):
    inputs, kwargs = (normal(*SHAPES[rank]),), {**kwargs, "mode": mode}
    return Case("interpolate", inputs, naive_spatial.interpolate, kwargs, torch, id=f"{mode}-{rank}d-{id}")


def _old(name, **same):
    def call(input, *args):
        return naive_spatial.interpolate(input, *args, **same)

    return Case(name, (normal(*SHAPES[2]), 3), call)


def _by_hand(input, dim, taps):
    matrix = np.zeros((taps.size, taps.inputs))
    for index, weight, where in taps.parts:
        for j, (i, n) in enumerate(
            zip(
                np.arange(taps.size) if where is None else np.arange(taps.size)[where],
                np.arange(taps.inputs)[index],
                strict=True,
            )
        ):
            matrix[i, n] += 1 if weight is None else weight[j]
    return np.moveaxis(np.tensordot(matrix, input, (1, dim)), 0, dim)


RAGGED = resample.filtered(5, 2, False, None, "bilinear")

CASES = [
    *(_row(rank, mode, "up", size=6) for rank in SHAPES for mode in ("nearest", "nearest-exact", "area")),
    *(_row(rank, mode, "down", scale_factor=0.7) for rank in SHAPES for mode in ("nearest", "nearest-exact")),
    *(_row(rank, mode, "up", scale_factor=1.9) for rank, mode in ((1, "linear"), (3, "trilinear"))),
    *(_row(rank, mode, "down", size=2) for rank, mode in ((1, "linear"), (3, "trilinear"))),
    *(
        _row(2, mode, f"{id}-{corners}", align_corners=corners, **to)
        for mode in ("bilinear", "bicubic")
        for corners in (False, True)
        for id, to in {"up": {"size": (7, 8)}, "down": {"scale_factor": (0.8, 1.3)}}.items()
    ),
    _row(2, "bilinear", "recomputed", scale_factor=1.7, recompute_scale_factor=True),
    _row(2, "bicubic", "kept", scale_factor=1.1, torch=False),  # PyTorch's gradient is not its forward's
    _row(2, "nearest", "same", size=SHAPES[2][2:]),
    _old("upsample"),
    _old("upsample_nearest"),
    _old("upsample_bilinear", mode="bilinear", align_corners=True),
    Case("resample", (normal(2, 5, 3), 1, resample.cubic(5, 3, False, None, np.float64)), _by_hand, torch=False),
    Case("resample", (normal(2, 2), 1, resample.nearest(3, 2).transposed), _by_hand, torch=False, id="gaps"),
    Case("resample", (normal(5), 0, RAGGED), _by_hand, torch=False, id="ragged"),
]  # fmt: skip
