"""Which arrays of a saved value share memory, and how to store them so that they still do when loaded.

An array that shares memory with no other is stored by itself, under the path at which it was found. Arrays that overlap
are stored as one region of bytes, each with its place in it: ``{"in": region, "offset": bytes, "strides": bytes}``.
"""

import math

import numpy as np
from numpy.lib.array_utils import byte_bounds

from minidl import dtypes


class ArrayStore:
    """Collects arrays of a value and says, at the end, what to write for them."""

    def __init__(self):
        self._arrays, self._paths, self._numbers = [], [], {}

    def add(self, array, path):
        """The number of an array; of an array of the same elements in memory, the same one."""
        key = (
            array.__array_interface__["data"][0],
            array.shape,
            array.strides,
            array.dtype.str,
            array.dtype.name,
        )
        if array.size == 0:
            key = id(array)  # no memory, nothing to share
        if key not in self._numbers:
            self._numbers[key] = len(self._arrays)
            self._arrays.append(array)  # kept, so that the address is not given to another array
            self._paths.append(path)
        return self._numbers[key]

    def stored(self):
        """``(arrays by name, description of each number)``."""
        written, places = {}, [None] * len(self._arrays)
        for group in _overlapping(self._arrays):
            if len(group) == 1 or not _fits_region([self._arrays[i] for i in group]):
                for i in group:
                    name = _free(".".join(self._paths[i]) or "value", written)
                    written[name], places[i] = self._arrays[i], {"name": name}
                continue
            region, low = _region([self._arrays[i] for i in group])
            name = _free("+".join(".".join(self._paths[i]) for i in group), written)
            written[name] = region
            for i in group:
                array = self._arrays[i]
                places[i] = {
                    "in": name,
                    "dtype": dtypes.of(array.dtype).name,
                    "shape": list(array.shape),
                    "offset": array.__array_interface__["data"][0] - low,
                    "strides": list(array.strides),
                }
        return written, places


def _free(name, taken):
    """``name``, or ``name`` with a number, that is not yet taken, and that UTF-8 can write."""
    name = name[:1000].encode("utf-8", "backslashreplace").decode("utf-8")
    choice, count = name, 1
    while choice in taken or choice == "__metadata__":
        count += 1
        choice = f"{name}#{count}"
    return choice


def _overlapping(arrays):
    """Groups of numbers of arrays whose extents in memory overlap, in the order of their first numbers."""
    extents = sorted((*byte_bounds(a), i) for i, a in enumerate(arrays) if a.size)
    groups, end = [[i] for i, a in enumerate(arrays) if not a.size], None
    for low, high, i in extents:
        if end is None or low >= end:
            groups.append([])
            end = high
        groups[-1].append(i)
        end = max(end, high)
    return sorted((sorted(group) for group in groups), key=min)


def _bounds(arrays):
    bounds = [byte_bounds(a) for a in arrays]
    return min(low for low, _ in bounds), max(high for _, high in bounds)


def _fits_region(arrays):
    """Whether each array names a byte of memory at most once: expanded ones and windows are stored by themselves."""
    low, high = _bounds(arrays)
    return all(a.nbytes <= high - low and 0 not in a.strides and a.dtype.isnative for a in arrays)


def _region(arrays):
    """The bytes from the first to the last that the arrays use, zeros where none does, and the address of the first."""
    low, high = _bounds(arrays)
    region = np.zeros(high - low, np.uint8)
    for array in arrays:
        offset = array.__array_interface__["data"][0] - low
        np.ndarray(array.shape, array.dtype, region, offset, array.strides)[...] = array
    return region, low


def restored(place, arrays):
    """The array that a description means, out of the file's ``arrays``. Raises ``ValueError`` for an impossible one."""
    if "name" in place:
        return arrays[place["name"]]
    region, dtype = arrays[place["in"]], dtypes.of_arrays(place["dtype"]).numpy
    shape, strides, offset = place["shape"], place["strides"], place["offset"]
    if (
        region.dtype != np.uint8
        or region.ndim != 1
        or not all(type(n) is int for n in (*shape, *strides, offset))
    ):
        raise ValueError("a shared array wants a region of bytes and integers")
    if math.prod(shape) * dtype.itemsize > region.size or 0 in strides:
        raise ValueError("a shared array names a byte more than once")
    if dtype == dtypes.BOOL and region.size and region.max() > 1:
        raise ValueError("truth values are 0 or 1")
    return np.ndarray(shape, dtype, region, offset, strides)
