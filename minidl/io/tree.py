"""Nested values as JSON, and back, without executing anything: the types are these and no others.

None, bool, int, float, str, list     themselves; nan and infinities {"float": "nan"}; huge integers {"int": "0x..."}
tuple, set, frozenset, minidl.Size    {"tuple": [...]} ...
dict, OrderedDict                     {"dict": [[key, value], ...]} ...
bytes                                 {"bytes": base64}
minidl.dtype, minidl.device           {"dtype": "float32"}, {"device": "cuda:0"}
Tensor, Parameter, Buffer             {"tensor": number}: a row of the table of tensors
numpy arrays, scalars                 {"array": number}, {"scalar": number}: a row of the table of arrays
"""

import base64
import collections
import math

import numpy as np

from minidl import backends, dtypes
from minidl.autograd import Tensor
from minidl.autograd.size import Size
from minidl.autograd.tensor import make
from minidl.device import device
from minidl.io.arrays import ArrayStore, restored
from minidl.nn.parameter import Buffer, Parameter

_SEQUENCES = {"tuple": tuple, "set": set, "frozenset": frozenset, "size": Size}
_MAPPINGS = {"dict": dict, "ordered": collections.OrderedDict}
_KINDS = {"Tensor": Tensor, "Parameter": Parameter, "Buffer": Buffer}
_TAGS = {kind: tag for tag, kind in (*_SEQUENCES.items(), *_MAPPINGS.items())}
_EXACT = 1 << 53  # integers that any JSON reader keeps


class Encoder:
    """Turns a value into JSON; collects its arrays in ``store`` and its tensors in ``tensors``."""

    def __init__(self):
        self.store, self.tensors = ArrayStore(), []
        self._rows, self._open = {}, set()

    def encode(self, value, path):
        """The JSON of ``value``, found at ``path`` (a tuple of strings). Raises ``TypeError`` naming path and type."""
        kind = type(value)
        if value is None or kind is bool or kind is str or (kind is int and -_EXACT <= value <= _EXACT):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is int:
            return {"int": hex(value)}
        if kind is bytes:
            return {"bytes": base64.b64encode(value).decode("ascii")}
        if kind is dtypes.dtype:
            return {"dtype": value.name}
        if kind is device:
            return {"device": str(value)}
        if kind in _KINDS.values():
            return {"tensor": self._tensor(value, path)}
        if kind is np.ndarray or isinstance(value, np.generic):
            return self._numpy(value, path)
        if kind is list or kind in _TAGS:
            return self._container(value, kind, path)
        raise TypeError(
            f"cannot save {shown_path(path)}: {kind.__module__}.{kind.__qualname__} is none of None, bool, int, float, "
            "str, bytes, list, tuple, set, dict, OrderedDict, Tensor, Parameter, Buffer, numpy array, Size, dtype, "
            "device. Hint: save state_dict() rather than a module or an optimizer."
        )

    def _container(self, value, kind, path):
        if id(value) in self._open:
            raise ValueError(f"cannot save {shown_path(path)}: it contains itself")
        self._open.add(id(value))
        if kind in _MAPPINGS.values():
            items = [
                [self.encode(key, (*path, f"key {key!r}")), self.encode(item, (*path, str(key)))]
                for key, item in value.items()
            ]
        else:
            items = [self.encode(item, (*path, str(i))) for i, item in enumerate(value)]
        self._open.discard(id(value))
        return items if kind is list else {_TAGS[kind]: items}

    def _tensor(self, tensor, path):
        if id(tensor) not in self._rows:
            self._rows[id(tensor)] = len(self.tensors)
            row = {
                "kind": type(tensor).__name__,
                "array": self.store.add(backends.to_numpy(tensor._array), path),
                "requires_grad": tensor.requires_grad,
                "device": str(tensor.device),
            }
            if type(tensor) is Buffer:
                row["persistent"] = getattr(tensor, "persistent", True)
            self.tensors.append(row)
        return self._rows[id(tensor)]

    def _numpy(self, value, path):
        array = np.asarray(value)
        try:
            dtypes.of(array.dtype)
        except TypeError:
            raise TypeError(f"cannot save {shown_path(path)}: a numpy value of dtype {array.dtype}") from None
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        return {"scalar" if isinstance(value, np.generic) else "array": self.store.add(array, path)}


def shown_path(path):
    return "the value" if not path else "the value at " + "".join(f"[{part}]" for part in path)


class Decoder:
    """Turns JSON back into a value. Wrong JSON raises one of ``Decoder.ERRORS``."""

    ERRORS = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError)

    def __init__(self, arrays, places, tensors, located):
        self._arrays, self._places, self._rows, self._located = arrays, places, tensors, located
        self._made, self._cells, self._restored = {}, {}, {}

    def decode(self, node):
        """The value of a node."""
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        (tag, content), *rest = node.items()
        if rest:
            raise ValueError(f"a node has one tag, not {list(node)}")
        if tag in _SEQUENCES:
            return _SEQUENCES[tag](self.decode(item) for item in content)
        if tag in _MAPPINGS:
            return _MAPPINGS[tag]((self.decode(key), self.decode(item)) for key, item in content)
        return getattr(self, f"_{tag}_of")(content)

    def _float_of(self, content):
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[content]

    def _int_of(self, content):
        return int(content, 16)

    def _bytes_of(self, content):
        return base64.b64decode(content, validate=True)

    def _dtype_of(self, content):
        return dtypes.of_arrays(content)

    def _device_of(self, content):
        return device(content)

    def _array_of(self, number):
        if number not in self._restored:
            self._restored[number] = restored(self._places[_row(number)], self._arrays)
        return self._restored[number]

    def _scalar_of(self, number):
        return self._array_of(number)[()]

    def _tensor_of(self, number):
        if number not in self._made:
            self._made[number] = self._tensor(self._rows[_row(number)])
        return self._made[number]

    def _tensor(self, row):
        where = self._located(row["device"])
        place = self._places[_row(row["array"])]
        array = backends.transfer(self._array_of(row["array"]), where)
        out = make(array, None, _KINDS[row["kind"]])
        if where.type == "cpu":  # one storage, one version
            out._cell = self._cells.setdefault(place.get("name", place.get("in")), out._cell)
        if type(out) is Buffer:
            out.persistent = bool(row["persistent"])
        return out.requires_grad_(row["requires_grad"] is True)


def _row(number):
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r} is no row of a table")
    return number
