"""Containers of parameters: ``ParameterList`` and ``ParameterDict``."""

import operator
from collections.abc import Iterable

from minidl.autograd.tensor import Tensor
from minidl.nn.containers import pairs_of
from minidl.nn.module import Module
from minidl.nn.naming import typename
from minidl.nn.parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


def _as_held(value):
    """Tensors become parameters; other values are held as they are."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(value, dtype_name):
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    size = "x".join(str(n) for n in value.shape)
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    device = "" if value.is_cpu else f" ({value.device})"
    return f"{kind} containing: [{dtype_name(value)} of size {size}{device}]"


class ParameterList(Module):
    """A list of parameters of the module that holds it; tensors that are given to it become parameters.

    Other values are held too, but are no parameters. Source: PyTorch's ``torch.nn.ParameterList``.

    >>> import minidl
    >>> from minidl import nn
    >>> weights = nn.ParameterList([minidl.ones(2), minidl.ones(2, 3)])
    >>> [name for name, _ in weights.named_parameters()]
    ['0', '1']
    """

    def __init__(self, values=None):
        super().__init__()
        self._size = 0
        if values is not None:
            self += values

    def _position(self, index):
        index = operator.index(index)
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range")
        return str(index % len(self))

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.__class__(list(self)[index])
        return getattr(self, self._position(index))

    def __setitem__(self, index, value):
        setattr(self, self._position(index), _as_held(value))

    def __len__(self):
        return self._size

    def __iter__(self):
        return iter([self[i] for i in range(len(self))])

    def __iadd__(self, values):
        return self.extend(values)

    def append(self, value):
        """Adds a value at the end. Returns the list."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values):
        """Adds values at the end. Returns the list. Raises ``TypeError`` where ``values`` is no sequence."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    def pop(self, index=-1):
        """Removes the value at an index and returns it."""
        values = list(self)
        taken = values.pop(int(self._position(index)))
        for i in range(len(self)):
            delattr(self, str(i))
        self._size = 0
        self.extend(values)
        return taken

    def __repr__(self):
        lines = [f"\n    ({i}): {_described(value, lambda v: repr(v.dtype))}" for i, value in enumerate(self)]
        return f"{self._get_name()}({''.join(lines)}\n)" if lines else f"{self._get_name()}()"

    def __call__(self, *args, **kwargs):
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dict from names to parameters of the module that holds it; tensors that are given to it become parameters.

    Source: PyTorch's ``torch.nn.ParameterDict``.

    >>> import minidl
    >>> from minidl import nn
    >>> scales = nn.ParameterDict({"left": minidl.ones(2)})
    >>> [name for name, _ in scales.named_parameters()]
    ['left']
    """

    def __init__(self, parameters=None):
        super().__init__()
        self._keys = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key):
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key, value):
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}')."
            )
        if key not in self._keys and hasattr(self, key):
            raise KeyError(f"attribute '{key}' already exists")
        self._keys[key] = None
        setattr(self, key, _as_held(value))

    def __delitem__(self, key):
        del self._keys[key]
        delattr(self, key)

    def __len__(self):
        return len(self._keys)

    def __iter__(self):
        return iter(self._keys)

    def __reversed__(self):
        return reversed(self._keys)

    def __contains__(self, key):
        return key in self._keys

    def __or__(self, other):
        joined = self.copy()
        joined.update(other)
        return joined

    def __ior__(self, other):
        self.update(other)
        return self

    def copy(self):
        """A new dict of the same parameters."""
        return self.__class__(dict(self.items()))

    def fromkeys(self, keys, default=None):
        """A new dict with the names of ``keys`` and one value for all."""
        return self.__class__((key, default) for key in keys)

    def setdefault(self, key, default=None):
        """The value of ``key``, which is ``default`` from now on where there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self):
        """Removes all values."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key):
        """Removes the value called ``key`` and returns it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self):
        """Removes the last value and returns it with its name."""
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def get(self, key, default=None):
        """The value of ``key``, or ``default``."""
        return getattr(self, key) if key in self._keys else default

    def keys(self):
        """The names."""
        return self._keys.keys()

    def items(self):
        """Pairs of name and value."""
        return [(key, self[key]) for key in self._keys]

    def values(self):
        """The values."""
        return [self[key] for key in self._keys]

    def update(self, parameters):
        """Adds values from a mapping or from pairs of name and value."""
        for key, value in pairs_of(parameters, "ParameterDict"):
            self[key] = value

    def __repr__(self):
        lines = [f"\n    ({key}): {_described(value, _tensor_type)}" for key, value in self.items()]
        return f"{self._get_name()}({''.join(lines)}\n)" if lines else f"{self._get_name()}()"

    def __call__(self, input):
        raise RuntimeError("ParameterDict should not be called.")


def _tensor_type(value):
    return typename(value.detach())
