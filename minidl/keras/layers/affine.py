"""Images moved by an affine map or a projection each: coordinates, borders, interpolation, all samples at once."""

from minidl.nn import functional as F
from minidl.ops.create import arange
from minidl.ops.joining import stack
from minidl.ops.linear_systems import solve
from minidl.ops.selection import where

__all__ = ["FILL_MODES", "INTERPOLATIONS", "affine", "centred", "homography", "projected"]

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("bilinear", "nearest")


def centred(a, b, c, d, height, width):
    """The six numbers of x' = a x + b y, y' = c x + d y about the image's centre."""
    x, y = (width - 1) / 2, (height - 1) / 2
    return a, b, x - (a * x + b * y), c, d, y - (c * x + d * y)


def affine(images, numbers, interpolation="bilinear", fill_mode="reflect", fill_value=0.0):
    """(N, H, W, C) images whose pixel (y, x) is the input's at (c x + d y + f, a x + b y + e).

    ``numbers`` are a, b, e, c, d, f, each (N,). Outside the image ``fill_mode`` says what is seen.
    """
    a, b, e, c, d, f = (v.reshape(-1, 1, 1) for v in numbers)
    x, y = _grid(images)
    places = c * x + d * y + f, a * x + b * y + e
    return _read(images, *places, interpolation, fill_mode, fill_value)


def projected(images, numbers, interpolation="bilinear", fill_mode="constant", fill_value=0.0):
    """As ``affine``, with coordinates divided by g x + h y + 1; ``numbers`` are a, b, e, c, d, f, g, h."""
    a, b, e, c, d, f, g, h = (v.reshape(-1, 1, 1) for v in numbers)
    x, y = _grid(images)
    below = g * x + h * y + 1
    places = (c * x + d * y + f) / below, (a * x + b * y + e) / below
    return _read(images, *places, interpolation, fill_mode, fill_value)


def homography(start, end):
    """The eight numbers of the projections that take points ``end`` (N, 4, 2) to ``start`` (N, 4, 2): x before y."""
    x, y = end[..., 0], end[..., 1]
    one, zero = x * 0 + 1, x * 0
    rows = []
    for i, lead in enumerate([(x, y, one, zero, zero, zero), (zero, zero, zero, x, y, one)]):
        to = start[..., i]
        rows.append(stack((*lead, -to * x, -to * y), -1))
    system = stack(rows, 2).reshape(-1, 8, 8)
    found = solve(system, start.reshape(-1, 8, 1))
    return [found[:, i, 0] for i in range(8)]


def _grid(images):
    y = arange(images.shape[1], dtype=images.dtype, device=images.device).reshape(1, -1, 1)
    x = arange(images.shape[2], dtype=images.dtype, device=images.device).reshape(1, 1, -1)
    return x, y


def _read(images, row, column, interpolation, fill_mode, fill_value):
    """The images at coordinates (N, H, W) between pixels."""
    seen = _Seen(images, fill_mode, fill_value)
    if interpolation == "nearest":
        return seen.at((row + 0.5).floor(), (column + 0.5).floor())
    top, left = row.floor(), column.floor()
    down, right = (row - top).unsqueeze(3), (column - left).unsqueeze(3)
    upper = seen.at(top, left) * (1 - right) + seen.at(top, left + 1) * right
    lower = seen.at(top + 1, left) * (1 - right) + seen.at(top + 1, left + 1) * right
    return upper * (1 - down) + lower * down


class _Seen:
    """What lies at whole coordinates (N, H, W), inside the images and outside."""

    def __init__(self, images, fill_mode, fill_value):
        n, self.height, self.width, channels = images.shape
        self.rows = images.reshape(n * self.height * self.width, channels)
        self.start = (arange(n, device=images.device) * (self.height * self.width)).reshape(-1, 1, 1)
        self.mode, self.value = fill_mode, fill_value

    def at(self, row, column):
        """The pixels (N, H, W, C) at these coordinates."""
        row, column = row.long(), column.long()
        i, j = self._inside(row, self.height), self._inside(column, self.width)
        found = F.embedding(self.start + i * self.width + j, self.rows)
        if self.mode != "constant":
            return found
        within = (row >= 0) & (row < self.height) & (column >= 0) & (column < self.width)
        return where(within.unsqueeze(3), found, self.value)

    def _inside(self, index, size):
        if self.mode == "wrap":
            return index % size
        if self.mode == "reflect":
            index = index % (2 * size)
            return where(index >= size, 2 * size - 1 - index, index)
        return index.clamp(0, size - 1)
