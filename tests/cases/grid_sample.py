"""Rows of minidl/ops/grid_sample.py."""

import itertools
import math

import numpy as np

from .case import Case, Spec, normal


def _inside(at, n, padding, corners):
    """Where a place counts as, and whether it is read at all."""
    if padding == "reflection":
        low, high = (0, n - 1) if corners else (-0.5, n - 0.5)
        while high > low and not low <= at <= high:
            at = 2 * low - at if at < low else 2 * high - at
    return at if padding == "zeros" else min(max(at, 0), n - 1)


def _keys(x):
    x, a = abs(x), -0.75
    if x < 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def _line(place, n, mode, padding, corners):
    """(index, weight) of what one coordinate reads."""
    at = (place + 1) / 2 * (n - 1) if corners else ((place + 1) * n - 1) / 2
    if mode == "bicubic":
        low = math.floor(at)
        return [(int(_inside(k, n, padding, corners)), _keys(at - k)) for k in range(low - 1, low + 3)]
    at = _inside(at, n, padding, corners)
    if mode == "nearest":
        return [(round(at), 1.0)]
    return [(k, 1 - abs(at - k)) for k in (math.floor(at), math.floor(at) + 1)]


def sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    out = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    size = x.shape[2:]
    for n, *at in np.ndindex(len(x), *grid.shape[1:-1]):
        place = grid[(n, *at)][::-1]
        lines = [_line(p, s, mode, padding_mode, align_corners) for p, s in zip(place, size, strict=True)]
        for taps in itertools.product(*lines):
            index = [k for k, _ in taps]
            if all(0 <= k < s for k, s in zip(index, size, strict=True)):
                out[(n, slice(None), *at)] += x[(n, slice(None), *index)] * math.prod(w for _, w in taps)
    return out


def affine(theta, size, align_corners):
    axes = [np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n) for n in size[2:]]
    mesh = np.meshgrid(*axes, indexing="ij")
    base = np.stack([*reversed(mesh), np.ones(size[2:])], -1)
    return np.stack([base @ matrix.T for matrix in theta])


def places(*shape):
    """Places in and around the input, none of them within 0.02 of a border or of an element."""

    def draw(rng):
        values = rng.uniform(-1.5, 1.5, shape)
        at = np.round(
            values * 24
        )  # every kink of the sizes below is at a multiple of 1/24, or far from these
        return (at + 0.37) / 24

    return Spec(draw)


def _row(shape, grid, mode, padding, corners):
    kwargs = {"mode": mode, "padding_mode": padding, "align_corners": corners}
    id = f"{mode}-{padding}-{corners}-{len(grid) - 2}d"
    return Case("grid_sample", (normal(*shape), places(*grid)), sample, kwargs, id=id)


MODES, PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")

CASES = [
    *(
        _row((2, 2, 3, 4), (2, 2, 3, 2), mode, padding, corners)
        for mode in MODES
        for padding in PADDINGS
        for corners in (False, True)
    ),
    *(
        _row((1, 2, 2, 3, 4), (1, 2, 1, 3, 3), mode, padding, False)
        for mode in MODES[:2]
        for padding in PADDINGS
    ),
    *(
        Case(
            f"grid_sampler{name}",
            (normal(*shape), places(*grid), 1, 2, True),
            lambda x, grid, *_: sample(x, grid, "nearest", "reflection", True),
        )
        for name, shape, grid in (
            ("", (1, 2, 3, 4), (1, 2, 3, 2)),
            ("_2d", (1, 2, 3, 4), (1, 2, 3, 2)),
            ("_3d", (1, 2, 2, 3, 4), (1, 2, 1, 3, 3)),
        )
    ),
    Case("affine_grid", (normal(2, 2, 3), (2, 1, 3, 4), False), affine),
    Case("affine_grid", (normal(1, 2, 3), (1, 1, 3, 2), True), affine, id="corners"),
    Case("affine_grid", (normal(1, 3, 4), (1, 1, 2, 3, 2), False), affine, id="3d"),
]
