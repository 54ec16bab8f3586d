"""Pickles of nested values with tensors, in the instructions and by the names that ``torch.load`` takes.

None, bool, int, float, str, bytes, list, tuple, dict, set     themselves
OrderedDict, Counter                                           collections.OrderedDict, collections.Counter
Size, dtype, device                                            torch.Size, torch.float32, torch.device
Tensor, Buffer; Parameter                                      torch._utils._rebuild_tensor_v2; _rebuild_parameter
numpy arrays and scalars                                       as NumPy pickles them (weights_only=True refuses those)

Protocol 2: what the oldest reader takes. Source: the module ``pickletools`` of Python.
"""

import collections
import pickle
import struct

import numpy as np

from minidl import backends, dtypes
from minidl.autograd import Tensor
from minidl.autograd.size import Size
from minidl.device import device
from minidl.io.storages import STORAGE_NAMES
from minidl.io.tree import shown_path
from minidl.nn.module import Module
from minidl.nn.parameter import Parameter


class WholeModule(Exception):
    """The value has a module in it, which has no place among tensors and plain containers."""


class Writer:
    """The pickle of a value, piece by piece; the arrays of its tensors go to ``store`` (see ``storages.Store``)."""

    def __init__(self, store):
        self._store = store
        self._pieces, self._memo, self._kept = [pickle.PROTO + b"\x02"], {}, []

    def dump(self, value):
        """The bytes of ``value``. Raises ``TypeError`` naming the place of what cannot be saved."""
        self._write(value, ())
        return b"".join([*self._pieces, pickle.STOP])

    def _emit(self, *pieces):
        self._pieces.extend(pieces)

    def _global(self, module, name):
        self._emit(pickle.GLOBAL, f"{module}\n{name}\n".encode())

    def _remember(self, value):
        """Lets later mentions of ``value`` be references to this one."""
        number = self._memo[id(value)] = len(self._memo)
        self._kept.append(value)  # so that no other object gets its id
        self._emit(
            pickle.BINPUT + bytes([number])
            if number < 256
            else pickle.LONG_BINPUT + struct.pack("<I", number)
        )

    def _write(self, value, path):
        number = self._memo.get(id(value))
        if number is not None:
            self._emit(
                pickle.BINGET + bytes([number])
                if number < 256
                else pickle.LONG_BINGET + struct.pack("<I", number)
            )
            return
        kind = type(value)
        write = _WRITERS.get(kind)
        if write is None and isinstance(value, Tensor):
            write = Writer._parameter if isinstance(value, Parameter) else Writer._tensor
        if write is None and isinstance(value, np.generic):
            write = Writer._numpy_scalar
        if write is None and isinstance(value, Module):
            raise WholeModule
        if write is None:
            raise TypeError(
                f"cannot save {shown_path(path)}: {kind.__module__}.{kind.__qualname__} is none of None, bool, int, "
                "float, str, bytes, list, tuple, set, dict, OrderedDict, Counter, Tensor, Parameter, Buffer, "
                "numpy array, Size, dtype, device. Hint: save state_dict() rather than a module or an optimizer."
            )
        write(self, value, path)

    def _none(self, value, path):
        self._emit(pickle.NONE)

    def _bool(self, value, path):
        self._emit(pickle.NEWTRUE if value else pickle.NEWFALSE)

    def _int(self, value, path):
        if -(1 << 31) <= value < 1 << 31:
            self._emit(pickle.BININT + struct.pack("<i", value))
            return
        raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        long = len(raw) > 255
        self._emit(
            pickle.LONG4 + struct.pack("<i", len(raw)) if long else pickle.LONG1 + bytes([len(raw)]), raw
        )

    def _float(self, value, path):
        self._emit(pickle.BINFLOAT + struct.pack(">d", value))

    def _str(self, value, path):
        raw = value.encode("utf-8", "surrogatepass")
        self._emit(pickle.BINUNICODE + struct.pack("<I", len(raw)), raw)
        self._remember(value)

    def _bytes(self, value, path):
        self._global("_codecs", "encode")
        self._write(value.decode("latin-1"), path)
        self._write("latin1", path)
        self._emit(pickle.TUPLE2, pickle.REDUCE)

    def _items(self, values, path):
        for i, item in enumerate(values):
            self._write(item, (*path, str(i)))

    def _tuple(self, value, path):
        if not value:
            self._emit(pickle.EMPTY_TUPLE)
            return
        short = {1: pickle.TUPLE1, 2: pickle.TUPLE2, 3: pickle.TUPLE3}.get(len(value))
        if short is None:
            self._emit(pickle.MARK)
        self._items(value, path)
        self._emit(short or pickle.TUPLE)

    def _list(self, value, path):
        self._emit(pickle.EMPTY_LIST)
        self._remember(value)
        self._emit(pickle.MARK)
        self._items(value, path)
        self._emit(pickle.APPENDS)

    def _set(self, value, path):
        self._global("__builtin__", "set")
        self._write(list(value), path)
        self._emit(pickle.TUPLE1, pickle.REDUCE)

    def _pairs(self, value, path):
        self._emit(pickle.MARK)
        for key, item in value.items():
            self._write(key, (*path, f"key {key!r}"))
            self._write(item, (*path, str(key)))
        self._emit(pickle.SETITEMS)

    def _dict(self, value, path):
        self._emit(pickle.EMPTY_DICT)
        self._remember(value)
        self._pairs(value, path)

    def _ordered(self, value, path):
        self._global("collections", "OrderedDict")
        self._emit(pickle.EMPTY_TUPLE, pickle.REDUCE)
        self._remember(value)
        self._pairs(value, path)
        metadata = getattr(value, "_metadata", None)  # the versions of modules in a state_dict
        if metadata is not None:
            self._write({"_metadata": metadata}, (*path, "_metadata"))
            self._emit(pickle.BUILD)

    def _counter(self, value, path):
        self._global("collections", "Counter")
        self._write(dict(value), path)
        self._emit(pickle.TUPLE1, pickle.REDUCE)

    def _size(self, value, path):
        self._global("torch", "Size")
        self._write(tuple(value), path)
        self._emit(pickle.TUPLE1, pickle.REDUCE)

    def _dtype(self, value, path):
        self._global("torch", value.name)

    def _device(self, value, path):
        self._global("torch", "device")
        self._write((value.type,) if value.index is None else (value.type, value.index), path)
        self._emit(pickle.REDUCE)

    def _tensor(self, value, path):
        self._rebuilt(value, value.requires_grad, path)
        self._remember(value)

    def _parameter(self, value, path):
        self._global("torch._utils", "_rebuild_parameter")
        self._emit(pickle.MARK)
        self._rebuilt(value, False, path)
        self._bool(value.requires_grad, path)
        self._ordered(collections.OrderedDict(), path)
        self._emit(pickle.TUPLE, pickle.REDUCE)
        self._remember(value)

    def _rebuilt(self, value, requires_grad, path):
        """A tensor's storage and its place in it. Dtypes that have no storage class of their own name it besides."""
        dtype, where = value.dtype, value.device
        place = self._store.add(backends.to_numpy(value._array))
        typed = dtype.name in STORAGE_NAMES
        self._global("torch._utils", "_rebuild_tensor_v2" if typed else "_rebuild_tensor_v3")
        self._emit(pickle.MARK, pickle.MARK)
        self._write("storage", path)
        if typed:
            self._global("torch", STORAGE_NAMES[dtype.name])
        else:
            self._global("torch.storage", "UntypedStorage")
        self._write(place.key, path)
        self._write(str(where) if where.type == "cuda" else "cpu", path)
        self._int(place.count if typed else place.count * dtype.itemsize, path)
        self._emit(pickle.TUPLE, pickle.BINPERSID)
        self._int(place.offset, path)
        self._tuple(tuple(place.shape), path)
        self._tuple(tuple(place.strides), path)
        self._bool(requires_grad, path)
        self._ordered(collections.OrderedDict(), path)
        if not typed:
            self._dtype(dtype, path)
        self._emit(pickle.TUPLE, pickle.REDUCE)

    def _numpy_dtype(self, value, path):
        self._global("numpy", "dtype")
        self._write((value.str[1:], False, True), path)
        self._emit(pickle.REDUCE)
        self._write((3, value.str[0], None, None, None, -1, -1, 0), path)
        self._emit(pickle.BUILD)

    def _numpy_array(self, value, path):
        _plain_dtype(value, path)
        self._global("numpy.core.multiarray", "_reconstruct")
        self._global("numpy", "ndarray")
        self._write((0,), path)
        self._write(b"b", path)
        self._emit(pickle.TUPLE3, pickle.REDUCE, pickle.MARK)
        self._int(1, path)
        self._tuple(value.shape, path)
        self._numpy_dtype(value.dtype, path)
        self._bool(False, path)
        self._bytes(value.tobytes(), path)
        self._emit(pickle.TUPLE, pickle.BUILD)
        self._remember(value)

    def _numpy_scalar(self, value, path):
        _plain_dtype(value, path)
        self._global("numpy.core.multiarray", "scalar")
        self._numpy_dtype(value.dtype, path)
        self._bytes(value.tobytes(), path)
        self._emit(pickle.TUPLE2, pickle.REDUCE)


def _plain_dtype(value, path):
    if value.dtype.kind not in "biuf":
        raise TypeError(f"cannot save {shown_path(path)}: a numpy value of dtype {value.dtype}")


_WRITERS = {
    type(None): Writer._none, bool: Writer._bool, int: Writer._int, float: Writer._float, str: Writer._str,
    bytes: Writer._bytes, tuple: Writer._tuple, list: Writer._list, set: Writer._set, dict: Writer._dict,
    collections.OrderedDict: Writer._ordered, collections.Counter: Writer._counter, Size: Writer._size,
    dtypes.dtype: Writer._dtype, device: Writer._device, np.ndarray: Writer._numpy_array,
}  # fmt: skip
