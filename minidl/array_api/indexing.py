"""Indexing functions of the standard."""

import minidl
from minidl.array_api.operands import as_array, one_axis

__all__ = ["take", "take_along_axis"]


def take(x, indices, /, *, axis=None):
    """Elements of ``x`` at one-dimensional ``indices`` along an axis, which only arrays of one dimension may leave out.

    >>> from minidl import array_api as xp
    >>> xp.take(xp.asarray([10, 20, 30]), xp.asarray([2, -1, 0]))
    tensor([30, 30, 10])
    """
    if axis is None:
        if as_array(x).ndim != 1:
            raise ValueError(f"axis must be given for an array of {x.ndim} dimensions")
        axis = 0
    return x[(slice(None),) * one_axis(axis, x.ndim) + (as_array(indices, "indices"),)]


def take_along_axis(x, indices, /, *, axis=-1):
    """Elements of ``x`` along an axis at ``indices``, which have ``x``'s dimensions and broadcast elsewhere."""
    axis = one_axis(axis, as_array(x).ndim)
    indices = as_array(indices, "indices").to(minidl.int64)
    indices = minidl.where(indices < 0, indices + x.shape[axis], indices)
    return minidl.take_along_dim(x, indices, axis)
