"""Rows of minidl/ops/arithmetic.py and powers.py."""

import numpy as np

from .case import Case, away, integers, normal, positive, values

CASES = [
    Case("add", (normal(3, 4), normal(4)), np.add),
    Case("add", (normal(3, 4), 2.5), np.add, id="number"),
    Case("add", (normal(3, 1), normal(1, 4)), lambda x, y, alpha: x + alpha * y, {"alpha": 2}, id="alpha"),
    Case("add", (integers(-5, 5, 3), 2), np.add, id="integers", grad=False),
    Case("sub", (normal(3, 4), normal(3, 1)), np.subtract),
    Case("sub", (normal(2, 2), normal(2)), lambda x, y, alpha: x - alpha * y, {"alpha": 0.5}, id="alpha"),
    Case("mul", (normal(3, 4), normal(4)), np.multiply),
    Case("mul", (normal(3, 4), -1.5), np.multiply, id="number"),
    Case("div", (normal(3, 4), away(4)), np.divide),
    Case("div", (integers(-9, 9, 4), 2), np.divide, id="integers", grad=False),
    Case("div", (normal(5), 0.7), lambda x, y, rounding_mode: np.trunc(x / y), {"rounding_mode": "trunc"}, id="trunc"),
    Case("div", (normal(5), 0.7), lambda x, y, rounding_mode: np.floor(x / y), {"rounding_mode": "floor"}, id="floor"),
    Case("neg", (normal(2, 3),), np.negative),
    Case("floor_divide", (values([7.3, -7.3, 2.2]), values([2.0, 2.0, -0.7])), np.floor_divide),
    Case("remainder", (values([7.3, -7.3, 2.2]), values([2.0, 2.1, -0.7])), np.remainder),
    Case("fmod", (values([7.3, -7.3, 2.2]), values([2.0, 2.1, -0.7])), np.fmod),
    Case("pow", (positive(3, 4), normal(4)), np.power),
    Case("pow", (normal(3, 4), 3), np.power, id="cube"),
    Case("pow", (normal(4), 2), np.power, id="square"),
    Case("pow", (positive(4), 0.5), np.power, id="root"),
    Case("pow", (values([0.0, 1.0, 2.0]), values([2.0, 0.0, 3.0])), np.power, id="zero", torch=False, grad=False),
    Case("atan2", (away(3, 4), away(4)), np.arctan2),
]
