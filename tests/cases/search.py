"""Rows of minidl/ops/search.py and statistics.py."""

import numpy as np

from .case import Case, constant, distinct, integers, normal, positive, values

NAN = float("nan")
SORTED = values([[1.0, 3.0, 5.0, 7.0], [0.0, 2.0, 2.0, 4.0]])
PLAIN = {"grad": False}


def rows_searched(rows, x, right=False):
    return np.array(
        [np.searchsorted(r, v, "right" if right else "left") for r, v in zip(rows, x, strict=True)]
    )


def kth(x, k, dim=-1):
    order = np.argsort(x, dim, kind="stable")
    return np.take(np.sort(x, dim), k - 1, dim), np.take(order, k - 1, dim)


def middle(x, dim):
    return kth(x, (x.shape[dim] - 1) // 2 + 1, dim)


def unique(x, dim):
    return np.unique(x, axis=dim)


def runs(x):
    return x[np.concatenate([[True], x[1:] != x[:-1]])]


def renormed(x, p, dim, maxnorm):
    size = np.linalg.norm(x, p, 1, keepdims=True)
    return x * np.where(size > maxnorm, maxnorm / (size + 1e-7), 1)


CASES = [
    Case("searchsorted", (SORTED, constant(normal(2, 3))), rows_searched, **PLAIN),
    Case(
        "searchsorted",
        (SORTED, values([[3.0, 7.0], [2.0, -1.0]])),
        rows_searched,
        {"right": True},
        id="right",
        **PLAIN,
    ),
    Case("searchsorted", (values([1, 3, 5]), integers(0, 7, 2, 3)), np.searchsorted, id="vector", **PLAIN),
    Case("bucketize", (integers(0, 9, 2, 3), values([1, 3, 5])), lambda x, b: np.searchsorted(b, x), **PLAIN),
    Case("bincount", (integers(0, 5, 9),), np.bincount, **PLAIN),
    Case("bincount", (integers(0, 5, 9), normal(9), 8), np.bincount, id="weights", backends=False, **PLAIN),
    Case("histc", (normal(20), 5, -2, 2), lambda x, n, a, b: np.histogram(x, n, (a, b))[0], **PLAIN),
    Case("histc", (normal(20), 5), lambda x, n: np.histogram(x, n)[0], id="range", **PLAIN),
    Case("histogram", (normal(20), 5), np.histogram, **PLAIN),
    Case(
        "histogram",
        (normal(9), values([-1.0, 0.0, 2.0])),
        lambda x, b, weight, density: np.histogram(x, b, None, density, weight),
        {"weight": positive(9), "density": True},
        id="weights",
        **PLAIN,
    ),
    Case("unique", (integers(0, 3, 6, 2),), unique, {"dim": 0}, id="dim", **PLAIN),
    Case("unique_consecutive", (integers(0, 2, 9),), runs, **PLAIN),
    Case(
        "unique_consecutive",
        (values([[1, 1], [1, 1], [2, 1]]),),
        lambda x, dim: x[[0, 2]],
        {"dim": 0},
        id="dim",
        **PLAIN,
    ),
    Case("msort", (distinct(4, 3),), lambda x: np.sort(x, 0)),
    Case("kthvalue", (distinct(3, 4), 2, 0), kth),
    Case(
        "kthvalue",
        (distinct(3, 4), 2, 1, True),
        lambda x, k, d, _: tuple(a[:, None] for a in kth(x, k, d)),
        id="keepdim",
    ),
    Case("median", (distinct(3, 4),), lambda x: np.sort(x.ravel())[5]),
    Case("median", (distinct(3, 4), 1), middle, id="dim"),
    Case("median", (values([1.0, NAN, 2.0]), 0), lambda x, d: (NAN, 1), id="nan", **PLAIN),
    Case("nanmedian", (values([1.0, NAN, 2.0]), 0), lambda x, d: (1.0, 0), id="nan", **PLAIN),
    Case("nanmedian", (distinct(3, 4), 1), middle),
    Case("mode", (values([1, 2, 2, 0]),), lambda x: (2, 2), **PLAIN),
    Case("mode", (distinct(3, 4), 1), lambda x, d: kth(x, 1, d), id="dim"),
    Case("quantile", (distinct(3, 4), 0.3), np.quantile),
    Case(
        "quantile",
        (distinct(3, 4), constant(values([0.3, 0.6])), 1, True),
        lambda x, q, d, k: np.quantile(x, q, d, keepdims=k),
        id="several",
    ),
    *(
        Case(
            "quantile",
            (distinct(5), 0.3),
            lambda x, q, interpolation: np.quantile(x, q, method=interpolation),
            {"interpolation": method},
            id=method,
        )
        for method in ("lower", "higher", "midpoint", "nearest")
    ),
    Case("nanquantile", (values([0.0, 1.0, NAN, 3.0]), 0.4), np.nanquantile, **PLAIN),
    Case("nanquantile", (distinct(3, 4), 0.4, 1), np.nanquantile, id="dim"),
    Case("aminmax", (distinct(3, 4),), lambda x, dim: (x.min(dim), x.max(dim)), {"dim": 1}),
    Case("nansum", (values([[1.0, NAN], [2.0, 3.0]]), 0), lambda x, d: np.nansum(x, d), id="nan", **PLAIN),
    Case("nansum", (normal(2, 3),), np.nansum),
    Case("nanmean", (values([[1.0, NAN], [2.0, 3.0]]), 0), lambda x, d: np.nanmean(x, d), id="nan", **PLAIN),
    Case("nanmean", (normal(2, 3), 1), np.nanmean),
    Case("cov", (normal(3, 5),), np.cov),
    Case(
        "cov",
        (normal(3, 4),),
        lambda x, correction, aweights: np.cov(x, ddof=correction, aweights=aweights),
        {"correction": 0, "aweights": constant(positive(4))},
        id="weights",
    ),
    Case("corrcoef", (normal(3, 5),), np.corrcoef),
    Case("dist", (normal(2, 3), normal(2, 3), 3), lambda x, y, p: (np.abs(x - y) ** p).sum() ** (1 / p)),
    Case("renorm", (normal(3, 4), 2, 0, 1.0), renormed),
]
