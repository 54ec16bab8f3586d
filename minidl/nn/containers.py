"""Modules made of modules: ``Sequential``, ``ModuleList``, ``ModuleDict``."""

import itertools
import operator
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from minidl.nn.module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class _Numbered(Module):
    """Children named '0', '1', ... in order: what Sequential and ModuleList share."""

    def _position(self, index):
        """A child's index from 0. Raises ``IndexError`` outside, ``TypeError`` where ``index`` is no integer."""
        index, size = operator.index(index), len(self)
        if not -size <= index < size:
            raise IndexError(f"index {index} is out of range")
        return index % size

    def _renumber(self, modules):
        self._modules.clear()
        self._modules.update((str(i), module) for i, module in enumerate(modules))

    def _inserted(self, position, module):
        modules = list(self._modules.values())
        modules.insert(position, module)
        self._renumber(modules)

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def __delitem__(self, index):
        modules = list(self._modules.values())
        del modules[index if isinstance(index, slice) else self._position(index)]
        self._renumber(modules)

    def pop(self, key):
        """Removes the child at an index and returns it."""
        module = self[key]
        del self[key]
        return module

    def __dir__(self):
        return [name for name in super().__dir__() if not name.isdigit()]


class Sequential(_Numbered):
    """Modules called one after the other, each with what the one before returned: y = fₙ(… f₂(f₁(x))).

    Takes modules, or one ``OrderedDict`` from names to modules. Slices, ``+``, ``*``, ``append``, ``extend``,
    ``insert`` and ``pop`` work as on a list. Raises ``TypeError`` for what is no module. Source: PyTorch's
    ``torch.nn.Sequential``.

    >>> from minidl import nn
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> net[:2]
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args):
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.add_module(str(name) if isinstance(name, int) else name, module)

    def forward(self, input):
        for module in self._modules.values():
            input = module(input)
        return input

    def _name_at(self, index):
        return next(itertools.islice(self._modules, self._position(index), None))

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.__class__(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def __setitem__(self, index, module):
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index):
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name_at(index)]
        for name in names:
            delattr(self, name)
        self._renumber(list(self._modules.values()))

    def _joined(self, *parts):
        return self.__class__(*itertools.chain(*parts))

    def __add__(self, other):
        return self._joined(self, self._sequential(other))

    def __iadd__(self, other):
        return self.extend(list(self._sequential(other)))

    @staticmethod
    def _sequential(other):
        if not isinstance(other, Sequential):
            raise ValueError(
                f"add operator supports only objects of Sequential class, but {type(other)} is given."
            )
        return other

    def _times(self, count):
        if not isinstance(count, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(count)}")
        if count <= 0:
            raise ValueError(f"Non-positive multiplication factor {count} for {type(self)}")
        return count

    def __mul__(self, other):
        return self._joined(*[self] * self._times(other))

    __rmul__ = __mul__

    def __imul__(self, other):
        return self.extend(list(self) * (self._times(other) - 1))

    def append(self, module):
        """Adds a module at the end. Returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, sequential):
        """Adds modules at the end. Returns the container."""
        for module in list(sequential):
            self.append(module)
        return self

    def insert(self, index, module):
        """Puts a module before position ``index``. Returns the container."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}, got {type(module)}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        self._inserted(index, module)
        return self


class ModuleList(_Numbered):
    """A list of modules that are children of the module that holds it. It has no forward of its own.

    Raises ``TypeError`` for what is no module. Source: PyTorch's ``torch.nn.ModuleList``.

    >>> from minidl import nn
    >>> layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
    )
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self += modules

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.__class__(list(self._modules.values())[index])
        return self._modules[str(self._position(index))]

    def __setitem__(self, index, module):
        setattr(self, str(self._position(index)), module)

    def __iadd__(self, modules):
        return self.extend(modules)

    def __add__(self, other):
        return self.__class__(itertools.chain(self, other))

    def append(self, module):
        """Adds a module at the end. Returns the list."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules):
        """Adds modules at the end. Returns the list."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"ModuleList.extend should be called with an iterable, but got {type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index, module):
        """Puts a module before position ``index``."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._inserted(index, module)

    def __repr__(self):
        """Runs of modules with the same repr are shown once, with their count."""
        if not len(self):
            return f"{self._get_name()}()"
        lines, start = [], 0
        for text, run in itertools.groupby(repr(module) for module in self):
            count = len(list(run))
            end = start + count - 1
            lines.append(f"({start}): {text}" if count == 1 else f"({start}-{end}): {count} x {text}")
            start = end + 1
        body = "\n  ".join(line.replace("\n", "\n  ") for line in lines)
        return f"{self._get_name()}(\n  {body}\n)"


class ModuleDict(Module):
    """A dict from names to modules, in the order of insertion; the modules are children of whoever holds it.

    Raises ``TypeError`` for what is no module, ``KeyError`` for a name that a module's attribute has.
    Source: PyTorch's ``torch.nn.ModuleDict``.

    >>> from minidl import nn
    >>> choices = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
    >>> choices["tanh"]
    Tanh()
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def clear(self):
        """Removes all modules."""
        self._modules.clear()

    def pop(self, key):
        """Removes the module called ``key`` and returns it."""
        return self._modules.pop(key)

    def keys(self):
        """The names."""
        return self._modules.keys()

    def items(self):
        """Pairs of name and module."""
        return self._modules.items()

    def values(self):
        """The modules."""
        return self._modules.values()

    def update(self, modules):
        """Adds modules from a mapping or from pairs of name and module; a name that exists is replaced in its place."""
        for key, module in pairs_of(modules, "ModuleDict"):
            self[key] = module


def pairs_of(source, owner):
    """``(key, value)`` pairs of a mapping, of a dict-like module or of an iterable of pairs."""
    if not isinstance(source, Iterable):
        raise TypeError(
            f"{owner}.update should be called with an iterable of key/value pairs, but got "
            f"{type(source).__name__}"
        )
    if isinstance(source, (Mapping, ModuleDict)) or hasattr(source, "keys"):
        return list(source.items())
    pairs = list(source)
    for position, pair in enumerate(pairs):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{owner} update sequence element #{position} should be Iterable; is {type(pair).__name__}"
            )
        if len(pair) != 2:
            raise ValueError(
                f"{owner} update sequence element #{position} has length {len(pair)}; 2 is required"
            )
    return [tuple(pair) for pair in pairs]
