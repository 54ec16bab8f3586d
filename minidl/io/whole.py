"""Whole modules in a ``.pt`` file: Python's own pickle of a value with modules in it, whose arrays are storages.

Such a file names classes, which reading it imports and calls: only ``load(..., weights_only=False)`` does so, or
``load`` of a file whose classes the program allowed (``safe_globals``). The record ``NAME/pickle`` says that a file
asks for it. It holds what the classes of a later minidl, or of the program, may no longer fit: a ``state_dict`` lasts
longer.
"""

import io
import pickle

import numpy as np

from minidl import backends, dtypes
from minidl.autograd.tensor import make
from minidl.backends.memory_order import put_back
from minidl.errors import DeviceError, FileFormatError, UnsafePickleError
from minidl.io.storages import STORAGE_NAMES, tensor_array

RECORD = "pickle"
_TENSOR = ("minidl.autograd.tensor", "_unpickle")
_ALWAYS = {
    ("__builtin__", "set"), ("collections", "OrderedDict"), ("minidl.autograd.node", "Hooks"),
    ("minidl.autograd.size", "Size"), ("minidl", "Tensor"), ("minidl.autograd.tensor", "Tensor"),
    ("minidl.device", "device"), ("minidl.dtypes", "named"), ("minidl.nn.parameter", "Buffer"),
    ("minidl.nn.parameter", "Parameter"),
}  # fmt: skip


# What a damaged pickle raises; of a trusted file, other errors are those of the program's own classes.
_DAMAGE = (pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError)


class _Pickler(pickle.Pickler):
    def __init__(self, file, store):
        super().__init__(file, 2)
        self._store = store

    def persistent_id(self, value):
        if type(value) is np.ndarray and value.dtype.name in STORAGE_NAMES:
            return (value.dtype.name, *self._store.add(value))
        return None


def dump(value, store):
    """The pickle of ``value``; its arrays go to ``store``. Raises ``TypeError`` where Python cannot pickle it."""
    file = io.BytesIO()
    try:
        _Pickler(file, store).dump(value)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"cannot save the module: {error}. Hint: its classes and functions must be found by their names; or save "
            "its state_dict()."
        ) from error
    return file.getvalue()


class _Reading:
    """``memory(key, dtype, count)`` gives the flat array of a storage, ``located(device)`` where its tensors go.
    ``allowed``: {(module, name): class or function} of what a file may name besides tensors and containers; None: all.
    """

    def __init__(self, data, memory, located, allowed):
        super().__init__(io.BytesIO(data))
        self._memory, self._located, self._allowed = memory, located, allowed

    def persistent_load(self, identity):
        name, key, count, offset, shape, strides = identity
        return tensor_array(self._memory(key, dtypes.named(name), count), offset, shape, strides)

    def find_class(self, module, name):
        if (module, name) == _TENSOR:
            return self._tensor
        if self._allowed is None or (module, name) in _ALWAYS:
            return super().find_class(module, name)
        if (module, name) not in self._allowed:
            raise UnsafePickleError(
                f"Weights only load failed: Unsupported global: GLOBAL {module}.{name} was not an allowed global. "
                f"Hint: add_safe_globals([{name}]) allows it, where you trust it."
            )
        return self._allowed[module, name]

    def _tensor(self, cls, array, where, requires_grad, state, order=None):
        array = backends.transfer(array, self._located(where))
        out = make(array if order is None else put_back(array, order), None, cls)
        out.__dict__.update(state)
        return out.requires_grad_(requires_grad)


class _Trusting(_Reading, pickle.Unpickler):
    """Fast; reserves as much memory as a file asks for."""


class _Careful(_Reading, pickle._Unpickler):
    """Python's own machine in Python: what it remembers of a file is never larger than the file."""


def undump(data, memory, located, where, allowed=None):
    """The value of a pickle that ``dump`` wrote. It imports and calls what the pickle names, of what is ``allowed``."""
    machine, damage = (_Trusting, _DAMAGE) if allowed is None else (_Careful, Exception)
    try:
        return machine(data, memory, located, allowed).load()
    except (DeviceError, UnsafePickleError):
        raise
    except damage as error:
        raise FileFormatError(f"{where}: it is damaged: {type(error).__name__}: {error}") from error
