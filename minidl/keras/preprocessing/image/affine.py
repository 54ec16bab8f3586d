"""Affine maps of images: rotation, shift, shear and zoom as one matrix, by which a batch is moved at once."""

import numpy as np

from minidl.backends import of

__all__ = ["affine_batch", "affine_matrices", "affine_matrix", "apply_affine_transform"]

_MOVES = {"theta": 0, "tx": 0, "ty": 0, "shear": 0, "zx": 1, "zy": 1}
_FILL_MODES = ("constant", "nearest", "reflect", "mirror", "wrap")


def affine_matrix(height, width, **moves):
    """The (2, 3) matrix from (row, column) of the output to those of the input, about the image's centre: rotation
    (``theta``), shift (``tx``, ``ty``), ``shear`` and zoom (``zx``, ``zy``) after one another; angles in degrees. None
    where nothing moves.

    >>> affine_matrix(4, 4) is None
    True
    >>> affine_matrix(4, 4, tx=1)[:, 2].tolist()
    [0.0, 1.0]
    """
    return affine_matrices(height, width, [moves])[0]


def affine_matrices(height, width, moves):
    """The matrix of each dict of moves, composed in Keras' order: a place on an edge is on the same side of it."""
    drawn = np.array([[each.get(*move) for move in _MOVES.items()] for each in moves], float).reshape(-1, 6)
    theta, tx, ty, shear, zx, zy = drawn.T
    turn, lean = np.deg2rad(theta), np.deg2rad(shear)
    # As in Keras, the matrix speaks of (x, y), its centre is (height, width) / 2, and the axes are swapped after that
    x, y = height / 2 - 0.5, width / 2 - 0.5
    through = (
        _stacked(len(turn), np.cos(turn), -np.sin(turn), 0, np.sin(turn), np.cos(turn), 0)
        @ _stacked(len(turn), 1, 0, tx, 0, 1, ty)
        @ _stacked(len(turn), 1, -np.sin(lean), 0, 0, np.cos(lean), 0)
        @ _stacked(len(turn), zx, 0, 0, 0, zy, 0)
    )
    through = _stacked(1, 1, 0, x, 0, 1, y) @ through @ _stacked(1, 1, 0, -x, 0, 1, -y)
    swapped = through[:, [1, 0]][:, :, [1, 0, 2]]
    moved = (drawn != list(_MOVES.values())).any(-1)
    return [matrix if any_move else None for matrix, any_move in zip(swapped, moved, strict=True)]


def _stacked(count, *numbers):
    """Matrices (count, 3, 3) whose upper two rows are these numbers, or arrays of them."""
    matrices = np.zeros((count, 9))
    for i, number in enumerate(numbers):
        matrices[:, i] = number
    matrices[:, 8] = 1
    return matrices.reshape(count, 3, 3)


def affine_batch(images, matrices, order=1, fill_mode="nearest", cval=0.0):
    """Images (N, H, W, C), each through its matrix; None leaves it. The images themselves where nothing moves.

    ``order`` is the degree of the splines, 0 to 5; else ``RuntimeError``. ``ValueError`` for a mode that is none.
    Whole numbers are rounded and keep their dtype.
    """
    if order not in range(6):
        raise RuntimeError(
            f"spline order not supported: interpolation_order is 0 (the nearest pixel), 1 (between four) to 5, "
            f"not {order}"
        )
    if fill_mode not in _FILL_MODES:
        raise ValueError(
            f"Invalid fill_mode {fill_mode!r}; expected 'constant', 'nearest', 'reflect', 'mirror' or 'wrap'"
        )
    moving = [i for i, matrix in enumerate(matrices) if matrix is not None]
    if not moving:
        return images
    through = np.array([matrices[i] for i in moving], np.float64)
    given = images if len(moving) == len(images) else images[moving]
    whole = images.dtype.kind in "iu"
    given = given.astype(np.float64) if whole else given
    moved = of(given).affine_images(given, through, int(order), fill_mode, float(cval))
    if whole:
        limits = np.iinfo(images.dtype)
        moved = np.clip(np.floor(moved + 0.5), limits.min, limits.max).astype(images.dtype)
    if len(moving) == len(images):
        return moved
    out = np.array(images)
    out[moving] = moved
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
    image = image if image.dtype.kind in "fiu" else image.astype(np.float32)
    matrix = affine_matrix(*image.shape[:2], theta=theta, tx=tx, ty=ty, shear=shear, zx=zx, zy=zy)
    moved = affine_batch(np.ascontiguousarray(image)[None], [matrix], order, fill_mode, cval)[0]
    return moved.transpose(np.argsort(axes))
