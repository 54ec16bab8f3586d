"""The storages of a ``.pt`` file: pieces of memory that tensors share, each a record of the file.

``Store`` finds, for the arrays that are saved, the memory that they view; ``tensor_array`` gives the array of a tensor
out of its storage again.
"""

import math
from typing import NamedTuple

import numpy as np

STORAGE_NAMES = {
    "bool": "BoolStorage", "uint8": "ByteStorage", "int8": "CharStorage", "int16": "ShortStorage",
    "int32": "IntStorage", "int64": "LongStorage", "float16": "HalfStorage", "bfloat16": "BFloat16Storage",
    "float32": "FloatStorage", "float64": "DoubleStorage",
}  # fmt: skip
STORAGE_DTYPES = {name: dtype for dtype, name in STORAGE_NAMES.items()}


class Place(NamedTuple):
    """Where a tensor lies in a storage of ``count`` elements; offset and strides count elements."""

    key: str
    count: int
    offset: int
    shape: tuple
    strides: tuple


class Store:
    """Collects the memory of arrays. ``records[int(key)]`` are the bytes of a storage."""

    def __init__(self):
        self.records = []
        self._keys, self._owners = {}, []

    def add(self, array):
        """The ``Place`` of an array in its storage. Arrays that view one piece of memory share the storage."""
        memory, offset = _memory(array)
        if memory is None:
            array = array.copy()  # in order; it shares its memory with no other
            memory, offset = array.reshape(-1), 0
        key = (memory.__array_interface__["data"][0], memory.nbytes, array.dtype)
        if not memory.nbytes or key not in self._keys:
            self._keys[key] = str(len(self.records))
            self.records.append(memory.view(np.uint8))
            self._owners.append(memory)  # so that no other memory gets its address
        item = array.dtype.itemsize
        strides = tuple(s // item for s in array.strides)
        return Place(self._keys[key], memory.nbytes // item, offset, array.shape, strides)


def _memory(array):
    """``(memory, offset)``: all of the memory that an array views, flat and in its dtype, and where the array begins.

    ``(None, 0)`` where a storage cannot hold it so: strides that run backwards, a byte order that is foreign.
    """
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    item = array.dtype.itemsize
    distance = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    in_order = owner.flags.c_contiguous or owner.flags.f_contiguous
    whole = in_order and distance % item == 0 and owner.nbytes % item == 0 and distance >= 0
    if not whole or not array.dtype.isnative or any(s < 0 or s % item for s in array.strides):
        return None, 0
    return owner.reshape(-1, order="A").view(np.uint8).view(array.dtype), distance // item


def tensor_array(memory, offset, shape, strides):
    """The array of ``shape`` and ``strides`` (elements) in a flat ``memory``. Raises ``ValueError`` beyond its end."""
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or any(type(n) is not int or n < 0 for n in numbers):
        raise ValueError(f"no tensor has size {shape}, stride {strides} and storage offset {offset}")
    item = memory.dtype.itemsize
    if 0 in shape:
        return np.empty(shape, memory.dtype)
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if last >= memory.size:
        raise ValueError(
            f"setStorage: sizes {list(shape)}, strides {list(strides)} and storage offset {offset} go beyond the "
            f"{memory.size} elements of the storage"
        )
    if math.prod(shape) > 1 << 62:
        raise ValueError(f"a tensor of size {list(shape)} is too large")
    return np.ndarray(shape, memory.dtype, memory, offset * item, tuple(s * item for s in strides))
