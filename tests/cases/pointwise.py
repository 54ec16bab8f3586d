"""Rows of functions of one operand."""

import math

import numpy as np

from .case import Case, away, boolean, integers, normal, positive, unit, values

WHOLE = tuple(range(-5, 6))
HALVES = tuple(n + 0.5 for n in range(-5, 5))
erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


SMOOTH = {
    "square": np.square,
    "neg": np.negative,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "sin": np.sin,
    "cos": np.cos,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "erf": erf,
    "sigmoid": sigmoid,
}
POSITIVE = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
}
UNIT = {"asin": np.arcsin, "acos": np.arccos, "atanh": np.arctanh, "tan": np.tan}
STEPS = {"floor": np.floor, "ceil": np.ceil, "trunc": np.trunc}
INTEGER = {"abs": np.abs, "square": np.square, "neg": np.negative, "sign": np.sign, **STEPS}
EXTREMES = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan]


def quiet(function):
    def call(x):
        with np.errstate(all="ignore"):
            return function(x)

    return call


CASES = [
    *(Case(name, (normal(3, 4),), numpy=fn) for name, fn in SMOOTH.items()),
    *(Case(name, (normal(),), numpy=fn, id="0-d") for name, fn in SMOOTH.items()),
    *(Case(name, (positive(3, 4),), numpy=fn) for name, fn in POSITIVE.items()),
    *(Case(name, (unit(3, 4),), numpy=fn) for name, fn in UNIT.items()),
    Case("acosh", (values([[1.2, 1.5, 3.0], [2.0, 9.0, 1.1]]),), numpy=np.arccosh),
    Case("abs", (away(3, 4),), numpy=np.abs),
    Case("positive", (normal(3, 4),), numpy=np.positive),
    Case("sign", (away(3, 4),), numpy=np.sign),
    Case("sign", (values(EXTREMES),), numpy=lambda x: np.nan_to_num(np.sign(x)), id="extremes", grad=False),
    Case("relu", (away(3, 4),), numpy=lambda x: np.maximum(x, 0)),
    *(Case(name, (away(3, 4, points=WHOLE),), numpy=fn) for name, fn in STEPS.items()),
    Case("round", (away(3, 4, points=HALVES),), numpy=np.round),
    Case("round", (values([0.5, 1.5, 2.5, -0.5, -1.5]),), numpy=np.round, id="half-to-even", grad=False),
    Case(
        "round",
        (values([[1.234, -5.678], [0.051, 19.99]]),),
        kwargs={"decimals": 1},
        numpy=lambda x, decimals: np.round(x, decimals),
        id="decimals",
    ),
    *(Case(name, (integers(-9, 10, 2, 3),), numpy=fn, id="int", grad=False) for name, fn in INTEGER.items()),
    *(
        Case(name, (integers(1, 9, 2, 3),), numpy=fn, id="int", grad=False, torch=None)
        for name, fn in {**POSITIVE, "exp": np.exp, "tanh": np.tanh, "sigmoid": sigmoid}.items()
    ),
    Case("sin", (boolean(4),), numpy=lambda x: np.sin(x.astype(float)), id="bool", grad=False),
    *(Case(name, (normal(0, 3),), numpy=fn, id="empty") for name, fn in {**SMOOTH, **POSITIVE}.items()),
    *(
        Case(name, (values(EXTREMES),), numpy=quiet(fn), id="extremes", grad=False)
        for name, fn in {**SMOOTH, **POSITIVE, **UNIT, **STEPS, "abs": np.abs}.items()
        if name not in ("tan", "erf")
    ),
]
