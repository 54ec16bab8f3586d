"""Rows of reductions of segments and of histograms of several dimensions."""

import numpy as np

from .case import Case, constant, distinct, normal, positive, values

LENGTHS = values([2, 0, 3])
REDUCE = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod}


def segments(x, reduce, lengths, initial=None):
    parts = np.split(x, np.cumsum(lengths)[:-1])
    if initial is not None:
        start = np.full((1, *x.shape[1:]), float(initial))
        total = [np.concatenate([start, p]) for p in parts]
        return np.stack([REDUCE[reduce](p, 0) for p in total])
    return np.stack([REDUCE[reduce](p, 0) for p in parts])


def grid(x, bins, **kwargs):
    hist, edges = np.histogramdd(x, bins, **kwargs)
    return hist, *edges


CASES = [
    *(
        Case(
            "segment_reduce", (distinct(5, 2), name), kwargs={"lengths": LENGTHS, "initial": initial},
            id=name, layouts=False,
            numpy=lambda x, reduce, lengths, initial: segments(x, reduce, lengths, initial),
        )
        for name, initial in (("sum", 1), ("max", -9), ("min", 9), ("prod", 2))
    ),
    Case(
        "segment_reduce", (normal(5, 2), "mean"), kwargs={"lengths": values([2, 3])}, id="mean", layouts=False,
        numpy=lambda x, reduce, lengths: segments(x, reduce, lengths),
    ),
    Case(
        "segment_reduce", (normal(5), "sum"), kwargs={"offsets": values([0, 2, 5])}, id="offsets", layouts=False,
        numpy=lambda x, reduce, offsets: segments(x, reduce, np.diff(offsets)),
    ),
    Case(
        "segment_reduce", (normal(2, 3), "sum"), kwargs={"lengths": values([[1, 2], [3, 0]]), "axis": 1},
        id="axis", layouts=False,
        numpy=lambda x, reduce, lengths, axis: np.stack(
            [segments(row, reduce, n) for row, n in zip(x, lengths, strict=True)]
        ),
    ),
    Case(
        "histogramdd", (constant(normal(20, 2)), [3, 4]), grad=False, torch=False,
        numpy=grid,
    ),
    Case(
        "histogramdd", (constant(normal(20, 2)), 3), kwargs={"weight": constant(positive(20)), "density": True},
        id="density", grad=False, torch=False,
        numpy=lambda x, bins, weight, density: grid(x, bins, weights=weight, density=density),
    ),
]  # fmt: skip
