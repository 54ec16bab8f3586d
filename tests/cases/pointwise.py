"""Rows of minidl/ops/pointwise.py: a name, its domain, NumPy's function."""

import math

import numpy as np

from .case import Case, away, boolean, integers, normal, positive, unit, values

_erf = np.vectorize(math.erf, otypes=[float])
_whole = np.arange(-4, 5)

CASES = [
    Case("abs", (away(3, 4),), np.abs),
    Case("square", (normal(3, 4),), np.square),
    Case("sign", (away(3, 4),), np.sign),
    Case("floor", (away(3, 4, points=tuple(_whole)),), np.floor),
    Case("ceil", (away(3, 4, points=tuple(_whole)),), np.ceil),
    Case("trunc", (away(3, 4, points=tuple(_whole)),), np.trunc),
    Case("round", (away(3, 4, points=tuple(_whole + 0.5)),), np.round),
    Case("round", (values([1.234, -5.678]),), lambda x, decimals: np.round(x, decimals), {"decimals": 1}, id="decimals"),
    Case("exp", (normal(3, 4),), np.exp),
    Case("exp2", (normal(3, 4),), np.exp2),
    Case("expm1", (normal(3, 4),), np.expm1),
    Case("log", (positive(3, 4),), np.log),
    Case("log2", (positive(3, 4),), np.log2),
    Case("log10", (positive(3, 4),), np.log10),
    Case("log1p", (positive(3, 4),), np.log1p),
    Case("sqrt", (positive(3, 4),), np.sqrt),
    Case("rsqrt", (positive(3, 4),), lambda x: 1 / np.sqrt(x)),
    Case("reciprocal", (away(3, 4),), lambda x: 1 / x),
    Case("sin", (normal(3, 4),), np.sin),
    Case("cos", (normal(3, 4),), np.cos),
    Case("tan", (unit(3, 4),), np.tan),
    Case("asin", (unit(3, 4),), np.arcsin),
    Case("acos", (unit(3, 4),), np.arccos),
    Case("atan", (normal(3, 4),), np.arctan),
    Case("sinh", (normal(3, 4),), np.sinh),
    Case("cosh", (normal(3, 4),), np.cosh),
    Case("asinh", (normal(3, 4),), np.arcsinh),
    Case("acosh", (values([1.5, 2.0, 3.7]),), np.arccosh),
    Case("atanh", (unit(3, 4),), np.arctanh),
    Case("erf", (normal(3, 4),), _erf),
    Case("tanh", (normal(3, 4),), np.tanh),
    Case("tanh", (integers(-3, 3, 4),), np.tanh, id="integers", grad=False),
    Case("sigmoid", (normal(3, 4),), lambda x: 1 / (1 + np.exp(-x))),
    Case("relu", (away(3, 4),), lambda x: np.maximum(x, 0)),
    Case("isnan", (values([1.0, np.nan, np.inf]),), np.isnan, grad=False),
    Case("isinf", (values([1.0, np.nan, -np.inf]),), np.isinf, grad=False),
    Case("isfinite", (values([1.0, np.nan, np.inf]),), np.isfinite, grad=False),
    Case("isfinite", (integers(0, 3, 2),), np.isfinite, id="integers", grad=False),
    Case("logical_not", (boolean(4),), np.logical_not, grad=False),
    Case("bitwise_not", (integers(-5, 5, 4),), np.invert, grad=False),
]
