"""Rows of minidl/ops/scans.py."""

import numpy as np

from .case import Case, away, distinct, integers, normal, positive, values


def running(pick, ahead):
    def call(x, dim):
        moved = np.moveaxis(x, dim, -1)
        out = pick.accumulate(moved, -1)
        at = np.zeros(out.shape, int)
        for i in range(1, out.shape[-1]):
            at[..., i] = np.where(ahead(moved[..., i], out[..., i - 1]), i, at[..., i - 1])
        return np.moveaxis(out, -1, dim), np.moveaxis(at, -1, dim)

    return call


def trapezoids(y, x=None, dx=1.0, dim=-1):
    return np.trapezoid(y, x, dx, dim)


def cumulative(y, x=None, dx=1.0, dim=-1):
    y = np.moveaxis(y, dim, -1)
    steps = dx if x is None else np.diff(x)
    return np.moveaxis(np.cumsum((y[..., 1:] + y[..., :-1]) * steps / 2, -1), -1, dim)


RUNNING = {"cummax": running(np.maximum, np.greater_equal), "cummin": running(np.minimum, np.less_equal)}
CASES = [
    Case("cumprod", (away(3, 4), 1), np.cumprod),
    Case(
        "cumprod",
        (values([[1.5, 0.0, 2.0, 3.0], [2.0, 1.0, 0.5, 0.0]]), -1),
        np.cumprod,
        id="zeros",
        grad2=False,
    ),
    Case("cumprod", (integers(1, 5, 4), 0), np.cumprod, id="int", grad=False),
    *(Case(name, (distinct(3, 4), 1), numpy) for name, numpy in RUNNING.items()),
    *(
        Case(name, (values([1, 3, 3, 0, 0]), 0), numpy, id="ties", grad=False)
        for name, numpy in RUNNING.items()
    ),
    Case("logcumsumexp", (normal(3, 4), 1), lambda x, dim: np.logaddexp.accumulate(x, dim)),
    Case("diff", (normal(3, 4),), np.diff),
    Case("diff", (normal(3, 4), 2, 0), np.diff, id="twice"),
    Case(
        "diff",
        (normal(3, 4), 1, 1, normal(3, 1), normal(3, 2)),
        lambda x, n, dim, a, b: np.diff(x, n, dim, a, b),
        id="joined",
    ),
    Case("trapezoid", (normal(3, 4),), trapezoids),
    Case("trapezoid", (normal(3, 4), normal(4)), trapezoids, id="x"),
    Case("trapezoid", (normal(3, 4),), trapezoids, {"dx": 0.5, "dim": 0}, id="dx"),
    Case("cumulative_trapezoid", (normal(3, 4),), cumulative, {"dim": 0}),
    Case("cumulative_trapezoid", (normal(3, 4), normal(4)), cumulative, id="x"),
    Case("gradient", (normal(4, 5),), lambda x: tuple(np.gradient(x))),
    Case(
        "gradient",
        (normal(5),),
        lambda x, spacing, edge_order: (np.gradient(x, spacing[0], edge_order=edge_order),),
        {"spacing": (values([0.0, 0.5, 1.5, 2.0, 4.0]),), "edge_order": 2},
        id="spacing",
        grad2=False,
    ),
    Case("diff", (positive(2, 3),), np.diff, id="positive"),
    Case(
        "_picked",
        (normal(3, 4), integers(0, 4, 3, 4), 1),
        np.take_along_axis,
        torch=lambda torch, x, i, dim: x.gather(dim, i),
    ),
]
