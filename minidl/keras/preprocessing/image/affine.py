"""Affine maps of images: every output pixel gathers from the input, between four pixels, or as ``splines.py`` says."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from minidl.backends.threads import get_num_threads
from minidl.keras.preprocessing.image.splines import MODES, border, coefficients, folded, window

__all__ = ["affine_batch", "affine_matrix", "apply_affine_transform"]

_GROUP = 1 << 14  # pixels that are moved at once: what is computed on the way stays in the cache
_WORTH_THREADS = 1 << 17  # numbers of a batch from which threads pay


def affine_matrix(height, width, theta=0, tx=0, ty=0, shear=0, zx=1, zy=1):
    """The (2, 3) matrix from (row, column) of the output to those of the input, about the image's centre: rotation,
    shift, shear and zoom after one another; angles in degrees. None where nothing moves.

    >>> affine_matrix(4, 4) is None
    True
    >>> affine_matrix(4, 4, tx=1)[:, 2].tolist()
    [0.0, 1.0]
    """
    if theta == 0 and tx == 0 and ty == 0 and shear == 0 and zx == 1 and zy == 1:
        return None
    turn, lean = math.radians(theta), math.radians(shear)
    cos, sin = math.cos(turn), math.sin(turn)
    a, b = zx * cos, -zy * (cos * math.sin(lean) + sin * math.cos(lean))  # rotation times shear times zoom
    c, d = zx * sin, zy * (cos * math.cos(lean) - sin * math.sin(lean))
    # As in Keras, the matrix speaks of (x, y), its centre is (height, width) / 2, and the axes are swapped after that
    x, y = height / 2 - 0.5, width / 2 - 0.5
    left, top = cos * tx - sin * ty + (x - a * x - b * y), sin * tx + cos * ty + (y - c * x - d * y)
    return np.array([[d, c, top], [b, a, left]])


def flipped(matrix, height, width, horizontal, vertical):
    """The matrix of what ``matrix`` gives, flipped."""
    matrix = matrix.copy()
    for flips, axis, size in ((vertical, 0, height), (horizontal, 1, width)):
        if flips:
            matrix[:, 2] += (size - 1) * matrix[:, axis]
            matrix[:, axis] *= -1
    return matrix


def _places(matrices, height, width):
    """The rows and columns, (2, N, H, W), that matrices (2, N, 3) give for all pixels of the output."""
    down = matrices[..., :1] * np.arange(height) + matrices[..., 2:]
    across = matrices[..., 1:2] * np.arange(width)
    return down[..., None] + across[..., None, :]


def _moved(images, matrices, degree, mode, cval):
    """Images (N, H, W, C) through matrices (2, N, 3), as planes (C, N, H, W)."""
    count, height, width = images.shape[:3]
    planes = np.ascontiguousarray(images.transpose(3, 0, 1, 2), np.float64 if degree > 1 else None)
    planes, margin = coefficients(planes, degree, mode), border(degree, mode)
    lines, line = planes.shape[-2:]
    rows, columns = _places(matrices, height, width)
    if mode == "constant":
        outside = (rows < 0) | (rows > height - 1) | (columns < 0) | (columns > width - 1)
    top, across = window(folded(rows, height, mode, degree), height, degree, planes.dtype)
    left, along = window(folded(columns, width, mode, degree), width, degree, planes.dtype)
    top += np.arange(count)[:, None, None] * lines + margin
    top *= line
    top += left
    top += margin
    out = _weighed(planes, top.astype(np.intp), across, along)
    if mode == "constant":
        out[:, outside] = cval
    return out


def _weighed(planes, first, across, along):
    """The sums (C, ...) of pixels of windows in planes (C, ...), times the weights down and across a window,
    (size, ...) each; ``first`` numbers the window's first pixel in its plane."""
    steps = np.add.outer(np.arange(len(across)) * planes.shape[-1], np.arange(len(along))).reshape(-1, 1)
    pixels = planes.reshape(len(planes), -1).take(first.reshape(-1) + steps, axis=1, mode="clip")
    weights = (across[:, None] * along).reshape(len(steps), -1)
    return np.einsum("ckn,kn->cn", pixels, weights).reshape(len(planes), *first.shape)


def affine_batch(images, matrices, order=1, fill_mode="nearest", cval=0.0):
    """Images (N, H, W, C), each through its matrix (None leaves it), as a new array; large batches use threads.

    ``order`` is the degree of the splines, 0 to 5; else ``RuntimeError``. ``ValueError`` for a mode that is none.
    """
    if order not in range(6):
        raise RuntimeError(
            f"spline order not supported: interpolation_order is 0 (the nearest pixel), 1 (between four) to 5, "
            f"not {order}"
        )
    if fill_mode not in MODES:
        raise ValueError(
            f"Invalid fill_mode {fill_mode!r}; expected 'constant', 'nearest', 'reflect', 'mirror' or 'wrap'"
        )
    out = np.array(images)
    moving = [i for i, matrix in enumerate(matrices) if matrix is not None]
    size = max(1, 4 * _GROUP // max(1, math.prod(images.shape[1:3]) * (order + 1) ** 2))
    groups = [moving[i : i + size] for i in range(0, len(moving), size)]

    def move(group):
        part = np.stack([matrices[i] for i in group], 1)
        planes = _moved(images[group], part, order, fill_mode, cval)
        for channel, plane in enumerate(planes):
            out[group, :, :, channel] = plane

    threads = min(get_num_threads(), len(groups))
    if threads < 2 or out.size < _WORTH_THREADS:
        for group in groups:
            move(group)
    else:
        with ThreadPoolExecutor(threads, "minidl-images") as pool:
            list(pool.map(move, groups))
    return out


def apply_affine_transform(
    x, theta=0, tx=0, ty=0, shear=0, zx=1, zy=1, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest",
    cval=0.0, order=1,
):  # fmt: skip
    """One image of three dimensions, rotated, shifted, sheared and zoomed about its centre.

    ``ValueError`` for axes that are not 0, 1, 2 in some order, channels first or last.
    """
    axes = (row_axis, col_axis, channel_axis)
    if len(set(axes)) != 3:
        raise ValueError("'row_axis', 'col_axis', and 'channel_axis' must be distinct")
    if set(axes) != {0, 1, 2}:
        raise ValueError(f"Invalid axis' indices: {set(axes) - {0, 1, 2}}")
    x = np.asarray(x)
    if x.ndim != 3:
        raise ValueError("Input arrays must be multi-channel 2D images.")
    if channel_axis not in (0, 2):
        raise ValueError("Channels are allowed and the first and last dimensions.")
    image = x.transpose(axes)
    image = image if image.dtype.kind == "f" else image.astype(np.float32)
    matrix = affine_matrix(image.shape[0], image.shape[1], theta, tx, ty, shear, zx, zy)
    moved = affine_batch(np.ascontiguousarray(image)[None], [matrix], order, fill_mode, cval)[0]
    return moved.transpose(np.argsort(axes))
