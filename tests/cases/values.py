"""Rows of minidl/ops/values.py."""

import numpy as np

from .case import Case, away, boolean, integers, normal, values

NAN, INF = float("nan"), float("inf")
SPECIAL = values([1.0, NAN, INF, -INF])
CASES = [
    Case("sgn", (away(2, 3),), np.sign, torch="sign"),
    Case("frac", (away(2, 3, points=(-2, -1, 0, 1, 2)),), lambda x: x - np.trunc(x)),
    Case("signbit", (values([1.0, -1.0, -0.0]),), np.signbit, grad=False),
    Case("signbit", (integers(-3, 3, 4),), np.signbit, id="int", grad=False),
    Case("sinc", (away(2, 3),), np.sinc),
    Case("sinc", (values([0.0, 0.5]),), np.sinc, id="zero", grad=False),
    Case("deg2rad", (normal(2, 3),), np.deg2rad),
    Case("rad2deg", (normal(2, 3),), np.rad2deg),
    Case("nan_to_num", (normal(2, 3),), np.nan_to_num),
    Case(
        "nan_to_num",
        (SPECIAL, 0.5, 7.0, -7.0),
        lambda x, *_: np.array([1, 0.5, 7, -7]),
        id="special",
        grad=False,
    ),
    Case("isposinf", (SPECIAL,), np.isposinf, grad=False),
    Case("isneginf", (SPECIAL,), np.isneginf, grad=False),
    Case("isreal", (normal(2, 3),), np.isreal, grad=False),
    Case("isin", (integers(0, 9, 2, 3), integers(0, 9, 4)), np.isin, grad=False),
    Case(
        "isin", (integers(0, 9, 6), 3), lambda x, y, invert: x != y, {"invert": True}, id="invert", grad=False
    ),
    Case("frexp", (away(2, 3),), np.frexp, grad2=False),
    Case("logit", (values([0.2, 0.5, 0.7]),), lambda x: np.log(x / (1 - x))),
    Case(
        "logit",
        (values([0.001, 0.5, 0.7]), 0.1),
        lambda x, e: np.log(x.clip(e, 1 - e) / (1 - x.clip(e, 1 - e))),
        id="eps",
    ),
    Case("angle", (away(2, 3),), lambda x: np.where(x < 0, np.pi, 0.0)),
    *(
        Case(name, (normal(2, 3),), np.copy)
        for name in ("conj", "resolve_conj", "resolve_neg", "real", "conj_physical")
    ),
    *(Case(name, (normal(2, 3),), lambda x: False, grad=False) for name in ("is_conj", "is_neg")),
    Case("is_nonzero", (values([2.0]),), lambda x: True, grad=False),
    Case("is_signed", (boolean(2),), lambda x: False, grad=False),
    Case("is_same_size", (normal(2, 3), normal(3, 2)), lambda x, y: False, grad=False),
]
