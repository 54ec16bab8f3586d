"""Rows of choices between operands."""

import numpy as np

from .case import Case, away, boolean, integers, normal, values


def clamp(input, min=None, max=None):
    return np.clip(input, min, max)


CASES = [
    Case("maximum", (normal(3, 4), normal(4)), numpy=np.maximum),
    Case("minimum", (normal(3, 4), normal(4)), numpy=np.minimum),
    Case("maximum", (integers(-5, 5, 4), integers(-5, 5, 4)), numpy=np.maximum, id="int", grad=False),
    *(
        Case(name, (values([1.0, np.nan, 2.0]), values([np.nan, 0.0, 3.0])), numpy=fn, id="nan", grad=False)
        for name, fn in {"maximum": np.maximum, "minimum": np.minimum}.items()
    ),
    Case("where", (boolean(3, 4), normal(3, 4), normal(4)), numpy=np.where),
    Case("where", (boolean(3, 1), normal(3, 4), 0.5), numpy=np.where, id="number"),
    Case("where", (boolean(4), normal(), normal(3, 1)), numpy=np.where, id="broadcast-all"),
    Case("where", (boolean(4), 1, 2.5), numpy=np.where, id="two-numbers", grad=False),
    Case("where", (boolean(3, 4),), numpy=np.nonzero, id="condition", grad=False),
    Case("clamp", (away(3, 4, points=(-0.5, 0.5)), -0.5, 0.5), numpy=clamp),
    Case("clamp", (away(3, 4, points=(0.2,)),), kwargs={"min": 0.2}, numpy=clamp, id="min"),
    Case("clamp", (away(3, 4, points=(0.2,)),), kwargs={"max": 0.2}, numpy=clamp, id="max"),
    Case("clamp", (away(3, 4, points=(0.2,)), values(0.2), None), numpy=clamp, id="tensor-min"),
    Case(
        "clamp",
        (normal(3, 4), normal(4), normal(3, 1)),
        numpy=lambda x, a, b: np.minimum(np.maximum(x, a), b),
        id="tensors",
    ),
    Case("clamp", (integers(-9, 9, 6), -3, 4), numpy=clamp, id="int", grad=False),
    Case("clamp", (values([np.nan, 5.0]), 0, 1), numpy=clamp, id="nan", grad=False),
]
