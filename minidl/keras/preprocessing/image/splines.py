"""Images between their pixels: B-splines of degree 0 (the nearest pixel), 1 (between four pixels) to 5.

The value at a place x is the sum over pixels k of c_k B(x - k), along rows and columns: B is the bell of the degree, c
the pixels themselves up to degree 1 and above it the coefficients by which the sum meets the pixels. Coordinates beyond
the edge follow a mode: ``nearest`` (the edge), ``constant``, ``reflect`` (dcba|abcd|dcba), ``mirror`` (dcb|abcd|cba)
and ``wrap``, as SciPy's ``affine_transform`` means them.
Source: M. Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing Magazine, 1999.
"""

import functools
import math

import numpy as np

__all__ = ["MODES", "border", "coefficients", "folded", "window"]

MODES = ("constant", "nearest", "reflect", "mirror", "wrap")
_LEVEL = 12  # pixels beyond the edge, all of them the edge's value, after which a spline has levelled out


def folded(place, size, mode, degree):
    """Coordinates, in place, brought to where the mode shows the same: into [0, size - 1], or a little more above
    degree 1, whose splines overshoot at ``nearest`` edges and bend in the outer half pixels of ``reflect``."""
    low, high = 0, size - 1
    if mode == "wrap" and size > 1:
        beyond = (place < low) | (place > high)
        place[beyond] %= high
    elif mode == "reflect" or (mode == "mirror" and size > 1):
        half = 0.5 if mode == "reflect" else 0.0
        place += half
        np.abs(place, out=place)
        period = high + 2 * half
        if place.max(initial=0) > period:
            place %= 2 * period
            np.minimum(place, 2 * period - place, out=place)
        place -= half
    if degree > 1:
        more = {"nearest": _LEVEL, "reflect": 0.5}.get(mode, 0)
        low, high = low - more, high + more
    return np.clip(place, low, high, out=place)


def _bell(degree, x):
    """The B-spline of a degree at x."""
    parts = (
        (-1) ** k * math.comb(degree + 1, k) * np.maximum(x + (degree + 1) / 2 - k, 0) ** degree
        for k in range(degree + 2)
    )
    return sum(parts) / math.factorial(degree)


def window(place, size, degree, dtype):
    """(first, weights): the first of the degree + 1 pixels that count at places (...), and weights (degree + 1, ...).

    Up to degree 1 all of them are pixels; above it some lie in the border that ``coefficients`` has.
    """
    if degree == 0:
        return np.floor(place + 0.5), np.ones((1, *place.shape), dtype)
    if degree == 1:
        first = np.minimum(
            np.floor(place), max(size - 2, 0)
        )  # at the last pixel the one before counts nothing
        weights = np.empty((2, *place.shape), dtype)
        np.subtract(place, first, out=weights[1], casting="same_kind")
        np.subtract(1, weights[1], out=weights[0])
        return first, weights
    first = np.floor(place if degree % 2 else place + 0.5) - degree // 2
    return first, np.stack([_bell(degree, place - (first + k)) for k in range(degree + 1)])


def border(degree, mode):
    """How many coefficients ``coefficients`` has beyond each edge."""
    return 0 if degree < 2 else degree // 2 + 1 + (_LEVEL if mode == "nearest" else 0)


def _seen(index, size, mode):
    """The pixels that whole coordinates show."""
    if mode == "reflect":
        index = index % (2 * size)
        return np.minimum(index, 2 * size - 1 - index)
    if mode == "mirror" and size > 1:
        index = index % (2 * (size - 1))
        return np.minimum(index, 2 * (size - 1) - index)
    return np.clip(index, 0, size - 1)


@functools.lru_cache(maxsize=16)
def _filter(size, degree, mode):
    """The matrix from a line of pixels to its coefficients, borders included: (size + 2 border, size).

    The splines are those of the mirrored line, as SciPy's: of ``mirror`` for ``constant`` and ``wrap`` too, and for
    ``nearest`` of the line that goes on level for some pixels.
    """
    more = _LEVEL if mode == "nearest" else 0
    mirrored = "reflect" if mode in ("nearest", "reflect") else "mirror"
    pixels = np.eye(size)[_seen(np.arange(-more, size + more), size, "nearest")]
    count, places = len(pixels), np.arange(len(pixels))
    met = np.zeros((count, count))  # spline values at the pixels, of coefficients
    for offset in range(-(degree // 2), degree // 2 + 1):
        np.add.at(met, (places, _seen(places + offset, count, mirrored)), _bell(degree, offset))
    margin = border(degree, mode) - more
    return np.linalg.solve(met, pixels)[_seen(np.arange(-margin, count + margin), count, mirrored)]


def coefficients(planes, degree, mode):
    """What ``window`` weighs, (..., H + 2 border, W + 2 border) for planes (..., H, W); up to degree 1 the planes."""
    if degree < 2:
        return planes
    height, width = planes.shape[-2:]
    return _filter(height, degree, mode) @ planes @ _filter(width, degree, mode).T
