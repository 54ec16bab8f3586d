"""Affine maps of images, whose values between the pixels are B-splines: of degree 0 (the nearest pixel), 1 (between
four pixels) to 5.

The value at a place x is the sum over pixels k of c_k B(x - k), along rows and columns: B is the bell of the degree, c
the pixels themselves up to degree 1 and above it the coefficients by which the sum meets the pixels. Coordinates beyond
the edge follow a mode: ``nearest`` (the edge), ``constant``, ``reflect`` (dcba|abcd|dcba), ``mirror`` (dcb|abcd|cba)
and ``wrap``, as SciPy's ``affine_transform`` means them.
Source: M. Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing Magazine, 1999.
"""

import functools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from minidl.backends.threads import get_num_threads

_LEVEL = 12  # pixels beyond the edge, all of them the edge's value, after which a spline has levelled out
_GROUP = 1 << 14  # pixels that are moved at once: what is computed on the way stays in the cache
_WORTH_THREADS = 1 << 17  # numbers of a batch from which threads pay


def affine_images(xp, images, matrices, order, fill_mode, cval):
    """Images (N, H, W, C), each through its matrix of float64 (N, 2, 3), as a new array.

    Pixel (r, c) of an output is the input's value at (r, c) times the matrix' first columns, plus the last; NaN where
    that is NaN. ``order`` is the degree of the splines; ``fill_mode`` says what lies beyond the edge.
    """
    count, height, width = images.shape[:3]
    out = xp.empty(images.shape, images.dtype)
    size = max(1, 4 * _GROUP // max(1, height * width * (order + 1) ** 2))
    groups = [slice(i, i + size) for i in range(0, count, size)] if out.size else []

    def move(group):
        with np.errstate(all="ignore"):  # a thread has its own
            planes = _moved(xp, images[group], matrices[group], order, fill_mode, cval)
        out[group] = planes.transpose(1, 2, 3, 0)

    threads = min(get_num_threads(), len(groups))
    if threads < 2 or out.size < _WORTH_THREADS:
        for group in groups:
            move(group)
    else:
        with ThreadPoolExecutor(threads, "minidl-images") as pool:
            list(pool.map(move, groups))
    return out


def _places(xp, matrices, height, width):
    """The rows and columns, (2, N, H, W), that matrices (N, 2, 3) give for all pixels of the output."""
    matrices = matrices.transpose(1, 0, 2)
    down, across = matrices[..., :1] * xp.arange(height), matrices[..., 1:2] * xp.arange(width)
    return (down[..., None] + across[..., None, :]) + matrices[..., 2:, None]


def _moved(xp, images, matrices, degree, mode, cval):
    """Images (N, H, W, C) through matrices (N, 2, 3), as planes (C, N, H, W)."""
    count, height, width = images.shape[:3]
    planes = images.transpose(3, 0, 1, 2)
    planes = xp.ascontiguousarray(planes if degree < 2 else planes.astype(np.float64))
    planes, margin = _coefficients(xp, planes, degree, mode), _border(degree, mode)
    lines, line = planes.shape[-2:]
    rows, columns = _places(xp, matrices, height, width)
    if mode == "constant":
        outside = (rows < 0) | (rows > height - 1) | (columns < 0) | (columns > width - 1)
    top, across = _window(xp, _folded(xp, rows, height, mode, degree), height, degree)
    left, along = _window(xp, _folded(xp, columns, width, mode, degree), width, degree)
    top += xp.arange(count)[:, None, None] * lines + margin
    top *= line
    top += left
    top += margin
    steps = line * (lines > 1), int(line > 1)  # an image of one row has no next one: it counts nothing
    out = _weighed(xp, planes, xp.nan_to_num(top).astype(np.intp), steps, across, along)
    if mode == "constant":
        out[:, outside] = cval
    return out


def _weighed(xp, planes, first, steps, across, along):
    """The sums (C, ...) of pixels of windows in planes (C, ...), times the weights down and across a window,
    (size, ...) each; ``first`` numbers the window's first pixel in its plane, ``steps`` lead down and across."""
    down, right = xp.arange(len(across)) * steps[0], xp.arange(len(along)) * steps[1]
    numbers = first.reshape(-1) + (down[:, None] + right).reshape(-1, 1)
    pixels = planes.reshape(len(planes), -1).take(numbers, axis=1)
    weights = (across[:, None] * along).reshape(len(numbers), -1)
    return xp.einsum("ckn,kn->cn", pixels, weights).reshape(len(planes), *first.shape)


def _folded(xp, place, size, mode, degree):
    """Coordinates, in place, brought to where the mode shows the same: into [0, size - 1], or a little more above
    degree 1, whose splines overshoot at ``nearest`` edges and bend in the outer half pixels of ``reflect``."""
    low, high = 0, size - 1
    if mode == "wrap" and size > 1:
        beyond = (place < low) | (place > high)
        place[beyond] %= high
    elif mode == "reflect" or (mode == "mirror" and size > 1):
        half = 0.5 if mode == "reflect" else 0.0
        place += half
        xp.abs(place, out=place)
        period = high + 2 * half
        if not (place <= period).all():
            place %= 2 * period
            xp.minimum(place, 2 * period - place, out=place)
        place -= half
    if degree > 1:
        more = {"nearest": _LEVEL, "reflect": 0.5}.get(mode, 0)
        low, high = low - more, high + more
    return xp.clip(place, low, high, out=place)


def _bell(xp, degree, x):
    """The B-spline of a degree at x."""
    parts = (
        (-1) ** k * math.comb(degree + 1, k) * xp.maximum(x + (degree + 1) / 2 - k, 0) ** degree
        for k in range(degree + 2)
    )
    return sum(parts) / math.factorial(degree)


def _window(xp, place, size, degree):
    """(first, weights): the first of the degree + 1 pixels that count at places (...), and weights (degree + 1, ...).

    Up to degree 1 all of them are pixels; above it some lie in the border that ``_coefficients`` has.
    """
    if degree == 0:
        return xp.floor(place + 0.5), 1 + 0 * place[None]
    if degree == 1:
        # At the last pixel the one before counts nothing
        first = xp.minimum(xp.floor(place), max(size - 2, 0))
        return first, xp.stack([1 - (place - first), place - first])
    first = xp.floor(place if degree % 2 else place + 0.5) - degree // 2
    return first, xp.stack([_bell(xp, degree, place - (first + k)) for k in range(degree + 1)])


def _border(degree, mode):
    """How many coefficients ``_coefficients`` has beyond each edge."""
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
        np.add.at(met, (places, _seen(places + offset, count, mirrored)), _bell(np, degree, offset))
    margin = _border(degree, mode) - more
    return np.linalg.solve(met, pixels)[_seen(np.arange(-margin, count + margin), count, mirrored)]


def _coefficients(xp, planes, degree, mode):
    """What ``_window`` weighs, (..., H + 2 border, W + 2 border) for planes (..., H, W); up to degree 1 the planes."""
    if degree < 2:
        return planes
    height, width = planes.shape[-2:]
    down, across = (xp.asarray(_filter(size, degree, mode)) for size in (height, width))
    return down @ planes @ across.T
