"""idx files, the format of MNIST.

    2 bytes   0
    1 byte    type: 0x08 uint8, 0x09 int8, 0x0B int16, 0x0C int32, 0x0D float32, 0x0E float64
    1 byte    number of dimensions
    4 bytes   each size, big-endian; then the elements, big-endian, the last dimension fastest

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
"""

import gzip
import math
import os
import zlib

import numpy as np

from minidl.errors import FileFormatError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path):
    """The array of an idx file, plain or compressed by gzip, as a NumPy array in native byte order.

    Raises ``FileNotFoundError`` where there is none, ``FileFormatError`` for one that is truncated or no idx file.

    >>> import os, tempfile
    >>> from minidl.io import read_idx
    >>> path = os.path.join(tempfile.mkdtemp(), "labels-idx1-ubyte")
    >>> with open(path, "wb") as file:
    ...     _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    >>> read_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    where = os.fspath(path)
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if compressed else open(path, "rb") as file:
            return _read(file, where)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileFormatError(f"{where}: the compressed file is damaged: {error}") from None


def _read(file, where):
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES:
        raise FileFormatError(
            f"{where}: no idx file: it begins with {start!r}, not 0, 0 and one of the types 8 to 14"
        )
    sizes = file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise FileFormatError(f"{where}: the file ends within the sizes of its {start[3]} dimensions")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    dtype = np.dtype(_TYPES[start[2]])
    wanted = math.prod(shape) * dtype.itemsize
    data = _up_to(file, wanted + 1)  # one more than wanted: whatever follows is damage too
    if len(data) != wanted:
        came = "more" if len(data) > wanted else str(len(data))
        raise FileFormatError(f"{where}: shape {shape} takes {wanted} bytes, but the file has {came}")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _up_to(file, count):
    """At most ``count`` bytes, in pieces: a header that promises much must not make much be allocated."""
    pieces, left = [], count
    while left and (piece := file.read(min(left, 1 << 20))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
