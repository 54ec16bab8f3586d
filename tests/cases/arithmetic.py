"""Rows of arithmetic on two operands."""

import numpy as np

from .case import Case, away, boolean, integers, normal, positive, values

SIGNED = values([[-7.5, 7.5, -0.3, 5.0], [6.2, -6.2, 8.1, -5.5]])
DIVISORS = values([[2.0, -2.0, 0.7, 3.1], [-4.0, 4.0, -0.8, 2.6]])


def quotient(input, other, rounding_mode=None):
    exact = input / other
    return {None: exact, "floor": np.floor(exact), "trunc": np.trunc(exact)}[rounding_mode]


def power(input, other):
    with np.errstate(all="ignore"):
        return np.power(np.asarray(input, float), other)


CASES = [
    Case("add", (normal(3, 4), normal(3, 4)), numpy=np.add),
    Case("add", (normal(3, 1), normal(4)), numpy=np.add, id="broadcast"),
    Case("add", (normal(), normal(2, 3)), numpy=np.add, id="0-d"),
    Case("add", (normal(2, 3), 2.5), numpy=np.add, id="number"),
    Case(
        "add",
        (normal(2, 3), normal(3)),
        kwargs={"alpha": -2},
        numpy=lambda a, b, alpha: a + alpha * b,
        id="alpha",
    ),
    Case("add", (integers(-5, 5, 3), integers(-5, 5, 2, 1)), numpy=np.add, id="int", grad=False),
    Case("add", (integers(-5, 5, 3), normal(3)), numpy=np.add, id="mixed"),
    Case("add", (integers(-5, 5, 3), 1.5), numpy=np.add, id="int-and-float", grad=False),
    Case("add", (boolean(3), 2), numpy=np.add, id="bool-and-int", grad=False),
    Case("add", (normal(0, 3), normal(3)), numpy=np.add, id="empty"),
    Case("sub", (normal(3, 4), normal(4)), numpy=np.subtract),
    Case("sub", (normal(3), 1.5), kwargs={"alpha": 3}, numpy=lambda a, b, alpha: a - alpha * b, id="alpha"),
    Case("sub", (integers(-5, 5, 3), integers(-5, 5, 3)), numpy=np.subtract, id="int", grad=False),
    Case("mul", (normal(3, 4), normal(4)), numpy=np.multiply),
    Case("mul", (normal(2, 1, 3), normal(4, 1)), numpy=np.multiply, id="broadcast-both"),
    Case("mul", (normal(2, 3), -1.5), numpy=np.multiply, id="number"),
    Case("mul", (integers(-5, 5, 3), normal(2, 3)), numpy=np.multiply, id="mixed"),
    Case("mul", (boolean(2, 3), boolean(3)), numpy=np.multiply, id="bool", grad=False),
    Case("div", (normal(3, 4), away(4)), numpy=quotient),
    Case("div", (integers(-9, 9, 3), integers(1, 5, 3)), numpy=quotient, id="int", grad=False),
    Case("div", (normal(3), 4), numpy=quotient, id="number"),
    *(
        Case("div", (SIGNED, DIVISORS), kwargs={"rounding_mode": mode}, numpy=quotient, id=mode, grad=False)
        for mode in ("floor", "trunc")
    ),
    *(
        Case(
            "div",
            (integers(-9, 9, 8), integers(1, 5, 8)),
            kwargs={"rounding_mode": mode},
            numpy=quotient,
            id=f"{mode}-int",
            grad=False,
        )
        for mode in ("floor", "trunc")
    ),
    Case(
        "div",
        (values([2**62 + 1, -(2**62) - 1]), 3),
        kwargs={"rounding_mode": "trunc"},
        numpy=lambda a, b, rounding_mode: np.sign(a) * (np.abs(a) // b),
        id="trunc-beyond-doubles",
        grad=False,
    ),
    Case("floor_divide", (SIGNED, DIVISORS), numpy=np.floor_divide, grad=False),
    Case("floor_divide", (SIGNED, DIVISORS), numpy=np.floor_divide, id="gradient", torch=False),
    Case(
        "floor_divide", (integers(-9, 9, 8), integers(1, 5, 8)), numpy=np.floor_divide, id="int", grad=False
    ),
    Case("remainder", (SIGNED, DIVISORS), numpy=np.remainder),
    Case("remainder", (SIGNED, 1.7), numpy=np.remainder, id="number"),
    Case("remainder", (integers(-9, 9, 8), integers(1, 5, 8)), numpy=np.remainder, id="int", grad=False),
    Case("fmod", (SIGNED, DIVISORS), numpy=np.fmod),
    Case("fmod", (integers(-9, 9, 8), integers(1, 5, 8)), numpy=np.fmod, id="int", grad=False),
    Case("pow", (positive(3, 4), normal(4)), numpy=power),
    Case("pow", (normal(3, 4), 2), numpy=power, id="square"),
    Case("pow", (normal(3, 4), 3), numpy=power, id="cube"),
    Case("pow", (normal(3, 4), 0), numpy=power, id="zero"),
    Case("pow", (normal(3, 4), 1), numpy=power, id="one"),
    Case("pow", (positive(3, 4), -0.5), numpy=power, id="negative"),
    Case("pow", (positive(3), 0.5), numpy=power, id="half"),
    Case("pow", (2.0, normal(3)), numpy=power, id="number-base"),
    Case("pow", (values([0.0, 2.0]), 2.0), numpy=power, id="zero-base"),
    Case("pow", (integers(-4, 5, 6), 3), numpy=power, id="int", grad=False),
    Case("pow", (values([-1.0, 0.0, 2.0]), values([0.5, -1.0, 0.0])), numpy=power, id="edges", grad=False),
    Case("atan2", (away(3, 4), away(4)), numpy=np.arctan2),
    Case(
        "atan2", (values([0.0, 1.0, -1.0]), values([-1.0, 0.0, 0.0])), numpy=np.arctan2, id="axes", grad=False
    ),
]
