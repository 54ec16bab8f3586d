"""Searching functions of the standard."""

import minidl
from minidl.array_api.operands import all_axes, as_array, together

__all__ = ["argmax", "argmin", "count_nonzero", "nonzero", "searchsorted", "where"]


def _place(choose, x, axis, keepdims):
    if axis is not None:
        return choose(x, axis, keepdims)
    found = choose(as_array(x).reshape((-1,)), 0)
    return found.reshape((1,) * x.ndim) if keepdims else found


def argmax(x, /, *, axis=None, keepdims=False):
    """Index of the largest element along an axis, or in the flattened array: the first of several."""
    return _place(minidl.argmax, x, axis, keepdims)


def argmin(x, /, *, axis=None, keepdims=False):
    """Index of the smallest element along an axis, or in the flattened array: the first of several."""
    return _place(minidl.argmin, x, axis, keepdims)


def count_nonzero(x, /, *, axis=None, keepdims=False):
    """How many elements along axes, or in all, are not 0."""
    axes = all_axes(axis, as_array(x).ndim)
    return minidl.sum(x != 0, axes, keepdims) if axes else (x != 0).to(minidl.int64)


def nonzero(x, /):
    """Indices of the elements that are not 0: one array an axis. Raises ``ValueError`` for an array without axes."""
    if as_array(x).ndim == 0:
        raise ValueError("nonzero() takes arrays of at least one dimension")
    return tuple(minidl.nonzero(x, as_tuple=True))


def searchsorted(x1, x2, /, *, side="left", sorter=None):
    """Where ``x2`` would have to be put into ``x1``, which is sorted (by ``sorter``), so that it stays sorted."""
    x1, x2 = together(x1, x2)
    return minidl.searchsorted(x1.contiguous(), x2.contiguous(), side=side, sorter=sorter)


def where(condition, x1, x2, /):
    """``x1`` where the condition holds, ``x2`` elsewhere."""
    return minidl.where(as_array(condition, "condition"), *together(x1, x2))
