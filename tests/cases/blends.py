"""Rows of minidl/ops/blends.py."""

import numpy as np

from .case import Case, away, integers, normal, positive, unit, values

NAN = float("nan")
CASES = [
    Case("copysign", (away(2, 3), away(3)), np.copysign),
    Case("copysign", (away(2, 3), -2.0), np.copysign, id="number"),
    Case("copysign", (values([0.0, -0.0, 2.0]), away(3)), np.copysign, id="zero", grad=False),
    Case("hypot", (away(2, 3), away(3)), np.hypot),
    Case("fmax", (values([1.0, 5.0, -1.0]), values([2.0, 3.0, -4.0])), np.fmax),
    Case("fmax", (values([1.0, NAN, NAN]), values([NAN, 3.0, NAN])), np.fmax, id="nan", grad=False),
    Case("fmin", (values([1.0, 5.0, -1.0]), values([2.0, 3.0, -4.0])), np.fmin),
    Case("fmin", (values([1.0, NAN, NAN]), values([NAN, 3.0, NAN])), np.fmin, id="nan", grad=False),
    Case("logaddexp2", (normal(2, 3), normal(3)), np.logaddexp2),
    Case(
        "nextafter",
        (values([1.0, -2.0]), values([2.0, -3.0])),
        lambda x, y: x,
        torch="nextafter",
    ),
    Case("heaviside", (values([-1.0, 0.0, 2.0]), values([0.5])), np.heaviside, grad=False),
    Case(
        "heaviside",
        (values([np.nan, -np.inf, np.inf]), values([0.5])),
        lambda x, v: (x > 0) + 0.0,
        id="nan",
        grad=False,
    ),
    Case("gcd", (integers(-20, 20, 2, 3), integers(-20, 20, 3)), np.gcd, grad=False),
    Case("lcm", (integers(-20, 20, 2, 3), integers(-20, 20, 3)), lambda x, y: abs(np.lcm(x, y)), grad=False),
    Case("bitwise_left_shift", (integers(-9, 9, 4), integers(0, 5, 4)), np.left_shift, grad=False),
    Case("bitwise_left_shift", (integers(1, 9, 2), 64), lambda x, n: x * 0, id="far", grad=False),
    Case("bitwise_right_shift", (integers(-9, 9, 4), integers(0, 5, 4)), np.right_shift, grad=False),
    Case("bitwise_right_shift", (values([-5, 5]), 70), lambda x, n: np.array([-1, 0]), id="far", grad=False),
    Case("xlogy", (away(2, 3), positive(3)), lambda x, y: x * np.log(y)),
    Case(
        "xlogy",
        (values([0.0, 0.0, 2.0]), values([0.0, NAN, 1.0])),
        lambda x, y: y * [0, 1, 0],
        id="zero",
        grad=False,
    ),
    Case("xlogy", (away(3), 2.0), lambda x, y: x * np.log(y), id="number"),
    Case("xlog1py", (away(2, 3), positive(3)), lambda x, y: x * np.log1p(y), torch="special.xlog1py"),
    Case("ldexp", (normal(4), integers(0, 4, 4)), np.ldexp),
    Case("lerp", (normal(2, 3), normal(2, 3), 0.3), lambda a, b, w: a + w * (b - a)),
    Case("lerp", (normal(2, 3), normal(2, 3), unit(3)), lambda a, b, w: a + w * (b - a), id="tensor"),
    Case(
        "addcmul",
        (normal(2, 3), normal(3), normal(2, 1)),
        lambda x, a, b, value: x + value * a * b,
        {"value": 0.5},
    ),
    Case(
        "addcdiv",
        (normal(2, 3), normal(3), away(2, 1)),
        lambda x, a, b, value: x + value * a / b,
        {"value": 2},
    ),
    Case("float_power", (positive(2, 3), 2), np.float_power),
    Case("rsub", (normal(2, 3), normal(3)), lambda x, y: y - x, id="reflected"),
    Case("rsub", (normal(2, 3), normal(3)), lambda x, y, alpha: y - alpha * x, {"alpha": 2}),
    Case("clamp_min", (away(2, 3, points=(0.2,)), 0.2), np.maximum),
    Case("clamp_max", (away(2, 3, points=(0.2,)), 0.2), np.minimum),
]
