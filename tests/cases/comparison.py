"""Rows of minidl/ops/comparison.py and selection.py."""

import numpy as np

from .case import Case, away, boolean, distinct, integers, normal, values

_CLOSE = (values([1.0, 2.0, np.nan, np.inf]), values([1.0 + 1e-9, 2.1, np.nan, np.inf]))

CASES = [
    *(
        Case(name, (integers(0, 3, 3, 4), integers(0, 3, 4)), function, grad=False)
        for name, function in {
            "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
            "ne": np.not_equal, "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or,
            "bitwise_xor": np.bitwise_xor, "logical_and": np.logical_and, "logical_or": np.logical_or,
            "logical_xor": np.logical_xor,
        }.items()
    ),
    Case("lt", (normal(3, 4), 0.25), np.less, id="number", grad=False),
    Case("eq", (values([1.0, np.nan]), values([1.0, np.nan])), np.equal, id="nan", grad=False),
    Case("isclose", _CLOSE, np.isclose, grad=False),
    Case("isclose", _CLOSE, np.isclose, {"equal_nan": True}, id="equal_nan", grad=False),
    Case("allclose", (normal(3), normal(3)), np.allclose, grad=False),
    Case("equal", (integers(0, 2, 3), integers(0, 2, 3)), np.array_equal, grad=False),
    Case("where", (boolean(3, 4), normal(3, 4), normal(4)), np.where),
    Case("where", (boolean(3, 4), normal(3, 4), 1.5), np.where, id="number"),
    Case("where", (boolean(3, 4),), lambda c: np.where(c), id="condition", grad=False),
    Case("maximum", (distinct(3, 4), values(np.linspace(-1.37, 1.41, 12).reshape(3, 4))), np.maximum, torch="maximum"),
    Case("minimum", (distinct(3, 4), values(np.linspace(-1.37, 1.41, 12).reshape(3, 4))), np.minimum, torch="minimum"),
    Case("clamp", (away(3, 4, points=(-0.5, 0.5)), -0.5, 0.5), np.clip),
    Case("clamp", (away(3, 4, points=(0.25,)),), lambda x, min: np.maximum(x, min), {"min": 0.25}, id="min"),
    Case("clamp", (away(3, 4, points=(-1, 1)), values([-1.0] * 4), values([1.0] * 4)), np.clip, id="tensors"),
]  # fmt: skip
