"""The safetensors container: named arrays and one table of strings.

    8 bytes   n, the length of the header, little-endian
    n bytes   JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...}, and "__metadata__"
    the rest  the arrays' bytes, in order and without gaps; offsets count from here

Source: https://huggingface.co/docs/safetensors, section Format.
"""

import json
import math

import numpy as np

from minidl import dtypes
from minidl.errors import FileFormatError

_CODES = {
    **{"BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32"},
    **{"U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"},
}  # fmt: skip
_NAMES = {name: code for code, name in _CODES.items()}
_MAX_HEADER = 100_000_000  # safetensors' own limit
_MAX_DIMS = 64  # NumPy's
_CHUNK = 1 << 24


def write_container(file, arrays, metadata):
    """Writes ``arrays`` (a dict of NumPy arrays) and ``metadata`` (a dict of strings) to a binary file."""
    # Wide types first, so that a reader that maps the file finds every array aligned.
    order = sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)
    header, position = {"__metadata__": metadata}, 0
    for name in order:
        array = arrays[name]
        end = position + array.nbytes
        code = _NAMES[dtypes.of(array.dtype).name]
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode("ascii")
    text += b" " * (-len(text) % 8)
    if len(text) > _MAX_HEADER:
        raise ValueError(
            f"the values beside the arrays take {len(text)} bytes, the format holds {_MAX_HEADER}"
        )
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name in order:
        native = arrays[name].astype(arrays[name].dtype.newbyteorder("<"), copy=False)
        flat = np.ascontiguousarray(native).reshape(-1).view(np.uint8)
        for start in range(0, flat.size, _CHUNK):
            file.write(memoryview(flat[start : start + _CHUNK]))


def read_container(file, size, where):
    """``(arrays, metadata)`` of a binary file of ``size`` bytes; ``where`` names it in errors.

    Everything is checked against ``size`` before it is allocated: a small file never takes much memory.
    Raises ``FileFormatError``.
    """
    length = int.from_bytes(_exactly(file, 8, size, where, "its header's length"), "little")
    if length > min(size - 8, _MAX_HEADER):
        raise FileFormatError(
            f"{where}: the header should have {length} bytes, but the file has {size}: "
            "it is truncated or no safetensors file"
        )
    header = _parsed(_exactly(file, length, size, where, "its header"), where)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FileFormatError(f"{where}: __metadata__ is not a table of strings")
    entries = sorted(
        (_entry(name, fields, where) for name, fields in header.items()), key=lambda entry: entry[3:]
    )
    expected = 0
    for name, _, _, begin, end in entries:
        if begin != expected:
            raise FileFormatError(f"{where}: the bytes of {name!r} begin at {begin}, expected was {expected}")
        expected = end
    if expected != size - 8 - length:
        raise FileFormatError(
            f"{where}: the arrays take {expected} bytes, but {size - 8 - length} follow the header: "
            "it is truncated or damaged"
        )
    return {name: _array(file, name, dtype, shape, where) for name, dtype, shape, _, _ in entries}, metadata


def _exactly(file, count, size, where, what):
    data = file.read(count) if count <= size else b""
    if len(data) != count:
        raise FileFormatError(f"{where}: the file of {size} bytes ends within {what}")
    return data


def _unique(pairs):
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name occurs twice")
    return table


def _parsed(text, where):
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{where}: the header is not valid JSON: {error}") from None
    if not isinstance(header, dict):
        raise FileFormatError(f"{where}: the header is not a JSON object")
    return header


def _whole(value):
    return type(value) is int and value >= 0


def _entry(name, fields, where):
    """``(name, dtype, shape, begin, end)`` of an array, all consistent with each other."""
    if not isinstance(fields, dict) or set(fields) != {"dtype", "shape", "data_offsets"}:
        raise FileFormatError(f"{where}: {name!r} wants exactly dtype, shape and data_offsets")
    code, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(code, str) or code not in _CODES:
        raise FileFormatError(f"{where}: {name!r} has dtype {code!r}; supported are {', '.join(_CODES)}")
    try:
        dtype = dtypes.named(_CODES[code]).numpy
    except AttributeError as error:
        raise FileFormatError(f"{where}: {name!r}: {error}") from None
    if not isinstance(shape, list) or len(shape) > _MAX_DIMS or not all(map(_whole, shape)):
        raise FileFormatError(f"{where}: {name!r} has the impossible shape {shape!r}")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_whole, offsets)):
        raise FileFormatError(f"{where}: {name!r} has the impossible data_offsets {offsets!r}")
    begin, end = offsets
    if end - begin != math.prod(shape) * dtype.itemsize:
        raise FileFormatError(
            f"{where}: {name!r} of shape {shape} and dtype {code} takes {math.prod(shape) * dtype.itemsize} bytes, "
            f"but has {end - begin}"
        )
    return name, dtype, shape, begin, end


def _array(file, name, dtype, shape, where):
    try:
        array = np.empty(shape, dtype)
    except ValueError as error:  # [0, 2**63]: no bytes, and yet too large
        raise FileFormatError(f"{where}: {name!r} of shape {shape}: {error}") from None
    bytes_ = array.reshape(-1).view(np.uint8)
    view, filled = memoryview(bytes_), 0
    while filled < len(view):
        count = file.readinto(view[filled : filled + _CHUNK])
        if not count:
            raise FileFormatError(f"{where}: the file ends within the bytes of {name!r}")
        filled += count
    if dtype == dtypes.BOOL and bytes_.size and bytes_.max() > 1:
        raise FileFormatError(f"{where}: {name!r} holds truth values other than 0 and 1")
    return array
