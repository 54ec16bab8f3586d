"""Linear algebra that the standard has outside its extension."""

import minidl
from minidl.array_api.operands import as_array, one_axis, together

__all__ = ["matmul", "matrix_transpose", "tensordot", "vecdot"]


def matmul(x1, x2, /):
    """Matrix product, over stacks of matrices too."""
    return minidl.matmul(*together(x1, x2))


def matrix_transpose(x, /):
    """The matrices with rows and columns exchanged. Raises ``ValueError`` for fewer than two dimensions."""
    if as_array(x).ndim < 2:
        raise ValueError(f"matrix_transpose() takes arrays of at least two dimensions, not {x.ndim}")
    return x.mT


def tensordot(x1, x2, /, *, axes=2):
    """Sum of products over the last ``axes`` axes of ``x1`` and the first of ``x2``, or over those that are named."""
    return minidl.tensordot(*together(x1, x2), axes)


def vecdot(x1, x2, /, *, axis=-1):
    """Sum of products along an axis, counted from the end, of arrays that broadcast elsewhere.

    >>> from minidl import array_api as xp
    >>> xp.vecdot(xp.ones((2, 3)), xp.ones(3))
    tensor([3., 3.])
    """
    x1, x2 = together(x1, x2)
    for x in (x1, x2):
        one_axis(axis, x.ndim)
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError(f"the sizes of axis {axis} differ: {x1.shape[axis]} and {x2.shape[axis]}")
    axis = axis if axis < 0 else axis - max(x1.ndim, x2.ndim)
    return minidl.sum(x1 * x2, axis, dtype=x1.dtype)
