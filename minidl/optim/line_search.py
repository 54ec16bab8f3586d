"""A line search for the strong Wolfe conditions: how far to go along a direction.

A step t is good where the value has fallen, f(t) <= f(0) + c1 t f'(0), and the slope is flat, |f'(t)| <= c2 |f'(0)|.
Source: J. Nocedal, S. Wright, "Numerical optimization", 2nd ed., algorithms 3.5 and 3.6; the cubic, equation 3.59.
"""

import math
from typing import Any, NamedTuple

__all__ = []

_FALL, _FLATNESS = 1e-4, 0.9  # c1 and c2
_NARROW = 1e-9


class Point(NamedTuple):
    """A step, the value there, the gradient (a vector) and its product with the direction."""

    t: float
    value: float
    grad: Any
    slope: float


def strong_wolfe(evaluate, start, t, reach, limit):
    """The point that the search ends at, and how often it called ``evaluate(t)``.

    ``start`` is the point at 0, ``t`` the first step to try, ``reach`` the largest coordinate of the direction: a
    bracket that moves no coordinate by more than 1e-9 is not searched further. At most ``limit`` evaluations follow
    the first.
    """
    bracket, tried = _bracket(evaluate, start, t, limit)
    if len(bracket) == 1:
        return bracket[0], 1 + tried
    low = _lower(bracket)
    stalled = False
    while tried < limit and not abs(bracket[1].t - bracket[0].t) * reach < _NARROW:
        t, stalled = _trial(bracket, stalled)
        point = evaluate(t)
        tried += 1
        if _is_high(point, start) or point.value >= bracket[low].value:
            bracket[1 - low] = point
            low = _lower(bracket)
            continue
        if _is_flat(point, start):
            return point, 1 + tried
        if point.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = point
    return bracket[low], 1 + tried


def _bracket(evaluate, start, t, limit):
    """Two points with a good one between them, or a good one alone; and the evaluations after the first."""
    before, point = start, evaluate(t)
    for tried in range(limit):
        if _is_high(point, start) or (tried > 1 and point.value >= before.value):
            return [before, point], tried
        if _is_flat(point, start):
            return [point], tried
        if point.slope >= 0:
            return [before, point], tried
        bounds = point.t + 0.01 * (point.t - before.t), 10 * point.t
        before, point = point, evaluate(_minimum_of_cubic(before, point, *bounds))
    return [start, point], max(limit, 0)


def _is_high(point, start):
    return point.value > start.value + _FALL * point.t * start.slope


def _is_flat(point, start):
    return abs(point.slope) <= -_FLATNESS * start.slope


def _lower(bracket):
    return 0 if bracket[0].value <= bracket[1].value else 1


def _trial(bracket, stalled):
    """A step inside the bracket; away from its ends where it was near one twice, or is at one."""
    first, last = sorted(point.t for point in bracket)
    t = _minimum_of_cubic(*bracket, first, last)
    margin = 0.1 * (last - first)
    if not min(last - t, t - first) < margin:
        return t, False
    if not (stalled or t >= last or t <= first):
        return t, True
    return (last - margin if abs(t - last) < abs(t - first) else first + margin), False


def _minimum_of_cubic(a, b, lowest, highest):
    """Where the cubic through two points with their slopes is least, within bounds; the middle where it has none."""
    left, right = (a, b) if a.t <= b.t else (b, a)
    middle = (lowest + highest) / 2
    if left.t == right.t:
        return middle
    mean = left.slope + right.slope - 3 * (left.value - right.value) / (left.t - right.t)
    square = mean * mean - left.slope * right.slope
    if not square >= 0:
        return middle
    root = math.sqrt(square)
    curvature = right.slope - left.slope + 2 * root
    if curvature == 0:
        return middle
    least = right.t - (right.t - left.t) * ((right.slope + root - mean) / curvature)
    return min(max(least, lowest), highest)
