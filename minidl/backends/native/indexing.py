"""Reading and writing by index in C++: along an axis any dtype, sums float32 and float64, any strides; slices of
contiguous arrays. An index that is out of range is the reference's.
"""

import numpy as np

from minidl import _native
from minidl.backends.reference import indexing as plain

_INT64 = np.dtype("int64")


def _served(index, *arrays):
    first = arrays[0]
    return (
        index.size
        and index.dtype == _INT64
        and first.ndim
        and all(x.__class__ is np.ndarray and x.dtype == first.dtype and x.flags.aligned for x in arrays)
        and not first.dtype.hasobject
        and first.dtype.itemsize <= 8
    )


def take_along(input, dim, index):
    if not _served(index, input):
        return NotImplemented
    out = _native.empty(index.shape, input.dtype)
    return out if _native.take_along(input, dim, index, out) else NotImplemented


def put_along(input, dim, index, source):
    if not _fits(index, input, source):
        return NotImplemented
    out = _native.copy(input)
    return out if _native.put_along(out, dim, index, source) else NotImplemented


def add_along(input, dim, index, source):
    if not _fits(index, input, source) or input.dtype.char not in "fd":
        return NotImplemented
    out, line = _native.copy(input), _only_along(index, dim, input, source)
    if line is not None:
        return out if _native.add_slices(out, dim, line, source) else NotImplemented
    return out if _native.add_along(out, dim, index, source) else NotImplemented


def _only_along(index, dim, input, source):
    """An index that is repeated over all that lies beside ``dim``, once; None for others."""
    beside = [d for d in range(index.ndim) if d != dim]
    repeated = all(
        index.shape[d] == input.shape[d] and (index.strides[d] == 0 or index.shape[d] == 1) for d in beside
    )
    if not repeated or not source.flags.c_contiguous:
        return None
    return np.ascontiguousarray(index[tuple(slice(None) if d == dim else 0 for d in range(index.ndim))])


def _fits(index, input, source):
    return _served(index, input, source) and source.shape == index.shape


def pick(input, index):
    dim = _only_array(index)
    if dim is None or not _served(index[dim], input) or not input.flags.c_contiguous:
        return NotImplemented
    where = np.ascontiguousarray(index[dim])
    out = _native.empty((*input.shape[:dim], *where.shape, *input.shape[dim + 1 :]), input.dtype)
    return out if _native.take_slices(input, dim, where, out) else NotImplemented


def index_add(g, index, shape, strides=None):
    if not _holds_arrays(index):
        return plain.index_add(np, g, index, shape, strides)
    dim = _only_array(index)
    if dim is None or not _served(index[dim], g) or g.dtype.char not in "fd":
        return NotImplemented
    out = np.zeros(shape, g.dtype)
    slices, where = np.ascontiguousarray(g), np.ascontiguousarray(index[dim])
    return out if _native.add_slices(out, dim, where, slices) else NotImplemented


def _holds_arrays(index):
    parts = index if index.__class__ is tuple else (index,)
    return any(part.__class__ is np.ndarray for part in parts)


def _only_array(index):
    """The place of the one array in a tuple of whole slices; None for other indices."""
    if index.__class__ is not tuple:
        return None
    arrays = [place for place, part in enumerate(index) if part.__class__ is np.ndarray]
    others = [part for part in index if part.__class__ is not np.ndarray]
    whole = all(part.__class__ is slice and part == slice(None) for part in others)
    return arrays[0] if len(arrays) == 1 and whole else None
