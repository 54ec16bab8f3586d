"""Rows of comparison, logic and bits."""

import numpy as np

from .case import Case, boolean, integers, normal, values

SOME = values([1.0, np.nan, np.inf, -np.inf, 0.0, -2.5])
OTHER = values([1.0, np.nan, np.inf, np.inf, -0.0, 3.0])
ORDER = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}
LOGIC = {"logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor}
BITS = {"bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor}


def isclose(input, other, rtol=1e-5, atol=1e-8, equal_nan=False):
    return np.isclose(input, other, rtol, atol, equal_nan)


CASES = [
    *(Case(n, (integers(0, 3, 3, 4), integers(0, 3, 4)), numpy=f, grad=False) for n, f in ORDER.items()),
    *(Case(n, (normal(3, 1), normal(4)), numpy=f, id="float", grad=False) for n, f in ORDER.items()),
    *(Case(n, (SOME, OTHER), numpy=f, id="extremes", grad=False) for n, f in ORDER.items()),
    *(Case(n, (integers(0, 3, 5), 1.5), numpy=f, id="number", grad=False) for n, f in ORDER.items()),
    *(Case(n, (boolean(3, 4), boolean(4)), numpy=f, grad=False) for n, f in LOGIC.items()),
    *(Case(n, (SOME, OTHER), numpy=f, id="float", grad=False) for n, f in LOGIC.items()),
    *(Case(n, (integers(-9, 9, 3, 4), integers(-9, 9, 4)), numpy=f, grad=False) for n, f in BITS.items()),
    *(Case(n, (boolean(3, 4), boolean(4)), numpy=f, id="bool", grad=False) for n, f in BITS.items()),
    Case("logical_not", (SOME,), numpy=np.logical_not, grad=False),
    Case("bitwise_not", (integers(-9, 9, 5),), numpy=np.bitwise_not, grad=False),
    Case("bitwise_not", (boolean(5),), numpy=np.bitwise_not, id="bool", grad=False),
    Case("isnan", (SOME,), numpy=np.isnan, grad=False),
    Case("isinf", (SOME,), numpy=np.isinf, grad=False),
    Case("isfinite", (SOME,), numpy=np.isfinite, grad=False),
    Case("isfinite", (integers(0, 3, 4),), numpy=np.isfinite, id="int", grad=False),
    Case("isclose", (SOME, OTHER), numpy=isclose, grad=False),
    Case("isclose", (SOME, OTHER), kwargs={"equal_nan": True}, numpy=isclose, id="equal-nan", grad=False),
    Case(
        "isclose",
        (normal(4), normal(4)),
        kwargs={"rtol": 0.5, "atol": 0.5},
        numpy=isclose,
        id="loose",
        grad=False,
    ),
    Case("allclose", (normal(4), normal(4)), numpy=np.allclose, grad=False),
    Case(
        "allclose", (values([1.0, 2.0]), values([1.0, 2.0 + 1e-9])), numpy=np.allclose, id="near", grad=False
    ),
    Case("equal", (integers(0, 3, 4), integers(0, 3, 4)), numpy=np.array_equal, grad=False),
    Case("equal", (values([1, 2]), values([1, 2])), numpy=np.array_equal, id="same", grad=False),
]
