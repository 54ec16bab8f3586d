"""The safetensors container: named arrays and one table of strings, written and checked by the safetensors package.

What the package leaves to us: the table of strings of a file that is no path, and what NumPy or we cannot hold.
Source: https://huggingface.co/docs/safetensors, section Format.
"""

import json

import numpy as np
from safetensors import SafetensorError, deserialize, safe_open
from safetensors.numpy import save

from minidl import dtypes
from minidl.errors import FileFormatError

_NAMES = {
    **{"BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32"},
    **{"U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"},
}  # fmt: skip


def write_container(file, arrays, metadata):
    """Writes ``arrays`` (a dict of NumPy arrays) and ``metadata`` (a dict of strings) to a binary file.

    Raises ``ValueError`` where the format cannot hold them.
    """
    # The package takes the bytes from the address of an array: they have to be in order.
    ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    try:
        data = save(ordered, metadata)
    except SafetensorError as error:
        raise ValueError(f"a safetensors file cannot hold the value: {error}") from None
    file.write(data)


def read_container(data, where):
    """``(arrays, metadata)`` of a file's bytes; ``where`` names it in errors. Raises ``FileFormatError``."""
    try:
        entries = deserialize(data)
    except SafetensorError as error:
        raise _damaged(where, error) from None
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return {name: _array(name, entry, where) for name, entry in entries}, header.get("__metadata__") or {}


def map_container(data, path, copy):
    """As ``read_container``, for the mapped bytes of the file at ``path``, which are copied once or not at all."""
    try:
        with safe_open(path, "np"):  # checks the header and that its tensors are the whole file
            pass
    except SafetensorError as error:
        raise _damaged(path, error) from None
    start = 8 + int.from_bytes(data[:8], "little")
    header, view = json.loads(data[8:start]), memoryview(data)
    metadata, arrays = header.pop("__metadata__", None) or {}, {}
    for name, entry in header.items():
        low, high = entry["data_offsets"]
        array = _array(name, {**entry, "data": view[start + low : start + high]}, path)
        aligned = array.flags.aligned and array.flags.writeable
        arrays[name] = array.copy() if copy or not aligned else array
    return arrays, metadata


def _damaged(where, error):
    return FileFormatError(f"{where}: it is truncated, damaged or no safetensors file: {error}")


def _array(name, entry, where):
    code, shape = entry["dtype"], entry["shape"]
    if code not in _NAMES:
        raise FileFormatError(f"{where}: {name!r} has dtype {code!r}; supported are {', '.join(_NAMES)}")
    try:
        dtype = dtypes.named(_NAMES[code]).numpy
        array = np.frombuffer(entry["data"], dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)
    except (AttributeError, ValueError) as error:  # no ml_dtypes; a shape that NumPy does not take
        raise FileFormatError(f"{where}: {name!r} of shape {shape}: {error}") from None
    if dtype == dtypes.BOOL and array.size and array.view(np.uint8).max() > 1:
        raise FileFormatError(f"{where}: {name!r} holds truth values other than 0 and 1")
    return array
