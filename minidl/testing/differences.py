"""Numeric derivatives along a line: central differences with Richardson's extrapolation, kinks, complex steps."""

from typing import NamedTuple

import numpy as np

EPSILON = np.finfo(np.float64).eps
SMOOTH, KINK, JUMP, STEEP, EDGE = "smooth", "kink", "jump", "steep", "edge"
_SHRINK = 16  # how much smaller the step becomes where a difference is not to be trusted
_LEVELS = 4


class Slope(NamedTuple):
    """What differences say of each output along one line: arrays of one length.

    ``value`` the derivative, ``noise`` its rounding error, ``left`` and ``right`` the one-sided derivatives,
    ``kind`` one of ``'smooth'``, ``'kink'``, ``'jump'``, ``'steep'`` (a vertical tangent), ``'edge'`` (not finite there
    or on one side).
    """

    value: np.ndarray
    noise: np.ndarray
    left: np.ndarray
    right: np.ndarray
    kind: np.ndarray


def slope(line, h, agrees):
    """The derivative at 0 of ``line(t)``, a vector.

    ``D(h) = (line(h) - line(-h)) / 2h`` has an error of order h^2, ``(4 D(h/2) - D(h)) / 3`` one of order h^4. What is
    no smooth function there shows: one-sided derivatives of a smooth one differ by ``h line''``, which halves with h;
    at a kink they keep their distance. At a jump that is the same from both sides D itself doubles when h is halved.
    Where ``agrees(value, noise)`` is false, or a kink shows, a smaller step looks again, so that a kink nearby is
    passed and one at the very point remains.

    >>> slope(
    ...     lambda t: np.array([np.sin(t), abs(t)]), 1e-3, lambda value, noise: value == value
    ... ).kind.tolist()
    ['smooth', 'kink']

    Source: L. F. Richardson, "The approximate arithmetical solution by finite differences", 1911.
    """
    here = line(0.0)
    found = _at(line, here, h)
    for level in range(1, _LEVELS):
        settled = (found.kind == SMOOTH) & agrees(found.value, found.noise)
        if settled.all():
            break
        closer = _at(line, here, h / _SHRINK**level)
        found = Slope(*(np.where(settled, a, b) for a, b in zip(found, closer)))
    return found


def _at(line, here, h):
    with np.errstate(all="ignore"):
        (high, low), (near_high, near_low) = ((line(t), line(-t)) for t in (h, h / 2))
        wide, narrow = _minus(high, low) / (2 * h), _minus(near_high, near_low) / h
        value = (4 * narrow - wide) / 3
        size = np.maximum(np.abs(here), np.maximum(np.abs(near_high), np.abs(near_low)))
        noise = np.where(np.isfinite(size), 8 * EPSILON * size / h, 0)
        right, left = _minus(near_high, here) / (h / 2), _minus(here, near_low) / (h / 2)
        gap, near_gap = (_minus(high, here) - _minus(here, low)) / h, right - left
        visible = np.abs(near_gap) > 1e-4 * np.maximum(1, np.abs(value)) + 4 * noise
        ratio = np.abs(near_gap) / np.abs(gap)
        growing = np.abs(narrow - wide) > 1e-4 * np.maximum(1, np.abs(wide)) + 4 * noise
        growth = np.where(growing, np.abs(narrow) / np.abs(wide), 0)
    kind = np.where(visible & (ratio > 0.75), np.where(ratio > 1.5, JUMP, KINK), SMOOTH)
    kind = np.where(growth > 1.25, np.where(growth > 1.75, JUMP, STEEP), kind)
    finite = np.isfinite(here) & np.isfinite(near_high) & np.isfinite(near_low)
    still = (near_high == here) & (near_low == here)  # -inf that stays -inf, where something is masked
    return Slope(value, noise, left, right, np.where(finite | still, kind, EDGE))


def _minus(a, b):
    """``a - b``; infinities that stay as they are have not moved."""
    return np.where(a == b, 0.0, a - b)


def complex_slope(twin, h=1e-30):
    """The derivative at 0 of ``twin(z)``, a vector of an analytic function: ``Im twin(ih) / h``, without cancellation.

    Raises ``ValueError`` where ``twin`` is not analytic (abs, conj, a comparison) and the step would lie.

    >>> complex_slope(lambda z: np.exp(np.array([2 + z]))) == np.exp(2)
    array([ True])

    Source: W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Rev. 1998.
    """
    value = np.imag(twin(1j * h)) / h
    step = 1e-4
    real = (twin(step + 0j) - twin(-step + 0j)) / (2 * step)
    if not np.allclose(real, value, rtol=1e-4, atol=1e-6):
        raise ValueError(
            "a complex step is not valid here: the function is not analytic (abs, conj, maximum and comparisons are "
            "not). Hint: leave 'complex' out of modes."
        )
    return value
