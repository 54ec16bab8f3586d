"""Sorting and selecting along an axis in C++: float32, float64, int32 and int64."""

import numpy as np

from minidl import _native


def _rows(input, dim):
    """The input as rows along an axis, and the shape of the other axes; None for what the kernels do not take."""
    if input.dtype.char not in "fdil" or not input.size:
        return None
    moved = np.ascontiguousarray(_last(input, dim))
    return moved.reshape(-1, moved.shape[-1]), moved.shape[:-1]


def sort(input, dim, descending):
    return sort_first(input, dim, descending, input.shape[dim])


def sort_first(input, dim, descending, count):
    found = _rows(input, dim)
    if found is None:
        return NotImplemented
    rows, others = found
    values = _native.empty((len(rows), count), input.dtype)
    places = _native.empty((len(rows), count), np.dtype("int64"))
    _native.sort_rows(rows, descending, values, places)
    if dim == input.ndim - 1:
        return values.reshape(*others, count), places.reshape(*others, count)
    return tuple(_native.copy(np.moveaxis(x.reshape(*others, count), -1, dim)) for x in (values, places))


def select(input, dim, rank):
    found = _rows(input, dim)
    if found is None:
        return NotImplemented
    rows, others = found
    values = _native.empty((len(rows),), input.dtype)
    places = _native.empty((len(rows),), np.dtype("int64"))
    _native.select_rows(rows, rank, values, places)
    return values.reshape(others), places.reshape(others)


def _last(x, dim):
    return x if dim == x.ndim - 1 else np.moveaxis(x, dim, -1)
