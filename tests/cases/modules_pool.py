"""Pooling layers."""

from .case import distinct, normal
from .modules import ModuleCase

SIZES = {1: (2, 2, 8), 2: (2, 2, 6, 7), 3: (2, 1, 4, 5, 4)}


def _max(rank, *args, id, **kwargs):
    return ModuleCase(f"MaxPool{rank}d", args, kwargs, (distinct(*SIZES[rank]),), id=id)


def _mean(rank, *args, id, **kwargs):
    return ModuleCase(f"AvgPool{rank}d", args, kwargs, (normal(*SIZES[rank]),), id=id)


def _bins(kind, rank, output_size, id="plain", **kwargs):
    spec = distinct if kind == "Max" else normal
    name = f"Adaptive{kind}Pool{rank}d"
    return ModuleCase(name, (output_size,), kwargs, (spec(*SIZES[rank]),), id=id)


MODULE_CASES = [
    _max(1, 2, id="plain"),
    _max(1, 3, 2, id="all", padding=1, dilation=2, ceil_mode=True),
    _max(2, 2, id="plain"),
    _max(2, (3, 2), (2, 1), id="all", padding=(1, 0), dilation=(1, 2), ceil_mode=True),
    _max(2, 2, id="indices", return_indices=True),
    _max(3, 2, id="plain"),
    _mean(1, 2, id="plain"),
    _mean(1, 3, 2, id="all", padding=1, ceil_mode=True, count_include_pad=False),
    _mean(2, 2, id="plain"),
    _mean(2, (3, 2), id="all", stride=(2, 1), padding=(1, 0), ceil_mode=True, divisor_override=5),
    _mean(3, 2, id="plain"),
    _bins("Avg", 1, 3),
    _bins("Avg", 2, (None, 3)),
    _bins("Avg", 3, 2),
    _bins("Max", 1, 3),
    _bins("Max", 2, (4, 3)),
    _bins("Max", 2, 2, id="indices", return_indices=True),
    _bins("Max", 3, (2, None, 1)),
]
