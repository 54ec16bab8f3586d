"""Rows of minidl/ops/normalize.py."""

import numpy as np

from .case import Case, away, distinct, normal


def _unit(x, p=2.0, dim=1, eps=1e-12):
    size = (
        np.abs(x).max(dim, keepdims=True)
        if np.isinf(p)
        else (np.abs(x) ** p).sum(dim, keepdims=True) ** (1 / p)
    )
    return x / np.maximum(size, eps)


CASES = [
    Case("normalize", (normal(3, 4),), _unit),
    Case("normalize", (away(2, 3, 2), 1.0, -1), _unit, id="sum"),
    Case("normalize", (distinct(2, 3), float("inf")), _unit, id="largest"),
    Case("normalize", (normal(2, 3, 4), 3.0, (0, 2)), _unit, id="two-dims"),
    Case("normalize", (normal(2, 3),), _unit, {"eps": 5.0}, id="short"),
]
