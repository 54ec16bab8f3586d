"""Affine maps of images: every output pixel gathers from the input, between four pixels or the nearest.

Coordinates beyond the edge follow ``fill_mode``: ``nearest`` (the edge), ``constant`` (``cval``), ``reflect``
(dcba|abcd|dcba), ``mirror`` (dcb|abcd|cba) and ``wrap``, as SciPy's ``affine_transform`` means them.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

__all__ = ["affine_batch", "affine_matrix", "apply_affine_transform"]

_WORTH_THREADS = 1 << 20  # pixels of a batch from which threads pay
_POOL = None


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
    turn, lean = np.deg2rad(theta), np.deg2rad(shear)
    matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    matrix = matrix @ np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1.0]])
    matrix = matrix @ np.array([[1, -np.sin(lean), 0], [0, np.cos(lean), 0], [0, 0, 1.0]])
    matrix = matrix @ np.diag([zx, zy, 1.0])
    # As in Keras, the matrix speaks of (x, y), its centre is (height, width) / 2, and the axes are swapped after that
    middle = np.eye(3)
    middle[:2, 2] = height / 2 - 0.5, width / 2 - 0.5
    matrix = middle @ matrix @ np.linalg.inv(middle)
    return matrix[[1, 0]][:, [1, 0, 2]]


def _within(place, size, mode):
    """Coordinates brought into [0, size - 1] where the mode does so before it interpolates."""
    if mode == "nearest":
        return np.clip(place, 0, size - 1)
    if mode == "wrap" and size > 1:
        return np.where((place < 0) | (place > size - 1), np.mod(place, size - 1), place)
    if mode == "mirror" and size > 1:
        place = np.mod(place, 2 * (size - 1))
        return np.where(place > size - 1, 2 * (size - 1) - place, place)
    return place


def _index(index, size, mode):
    """Whole coordinates of neighbours as indices."""
    if mode == "reflect":
        index = np.mod(index, 2 * size)
        return np.where(index >= size, 2 * size - 1 - index, index)
    return np.clip(index, 0, size - 1)


def _one(image, matrix, order, mode, cval):
    """One image (H, W, C) through a matrix (2, 3)."""
    height, width, channels = image.shape
    rows, columns = np.arange(height), np.arange(width)
    down = np.add.outer(matrix[0, 0] * rows, matrix[0, 1] * columns) + matrix[0, 2]
    across = np.add.outer(matrix[1, 0] * rows, matrix[1, 1] * columns) + matrix[1, 2]
    outside = None
    if mode == "constant":
        outside = (down < 0) | (down > height - 1) | (across < 0) | (across > width - 1)
    down, across = _within(down, height, mode), _within(across, width, mode)
    flat = image.reshape(-1, channels)

    def pixels(i, j):
        return flat.take(_index(i, height, mode) * width + _index(j, width, mode), axis=0)

    if order == 0:
        out = pixels(np.floor(down + 0.5).astype(np.intp), np.floor(across + 0.5).astype(np.intp))
    else:
        i, j = np.floor(down).astype(np.intp), np.floor(across).astype(np.intp)
        below = (down - i).astype(image.dtype)[..., None]
        right = (across - j).astype(image.dtype)[..., None]
        top = pixels(i, j)
        top += (pixels(i, j + 1) - top) * right
        bottom = pixels(i + 1, j)
        bottom += (pixels(i + 1, j + 1) - bottom) * right
        bottom -= top
        bottom *= below
        out = top + bottom
    if outside is not None:
        out[outside] = cval
    return out


def _pool():
    global _POOL
    if _POOL is None:
        _POOL = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="minidl-images")
    return _POOL


def affine_batch(images, matrices, order=1, fill_mode="nearest", cval=0.0):
    """Images (N, H, W, C), each through its matrix (None leaves it), as a new array; large batches use threads.

    ``NotImplementedError`` for an order above 1, ``ValueError`` for a mode that is none.
    """
    if order not in (0, 1):
        raise NotImplementedError(
            f"interpolation_order={order} is not supported: use 1 (between four pixels) or 0 (the nearest)"
        )
    if fill_mode not in ("nearest", "constant", "reflect", "wrap", "mirror"):
        raise ValueError(
            f"Invalid fill_mode {fill_mode!r}; expected 'constant', 'nearest', 'reflect', 'mirror' or 'wrap'"
        )
    out = np.array(images)
    moving = [i for i, matrix in enumerate(matrices) if matrix is not None]

    def move(i):
        out[i] = _one(images[i], matrices[i], order, fill_mode, cval)

    work = map if len(moving) < 2 or out.size < _WORTH_THREADS else _pool().map
    for _ in work(move, moving):
        pass
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
