"""Rows of extremes and order. Values are distinct where a gradient is checked, so that no difference crosses a tie."""

import numpy as np

from .case import Case, distinct, integers, values


def sort(input, dim=-1, descending=False):
    order = np.argsort(-input if descending else input, axis=dim, kind="stable")
    return np.take_along_axis(input, order, dim), order


def extreme(pick):
    """max or min along a dim, with the index."""

    def call(input, dim, keepdim=False):
        order = pick(input, dim, keepdims=True)
        found = np.take_along_axis(input, order, dim), order
        return found if keepdim else tuple(each.squeeze(dim) for each in found)

    return call


def topk(input, k, dim=-1, largest=True):
    return tuple(np.take(each, range(k), dim) for each in sort(input, dim, largest))


def place(function):
    return lambda input, dim=None, keepdim=False: function(input, dim, keepdims=keepdim)


OTHER = values([0.13, -0.37, 0.93, -1.13])
PAIRS = {"max": (np.max, np.argmax, np.maximum), "min": (np.min, np.argmin, np.minimum)}
CASES = [
    *(Case(name, (distinct(3, 4),), numpy=whole, id="all") for name, (whole, _, _) in PAIRS.items()),
    *(Case(name, (distinct(3, 4), 1), numpy=extreme(pick)) for name, (_, pick, _) in PAIRS.items()),
    *(
        Case(name, (distinct(3, 4), 0, True), numpy=extreme(pick), id="keepdim")
        for name, (_, pick, _) in PAIRS.items()
    ),
    *(Case(name, (distinct(3, 4), OTHER), numpy=pair, id="two") for name, (_, _, pair) in PAIRS.items()),
    *(
        Case(
            name,
            (values([[1.0, np.nan, 3.0], [4.0, 2.0, 0.0]]), 1),
            numpy=extreme(pick),
            id="nan",
            grad=False,
        )
        for name, (_, pick, _) in PAIRS.items()
    ),
    *(
        Case(name, (integers(-9, 9, 12),), numpy=whole, id="int", grad=False)
        for name, (whole, _, _) in PAIRS.items()
    ),
    *(
        case
        for name, function in {"argmax": np.argmax, "argmin": np.argmin}.items()
        for case in (
            Case(name, (distinct(3, 4), 1), numpy=place(function), grad=False),
            Case(name, (distinct(3, 4),), numpy=place(function), id="all", grad=False),
            Case(name, (distinct(3, 4), 0, True), numpy=place(function), id="keepdim", grad=False),
            Case(name, (values([1, 3, 3, 0, 0]), 0), numpy=place(function), id="ties", grad=False),
        )
    ),
    Case("sort", (distinct(3, 4),), numpy=sort),
    Case("sort", (distinct(3, 4), 0, True), numpy=sort, id="descending"),
    Case(
        "sort",
        (values([2, 1, 2, 0, 1]),),
        kwargs={"stable": True},
        numpy=lambda x, stable: sort(x),
        id="ties",
        torch=lambda torch, x, stable: torch.sort(x, stable=stable),
        grad=False,
    ),
    Case("argsort", (distinct(3, 4), 1), numpy=lambda x, dim: np.argsort(x, dim), grad=False),
    Case("topk", (distinct(3, 4), 2), numpy=topk),
    Case("topk", (distinct(3, 4), 1, 0, False), numpy=topk, id="smallest"),
    Case("unique", (integers(0, 4, 3, 4),), numpy=np.unique, grad=False),
    Case(
        "unique",
        (integers(0, 4, 6), True, True, True),
        numpy=lambda x, *_: np.unique(x, return_inverse=True, return_counts=True),
        id="counts",
        grad=False,
    ),
]
