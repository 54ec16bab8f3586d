"""What the names in a ``.pt`` file's pickle stand for: the whole list. Any other name is refused.

Tensors are made by functions of this file, from storages that the caller of ``Names`` provides.
"""

import collections
import math
import re

import numpy as np

from minidl import backends, dtypes
from minidl.autograd.size import Size
from minidl.autograd.tensor import Tensor, make
from minidl.device import device
from minidl.io.pickle_reader import Constructor, Refused, check_key
from minidl.io.storages import STORAGE_DTYPES, tensor_array
from minidl.layouts import strided
from minidl.nn.parameter import Parameter

_OLD_MODULES = {"__builtin__": "builtins", "numpy._core.multiarray": "numpy.core.multiarray"}
_UNTYPED = ("torch.UntypedStorage", "torch.storage.UntypedStorage")
_DTYPES = re.compile(r"torch\.(bool|u?int(8|16|32|64)|float(16|32|64)|bfloat16)")
_MARKERS = {  # names that are arguments only
    "torch.Tensor": Tensor, "torch.nn.parameter.Parameter": Parameter, "torch._tensor.Tensor": Tensor,
    "numpy.ndarray": np.ndarray,
}  # fmt: skip
_NUMPY_CODE = re.compile(r"b1|[iu][1248]|f[248]")
_NUMPY_STATE = (None, None, None, -1, -1, 0)


class StorageType:
    """The class of a storage in a persistent id: what its elements are; None where the tensor says that."""

    def __init__(self, dtype):
        self.dtype = dtype


class Storage:
    """A piece of memory of the file: a flat array, and the device where its tensors are to be."""

    def __init__(self, memory, where):
        self.memory, self.where, self.cell, self.used = memory, where, [0], False


class Names:
    """Resolves the names of one file. ``outline``: no tensors are made, None stands for each."""

    def __init__(self, outline=False):
        self._table = {
            "collections.OrderedDict": Constructor(_ordered),
            "collections.Counter": Constructor(_counter),
            "builtins.set": Constructor(lambda values=(): set(_elements(values))),
            "builtins.frozenset": Constructor(lambda values=(): frozenset(_elements(values))),
            "builtins.bytearray": Constructor(lambda raw=b"": bytearray(_plain(raw, bytes))),
            "builtins.bytes": Constructor(lambda: b""),
            "_codecs.encode": Constructor(_encode),
            "torch.Size": Constructor(_size),
            "torch.device": Constructor(_device),
            "torch.serialization._get_layout": Constructor(_layout),
            "torch._utils._rebuild_tensor": Constructor(_tensor_v1),
            "torch._utils._rebuild_tensor_v2": Constructor(_tensor_v2),
            "torch._utils._rebuild_tensor_v3": Constructor(_tensor_v3),
            "torch._utils._rebuild_parameter": Constructor(_parameter),
            "torch._utils._rebuild_parameter_with_state": Constructor(_parameter_with_state),
            "torch._tensor._rebuild_from_type_v2": Constructor(_from_type),
            "numpy.dtype": Constructor(_numpy_dtype),
            "numpy.core.multiarray._reconstruct": Constructor(lambda *_: np.ndarray((0,), np.int8)),
            "numpy.core.multiarray.scalar": Constructor(_numpy_scalar),
            **_MARKERS,
        }
        if outline:
            nothing = Constructor(lambda *_: None)
            self._table.update({name: nothing for name in self._table if "._rebuild" in name})

    def resolve(self, module, name):
        """The value of a name, or ``Refused``."""
        full = f"{_OLD_MODULES.get(module, module)}.{name}"
        if full in self._table:
            return self._table[full]
        if module in ("torch", "torch.cuda", "torch.storage") and name in STORAGE_DTYPES:
            return StorageType(dtypes.named(STORAGE_DTYPES[name]))
        if full in _UNTYPED:
            return StorageType(None)
        if _DTYPES.fullmatch(full):
            return dtypes.named(name)
        raise Refused(f"GLOBAL {module}.{name}")


def build(target, state):
    """Gives ``target`` what a pickle says of its state: a dict's ``_metadata``, a NumPy array's content."""
    if type(target) is collections.OrderedDict and type(state) is dict and set(state) <= {"_metadata"}:
        vars(target).update(state)
    elif (
        isinstance(target, np.dtype)
        and type(state) is tuple
        and len(state) == 8
        and state[2:] == _NUMPY_STATE
    ):
        if state[:2] not in ((3, "<"), (3, "|"), (3, "=")):
            raise Refused(f"a numpy dtype of state {state[:2]}")
    elif type(target) is np.ndarray and type(state) is tuple and not target.size:
        _fill(target, *state)
    elif isinstance(target, Tensor) and type(state) is dict and not state:
        pass
    else:
        raise Refused(f"a state of {type(target).__name__}")
    return target


def _plain(value, *kinds):
    if type(value) not in kinds:
        raise ValueError(f"expected {kinds[0].__name__}, got {type(value).__name__}")
    return value


def _elements(values):
    for value in _plain(values, list, tuple):
        check_key(value)
    return values


def _ordered(pairs=()):
    _elements([key for key, _ in _plain(pairs, list, tuple)])
    return collections.OrderedDict(pairs)


def _counter(counts=None):
    return collections.Counter(_plain({} if counts is None else counts, dict))


def _encode(text, encoding):
    if encoding not in ("latin1", "latin-1"):
        raise Refused(f"encoding {encoding!r}")
    return _plain(text, str).encode("latin-1")


def _size(sizes=()):
    if any(type(n) is not int for n in _plain(sizes, tuple, list)):
        raise ValueError("a size is integers")
    return Size(sizes)


def _device(kind, index=None):
    return device(_plain(kind, str), index)


def _layout(name):
    if name != "torch.strided":
        raise Refused(f"a tensor of layout {name}")
    return strided


def _tensor(storage, offset, size, stride, requires_grad, dtype=None, metadata=None):
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without a storage")
    storage.used = True
    memory = storage.memory if dtype is None else storage.memory.view(dtype.numpy)
    array = tensor_array(memory, offset, _plain(size, tuple, Size), stride)
    if metadata:
        if metadata != {"neg": True}:
            raise Refused(f"a tensor with {metadata}")
        array = np.negative(array)
    out = make(backends.transfer(array, storage.where), None)
    if storage.where.type == "cpu" and not metadata:  # one storage, one version
        out._cell = storage.cell
    return out.requires_grad_(_plain(requires_grad, bool))


def _tensor_v1(storage, offset, size, stride):
    return _tensor(storage, offset, size, stride, False)


def _tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata=None):
    return _tensor(storage, offset, size, stride, requires_grad, None, metadata)


def _tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, metadata=None):
    return _tensor(storage, offset, size, stride, requires_grad, _plain(dtype, dtypes.dtype), metadata)


def _parameter(data, requires_grad, hooks):
    if not isinstance(data, Tensor):
        raise ValueError("a parameter without a tensor")
    return Parameter(data.detach(), _plain(requires_grad, bool))


def _parameter_with_state(data, requires_grad, hooks, state):
    return _with_attributes(_parameter(data, requires_grad, hooks), state)


def _from_type(function, kind, arguments, state):
    if not isinstance(function, Constructor) or kind not in (Tensor, Parameter):
        raise Refused("a tensor of a class of its own")
    out = function.build(*arguments)
    if not isinstance(out, Tensor):
        raise ValueError("no tensor")
    return _with_attributes(out, state)


def _with_attributes(tensor, state):
    """Python attributes that a program had set on a tensor; none takes the place of what tensors have."""
    for name, value in _plain(state, dict).items():
        if type(name) is not str or hasattr(tensor, name):
            raise Refused(f"an attribute {name!r} of a tensor")
        setattr(tensor, name, value)
    return tensor


def _numpy_dtype(code, align=False, copy=True):
    if not _NUMPY_CODE.fullmatch(_plain(code, str)):
        raise Refused(f"a numpy value of dtype {code!r}")
    return np.dtype(code)


def _numpy_scalar(dtype, raw):
    (value,) = np.frombuffer(_plain(raw, bytes), _checked(dtype))
    return value


def _checked(dtype):
    if not isinstance(dtype, np.dtype):
        raise ValueError("no numpy dtype")
    return dtype


def _fill(target, version, shape, dtype, fortran, raw):
    """Makes an empty array the one that a state describes; in place, for there may be other mentions of it."""
    if (
        math.prod(_size(shape)) * _checked(dtype).itemsize != len(_plain(raw, bytes))
        or min(shape, default=0) < 0
    ):
        raise ValueError("a numpy array whose bytes are not as many as its shape says")
    target.__setstate__((1, tuple(shape), dtype, bool(fortran), raw))
