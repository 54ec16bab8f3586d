"""Rows of minidl/ops/reductions.py and ordering.py."""

import numpy as np

from .case import Case, boolean, distinct, integers, normal, positive, values


def _sorted(x, dim=-1, descending=False):
    order = np.argsort(-x if descending else x, axis=dim, kind="stable")
    return np.take_along_axis(x, order, dim), order


def _max(x, dim, keepdim=False):
    order = x.argmax(dim, keepdims=True)
    found = np.take_along_axis(x, order, dim), order
    return found if keepdim else tuple(f.squeeze(dim) for f in found)


_ZEROS = values([[0.0, 2.0, 3.0], [0.0, 0.0, 1.5]])

CASES = [
    Case("sum", (normal(2, 3, 4),), np.sum),
    Case("sum", (normal(2, 3, 4), (0, 2)), np.sum, id="dims"),
    Case("sum", (normal(2, 3), -1, True), lambda x, dim, keepdim: x.sum(dim, keepdims=True), id="keepdim"),
    Case("sum", (boolean(2, 3), 0), np.sum, id="bool", grad=False),
    Case("mean", (normal(2, 3, 4), 1), np.mean),
    Case("mean", (normal(2, 3),), np.mean, id="all"),
    Case("prod", (normal(2, 3), 1), np.prod),
    Case("prod", (normal(2, 3),), np.prod, id="all"),
    Case("prod", (_ZEROS, 1), np.prod, id="zeros"),
    Case("cumsum", (normal(2, 3), 1), np.cumsum),
    Case("amax", (distinct(2, 3, 4), (0, 2)), np.max),
    Case("amin", (distinct(2, 3), 1, True), lambda x, dim, keepdim: x.min(dim, keepdims=True)),
    Case("all", (boolean(3, 4), 1), np.all, grad=False),
    Case("any", (boolean(3, 4), 0), np.any, grad=False),
    Case("count_nonzero", (integers(0, 2, 3, 4), 1), np.count_nonzero, grad=False),
    Case("var", (normal(2, 5), 1), lambda x, dim: x.var(dim, ddof=1)),
    Case("var", (normal(2, 5),), lambda x, correction: x.var(), {"correction": 0}, id="all"),
    Case("std", (normal(2, 5), 1), lambda x, dim: x.std(dim, ddof=1)),
    Case("var_mean", (normal(2, 5), 1), lambda x, dim: (x.var(dim, ddof=1), x.mean(dim))),
    Case("std_mean", (normal(2, 5), 1), lambda x, dim: (x.std(dim, ddof=1), x.mean(dim))),
    Case("norm", (normal(2, 5),), np.linalg.norm),
    Case("norm", (normal(2, 5), 3, 1), lambda x, p, dim: (np.abs(x) ** p).sum(dim) ** (1 / p), id="three"),
    Case("norm", (distinct(2, 5), float("inf"), 1), lambda x, p, dim: np.abs(x).max(dim), id="inf"),
    Case("max", (distinct(3, 4), 1), _max),
    Case("max", (distinct(3, 4),), np.max, id="all"),
    Case("max", (distinct(3, 4), 0, True), _max, id="keepdim"),
    Case("min", (distinct(3, 4), 1), lambda x, dim: tuple(s * f for s, f in zip((-1, 1), _max(-x, dim), strict=True))),
    Case("min", (distinct(3, 4),), np.min, id="all"),
    Case("argmax", (distinct(3, 4), 1), np.argmax, grad=False),
    Case("argmin", (distinct(3, 4),), np.argmin, grad=False),
    Case("sort", (distinct(3, 4),), _sorted),
    Case("sort", (distinct(3, 4), 0, True), _sorted, id="descending"),
    Case("argsort", (distinct(3, 4), 1), np.argsort, grad=False),
    Case("topk", (distinct(3, 4), 2), lambda x, k: tuple(f[:, :k] for f in _sorted(x, 1, True))),
    Case("topk", (distinct(3, 4), 1, 0, False), lambda x, k, dim, largest: tuple(f[:k] for f in _sorted(x, 0)), id="smallest"),
    Case("unique", (integers(0, 4, 3, 4),), np.unique, grad=False),
    Case(
        "unique", (integers(0, 4, 6), True, True, True), lambda x, *_: np.unique(x, return_inverse=True, return_counts=True),
        id="counts", grad=False,
    ),
    Case("sum", (positive(3), ), lambda x, dtype: x.sum(), {"dtype": None}, id="dtype"),
]  # fmt: skip
