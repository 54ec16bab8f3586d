"""``.pt`` files: what ``torch.save`` writes, read and written without PyTorch.

    NAME/data.pkl     the value, a pickle in which a tensor's storage is a persistent id
                      ("storage", type, key, device, number of elements)
    NAME/data/KEY     the bytes of a storage, at a multiple of 64 from the file's start
    NAME/byteorder    "little" or "big"
    NAME/version      "3"

all in a zip archive, uncompressed. Before PyTorch 1.6: one stream of pickles (a magic number, a version, the machine,
the value, the keys of the storages), and then for each key the number of elements (int64) and the elements.
"""

import functools
import struct
import sys
import zipfile
import zlib

import numpy as np

from minidl import dtypes
from minidl.errors import DeviceError, FileFormatError, UnsafePickleError
from minidl.io import whole
from minidl.io.mapping import Buffer
from minidl.io.pickle_names import Names, Storage, StorageType, build
from minidl.io.pickle_reader import Machine, Refused
from minidl.io.pickle_writer import WholeModule, Writer
from minidl.io.safe_globals import allowed_by_name
from minidl.io.storages import Store

_ALIGNMENT = 64
_MAGIC = 0x1950A86A20F9469CFC6C
_MAGIC_PICKLE = (
    b"\x8a\x0a" + _MAGIC.to_bytes(10, "little") + b"."
)  # behind the protocol, and from 4 on a frame


class TorchWriter:
    """``obj`` as ``torch.load`` reads it; a value with modules in it as minidl alone reads it (``whole``).

    Raises ``TypeError`` naming the place of what cannot be saved.
    """

    def __init__(self, obj, name="archive"):
        self._store, self._name, self._whole = Store(), name, False
        try:
            self._pickled = Writer(self._store).dump(obj)
        except WholeModule:
            self._store, self._whole = Store(), True
            self._pickled = whole.dump(obj, self._store)

    def write(self, file):
        """Writes it to a binary file."""
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            _put(archive, f"{self._name}/data.pkl", self._pickled)
            _put(archive, f"{self._name}/byteorder", sys.byteorder.encode())
            if self._whole:
                _put(archive, f"{self._name}/{whole.RECORD}", b"1\n")
            for key, memory in enumerate(self._store.records):
                _put(archive, f"{self._name}/data/{key}", memory.data if memory.size else b"")
            _put(archive, f"{self._name}/version", b"3\n")


def _put(archive, name, data):
    """Writes a record that begins at a multiple of 64 bytes: padding goes to the header's extra field."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    size = info.file_size = len(data)
    header = 30 + len(name.encode()) + (20 if size * 1.05 > zipfile.ZIP64_LIMIT else 0) + 4
    padding = -(archive.start_dir + header) % _ALIGNMENT
    info.extra = b"FB" + struct.pack("<H", padding) + b"Z" * padding
    with archive.open(info, "w") as record:
        record.write(data)


def read_torch(data, where, located, copy=True, trusted=False):
    """The value of a zip ``.pt`` file whose bytes are ``data``; ``where`` names it in errors.

    ``located(name)`` gives the device of a saved one. ``copy=False`` lets tensors share ``data``, which must then be
    writable, and does not look for flipped bits. ``trusted``: whether a file with whole modules may be unpickled.
    """
    archive = _Archive(data, where)
    pickled = bytes(archive.record("data.pkl", check=True))
    order = bytes(archive.record("byteorder", check=True)) if archive.has("byteorder") else b"little"
    if order not in (b"little", b"big"):
        raise FileFormatError(f"{where}: it names the byte order {order!r}")

    @functools.cache
    def memory(key, dtype, count):
        raw = archive.record(f"data/{key}", check=copy)
        return _memory(raw, dtype, count, order == b"big", copy)

    if archive.has(whole.RECORD):
        allowed = allowed_by_name()
        if not trusted and not allowed:
            return _run(Machine(pickled, 0, Names().resolve, lambda _: None, build), where, _TRUST)
        return whole.undump(pickled, memory, located, where, None if trusted else allowed)
    storages = {}

    def persistent(identity):
        kind, key, place, count = _identity(identity)
        if key not in storages:
            dtype = dtypes.uint8 if kind.dtype is None else kind.dtype
            storages[key] = kind, Storage(memory(key, dtype, count), located(place))
        known, storage = storages[key]
        if known.dtype is not kind.dtype:
            raise ValueError(f"storage {key!r} has two types")
        return storage

    value = _run(Machine(pickled, 0, Names().resolve, persistent, build), where)
    _refuse_bare([storage for _, storage in storages.values()], where)
    return value


def _refuse_bare(storages, where):
    if not all(storage.used for storage in storages):
        raise UnsafePickleError(
            f"{where}: Weights only load failed: it holds a storage that is no tensor's. Hint: save the tensor."
        )


def _identity(identity):
    """``(type, key, device, count)`` of a persistent id."""
    tag, kind, key, place, count = identity[:5]
    right = tag == "storage" and isinstance(kind, StorageType) and type(key) is str and type(place) is str
    if not right or type(count) is not int or count < 0:
        raise ValueError("a persistent id that is no storage")
    return kind, key, place, count


def _memory(raw, dtype, count, swapped, copy):
    """The flat array of a storage's bytes."""
    if len(raw) != count * dtype.itemsize:
        raise ValueError(
            f"a storage of {count} {dtype.name} is {count * dtype.itemsize} bytes, not {len(raw)}"
        )
    flat = np.frombuffer(raw, np.uint8)
    if dtype is dtypes.bool_ and flat.size and flat.max() > 1:
        raise ValueError("truth values are 0 or 1")
    aligned = flat.size == 0 or flat.__array_interface__["data"][0] % dtype.itemsize == 0
    if copy or not aligned or not flat.flags.writeable:
        flat = flat.copy()
    flat = flat.view(dtype.numpy)
    return flat.byteswap() if swapped != (sys.byteorder == "big") else flat


_STATE = "in PyTorch, save model.state_dict() rather than the model."
_TRUST = (
    "it holds a whole module, and load(..., weights_only=False) runs what its pickle names: only where you trust the "
    "file. Or save model.state_dict() rather than the model."
)


def _run(machine, where, hint=_STATE):
    """The value of the machine's pickle, and errors in a user's words."""
    try:
        return machine.run()
    except Refused as refusal:
        raise UnsafePickleError(
            f"{where}: Weights only load failed: Unsupported global: {refusal} is no part of tensors and plain "
            f"containers; nothing was executed. Hint: {hint}"
        ) from None
    except (DeviceError, FileFormatError):
        raise
    except (*Machine.ERRORS, RuntimeError, RecursionError) as error:
        raise FileFormatError(
            f"{where}: it is truncated or damaged: {type(error).__name__}: {error}"
        ) from None


class _Archive:
    """The records of a zip file in memory, found by their names behind the archive's own folder."""

    def __init__(self, data, where):
        self._data, self._where, self._left = memoryview(data), where, len(data)
        try:
            with zipfile.ZipFile(Buffer(data)) as archive:
                entries = archive.infolist()
        except (
            zipfile.BadZipFile,
            ValueError,
            NotImplementedError,
            OverflowError,
            UnicodeError,
            struct.error,
        ) as e:
            raise FileFormatError(f"{where}: it is truncated, damaged or no zip file: {e}") from None
        self._entries = {info.filename.partition("/")[2]: info for info in entries}

    def has(self, name):
        return name in self._entries

    def record(self, name, check):
        """The bytes of a record, uncopied. ``check`` compares its checksum. All records are at most the file."""
        info = self._entries.get(name)
        if info is None:
            raise FileFormatError(
                f"{self._where}: it has no record {name!r}: truncated, or no file of torch.save"
            )
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise FileFormatError(f"{self._where}: record {name!r} is compressed; torch.save compresses none")
        start = self._start(info)
        raw = self._data[start : start + info.file_size]
        self._left -= info.file_size
        if len(raw) != info.file_size or info.compress_size != info.file_size or self._left < 0:
            raise FileFormatError(
                f"{self._where}: record {name!r} goes beyond the file's end: truncated or damaged"
            )
        if check and zlib.crc32(raw) != info.CRC:
            raise FileFormatError(f"{self._where}: record {name!r} is damaged: its checksum is another")
        return raw

    def _start(self, info):
        """Where a record's bytes begin: behind its local header, whose lengths are its own."""
        at = info.header_offset
        header = self._data[at : at + 30]
        if at < 0 or len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise FileFormatError(
                f"{self._where}: record {info.filename!r} has no header: truncated or damaged"
            )
        name, extra = struct.unpack("<HH", header[26:30])
        return at + 30 + name + extra


def is_legacy(data):
    """Whether a file begins with the magic number of PyTorch before 1.6."""
    start = bytes(data[:32])
    return start[:1] == b"\x80" and _MAGIC_PICKLE in start


def read_legacy(data, where, located):
    """The value of a ``.pt`` file of PyTorch before 1.6. The value is read twice: its storages stand behind it."""
    data, kinds, storages = bytes(data), {}, {}

    def noted(identity):
        kind, key, _, count = _identity(identity)
        if len(identity) > 5 and identity[5] is not None:
            raise Refused("a view of a storage, as PyTorch before 0.4 saved it,")
        kinds[key] = kind.dtype or dtypes.uint8, count

    def persistent(identity):
        _, key, place, _ = _identity(identity)
        if key not in storages:
            storages[key] = Storage(memories[key], located(place))
        return storages[key]

    def run(at, names, persistent):
        machine = Machine(data, at, names.resolve, persistent, build)
        return _run(machine, where), machine.position

    at = 0
    for _ in range(3):  # magic number, protocol, machine
        _, at = run(at, Names(), noted)
    _, behind = run(at, Names(outline=True), noted)
    keys, behind = run(behind, Names(), noted)
    try:
        memories = _legacy_memories(data, behind, keys, kinds)
    except (*Machine.ERRORS, RuntimeError) as error:
        raise FileFormatError(f"{where}: it is truncated or damaged: {error}") from None
    value, _ = run(at, Names(), persistent)
    _refuse_bare(storages.values(), where)
    return value


def _legacy_memories(data, at, keys, kinds):
    """The flat array of each storage of a file before 1.6, which stand one behind the other from ``at`` on."""
    found, machine = {}, Machine(data, at, None, None, None)
    for key in keys:
        dtype, count = kinds[key]
        if machine.number("<q") != count:
            raise ValueError(f"storage {key!r} has not {count} elements")
        found[key] = _memory(machine.take(count * dtype.itemsize), dtype, count, sys.byteorder == "big", True)
    return found
