"""A user's index read as PyTorch reads it: first a basic part, whose result is a view, then an advanced part, a copy.

NumPy lets an int beside an index array take part in the broadcasting of the arrays, which moves dimensions:
``x[0, :, [1, 2]]`` is (2, n) there and (n, 2) here.
"""

import operator
import warnings

import numpy as np

from minidl import backends, dtypes
from minidl.autograd.tensor import TENSORS
from minidl.ops.common import told_later

_FULL = slice(None)
_BOUNDS = frozenset({int, type(None)})  # the classes of a slice's bounds that need no conversion


def split_index(index, array, keep=False):
    """``(basic, advanced)``: what the index selects is ``array[basic][advanced]``; a part with nothing to do is None.

    ``keep`` copies index arrays that the user could change later. Raises ``IndexError`` for what does not fit.
    """
    if index.__class__ is list and _means_tuple(index):
        index = tuple(index)
    if index.__class__ is tuple and _one_place(index, array.shape):
        return index, None
    parts = [_raw(p, array, keep) for p in (index if index.__class__ is tuple else (index,))]
    basic, advanced, dim, plain, selects = [], [], 0, True, False
    for place, part in enumerate(parts):
        cls = part.__class__
        if part is Ellipsis:
            rest = array.ndim - dim - sum(map(_width, parts[place + 1 :]))
            basic.append(part)
            advanced += [_FULL] * rest
            dim += rest
        elif part is None:
            plain = False
            basic.append(None)
            advanced.append(_FULL)
        elif cls is bool:  # a dimension of size 1, kept or emptied
            plain, selects = False, True
            basic.append(None)
            advanced.append(np.array([part]))
        elif dim + _width(part) > array.ndim:
            raise IndexError(f"too many indices for tensor of dimension {array.ndim}")
        elif cls is int:
            plain = False
            basic.append(_in_range(part, array.shape[dim], dim))
            dim += 1
        elif cls is slice:
            plain = plain and part == _FULL
            basic.append(part)
            advanced.append(_FULL)
            dim += 1
        else:
            selects = True
            basic += [_FULL] * _width(part)
            advanced.append(_checked(part, array, dim, _for_kernels(parts)))
            dim += _width(part)
    if not selects:
        return tuple(basic), None
    return None if plain else tuple(basic), tuple(_on_device(p, array) for p in advanced)


def _one_place(index, shape):
    """Whether the index is ints alone, each of its dimension: the commonest one in a loop over elements."""
    if not 0 < len(index) <= len(shape):
        return False
    for part, size in zip(index, shape, strict=False):
        if part.__class__ is not int or not -size <= part < size:
            return False
    return True


def _means_tuple(index):
    """Whether a list stands for one part a dimension, as PyTorch reads it: it is short and not of numbers alone."""
    if len(index) >= 32 or all(part.__class__ is int for part in index):
        return False
    beside = (list, tuple, range, slice, np.ndarray)
    several = any(
        p is None or p is Ellipsis or p.__class__ in TENSORS or isinstance(p, beside) for p in index
    )
    if several:
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch "
            "2.9; use x[tuple(seq)] instead of x[seq].",
            stacklevel=5,
        )
    return several


def _for_kernels(parts):
    """Whether kernels serve these index arrays: few, of integers."""
    arrays = [part for part in parts if hasattr(part, "dtype")]
    masked = any(part is True or part is False for part in parts) or any(
        a.dtype == dtypes.BOOL for a in arrays
    )
    return len(arrays) <= 4 and not masked


def _raw(part, array, keep):
    """One part of an index as None, Ellipsis, an int, a bool, a slice of ints, or an array of integers or bools."""
    cls = part.__class__
    if cls is int or part is None or part is Ellipsis or cls is bool:
        return part
    if cls is slice:
        return _raw_slice(part)
    if cls in TENSORS:
        part = part._array
    elif isinstance(part, (list, tuple, range)):
        part, keep = _of_sequence(part), False
    elif isinstance(part, np.generic):
        part = np.asarray(part)
    if not backends.is_array(part):
        if hasattr(part, "__index__"):
            return part.__index__()
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
            f"(got {cls.__name__})"
        )
    if dtypes.is_floating(part.dtype) or part.dtype.name == "int16":
        raise IndexError(
            "tensors used as indices must be long, int, byte or bool tensors, but got "
            f"{dtypes.of(part.dtype)!r}. Hint: convert the index with .long()."
        )
    if part.dtype == dtypes.uint8.numpy:
        warnings.warn(
            "indexing with dtype minidl.uint8 is now deprecated, please use a dtype minidl.bool instead.",
            stacklevel=4,
        )
        part = part.astype(dtypes.BOOL)
    if part.ndim == 0:
        return backends.to_numpy(part).item()
    return backends.of(part).copy(part) if keep else part


def _of_sequence(part):
    array = np.asarray([backends.to_numpy(p._array) if p.__class__ in TENSORS else p for p in part])
    return array.astype(np.int64) if array.size == 0 and array.dtype.kind == "f" else array


def _raw_slice(part):
    if part.step is None and part.start.__class__ in _BOUNDS and part.stop.__class__ in _BOUNDS:
        return part
    start, stop, step = (b if b is None else operator.index(b) for b in (part.start, part.stop, part.step))
    if step is not None and step <= 0:
        raise ValueError("step must be greater than zero. Hint: use .flip() for a reversed copy.")
    return slice(start, stop, step)


def _width(part):
    """How many dimensions of the array a part takes."""
    if part is None or part is Ellipsis or part.__class__ is bool:
        return 0
    return part.ndim if getattr(part, "dtype", None) == dtypes.BOOL else 1


def _in_range(index, size, dim):
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for dimension {dim} with size {size}")
    return index


def _checked(part, array, dim, deferred):
    """An index array that fits ``array`` at ``dim``; kernels may tell later that one does not."""
    if part.dtype != dtypes.BOOL:
        if part.size and not (deferred and told_later(part, array)):
            _in_range(int(part.min()), array.shape[dim], dim)
            _in_range(int(part.max()), array.shape[dim], dim)
        return part
    for i, n in enumerate(part.shape):
        if n != array.shape[dim + i]:
            raise IndexError(
                f"The shape of the mask {list(part.shape)} at index {i} does not match the shape of the indexed tensor "
                f"{list(array.shape)} at index {dim + i}"
            )
    return part


def _on_device(part, array):
    return part if part.__class__ is slice else backends.transfer(part, backends.device_of(array))
