"""Searching and counting in C++: float32 and float64, contiguous."""

import numpy as np

from minidl import _native


def _served(*arrays):
    return arrays[0].dtype.char in "fd" and all(
        x.dtype == arrays[0].dtype and x.flags.c_contiguous and x.flags.aligned for x in arrays
    )


def searchsorted(boundaries, values, right):
    if not _served(boundaries, values) or not values.size:
        return NotImplemented
    rows = boundaries.reshape(-1, boundaries.shape[-1]) if boundaries.size else boundaries.reshape(1, -1)
    if boundaries.ndim > 1 and not boundaries.size:
        return NotImplemented
    places = _native.empty(values.shape, np.dtype("int64"))
    _native.search_sorted(rows, values.reshape(1 if boundaries.ndim == 1 else len(rows), -1), right, places)
    return places


def histogram_counts(input, edges, weights):
    if weights is not None or not _served(input, edges) or edges.size < 2 or np.isnan(edges).any():
        return NotImplemented
    counts = _native.empty((edges.size - 1,), np.dtype("float64"))
    _native.count_between(edges, input, counts)
    return counts
