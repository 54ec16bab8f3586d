"""``.npz`` files: NumPy's archive of named arrays. Source: NumPy's ``numpy.lib.format``."""

import io
import math
import zipfile
import zlib

import numpy as np

from minidl import backends, dtypes
from minidl.autograd import Tensor
from minidl.errors import FileFormatError
from minidl.io.mapping import Buffer

_RATIO = 1032  # deflate makes no more of a byte
_ERRORS = (
    zipfile.BadZipFile, zlib.error, ValueError, TypeError, NotImplementedError, OverflowError, RuntimeError, OSError,
    EOFError, SyntaxError,
)  # fmt: skip


def is_npz(data):
    """Whether a zip file's first record is an array of NumPy's."""
    length = int.from_bytes(data[26:28], "little")
    return bytes(data[30 : 30 + length]).endswith(b".npy")


def npz_arrays(obj):
    """The arrays by name of a dict of tensors or arrays. Raises ``TypeError`` for what an archive cannot hold."""
    if not isinstance(obj, dict):
        raise TypeError(f"format 'npz' holds a dict of tensors or arrays, not {type(obj).__name__}")
    found = {}
    for name, value in obj.items():
        array = backends.to_numpy(value._array) if isinstance(value, Tensor) else value
        if type(name) is not str or not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise TypeError(
                f"cannot save the value at [{name}] as 'npz': it holds float, integer and bool arrays by name; "
                "bfloat16 is none of NumPy's types. Hint: format='safetensors' holds any value."
            )
        found[name] = array
    return found


def write_npz(file, arrays):
    """Writes arrays by name to a binary file."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=array.nbytes > 1 << 30) as record:
                np.lib.format.write_array(record, array, allow_pickle=False)


def read_npz(data, where):
    """The arrays by name of a file's bytes. Raises ``FileFormatError`` for one that is damaged, or holds objects."""
    try:
        with zipfile.ZipFile(Buffer(data)) as archive:
            entries = archive.infolist()
            if sum(info.compress_size for info in entries) > len(data):
                raise ValueError("records lie on each other")
            return {info.filename.removesuffix(".npy"): _array(archive, info) for info in entries}
    except _ERRORS as error:
        raise FileFormatError(f"{where}: it is truncated, damaged or no npz file: {error}") from None


def _header(file):
    """``(shape, fortran order, dtype)`` of a ``.npy`` file's start, which is a literal of Python's: its parser and
    tokenizer fail in ways of their own."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        return read(file)
    except Exception as error:
        raise ValueError(f"a header that is none: {type(error).__name__}: {error}") from None


def _array(archive, info):
    if info.file_size > _RATIO * info.compress_size + 64:
        raise ValueError(f"record {info.filename!r} claims to be {info.file_size} bytes")
    with archive.open(info) as record:
        head = io.BytesIO(record.read(min(info.file_size, 1 << 16)))
        shape, fortran, dtype = _header(head)
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or size != info.file_size - head.tell():
            raise ValueError(
                f"record {info.filename!r} of shape {shape} and dtype {dtype} is not {size} bytes"
            )
        raw = bytearray(head.read())
        while piece := record.read(1 << 20):
            raw += piece
    wanted = dtypes.of(dtype).numpy
    flat = np.frombuffer(raw, dtype).astype(wanted, copy=False)
    return flat.reshape(shape, order="F" if fortran else "C")
