"""``import torch`` gives minidl: for programs whose import cannot be changed.

``install_as_torch()``, or ``sys.modules["torch"] = minidl``, and from then on ``torch`` and every ``torch.x.y`` are the
very same module objects as ``minidl`` and ``minidl.x.y``. Without either, an installed PyTorch is left alone.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
import types

from minidl._version import __version__
from minidl.absent import module_reason
from minidl.dtypes import face

_OURS, _THEIRS = "minidl", "torch"
_state = {"installed": False}

# Where PyTorch keeps what minidl keeps elsewhere.
_PLACES = {
    "utils.data.dataloader": "utils.data",
    "autograd.anomaly_mode": "autograd",
    "autograd.grad_mode": "autograd",
    "nn.parallel.scatter_gather": "nn.parallel.on_one",
    "serialization": "io",
    "storage": "ops.storage",
    "torch_version": "as_torch",
    "_dynamo": "compiler",
    "_inductor": "compiler",
}

_FOLLOWED = "2.13.0"  # the PyTorch whose names and behaviour minidl follows


class TorchVersion(str):
    """A version that is compared by its numbers: with a text, or a tuple of numbers. Source: ``torch.torch_version``.

    >>> from minidl.as_torch import TorchVersion
    >>> TorchVersion("2.13.0+minidl.0.1.0") >= "2.8", TorchVersion("2.13.0") < (2, 4)
    (True, False)
    """

    __slots__ = ()
    __hash__ = str.__hash__

    def __lt__(self, other):
        return _numbers(self) < _numbers(other)

    def __le__(self, other):
        return _numbers(self) <= _numbers(other)

    def __gt__(self, other):
        return _numbers(self) > _numbers(other)

    def __ge__(self, other):
        return _numbers(self) >= _numbers(other)

    def __eq__(self, other):
        return str.__eq__(self, other) if isinstance(other, str) else _numbers(self) == _numbers(other)


def _numbers(version):
    """The numbers of a version as a tuple, without zeros behind."""
    if isinstance(version, str):
        version = re.match(r"[0-9.]*", version).group().strip(".").split(".")
    numbers = [int(number) for number in version if str(number).isdigit()]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def version_here():
    """``minidl.__version__``; where minidl is ``torch``, that of the PyTorch which it follows, its own behind a +.
    Programs ask that before they use a name.
    """
    if face() == _OURS:
        return __version__
    return TorchVersion(f"{_FOLLOWED}+minidl.{__version__}")


def install_as_torch():
    """Makes ``import torch`` and ``import torch.anything`` give minidl, for the whole process. Call it first of all.

    A submodule is one object under both names. A submodule of PyTorch's that minidl has not raises
    ``ModuleNotFoundError``; nothing of an installed PyTorch is imported. Raises ``RuntimeError`` where PyTorch itself
    has been imported already.

    >>> import subprocess, sys
    >>> program = '''
    ... import minidl
    ... minidl.install_as_torch()
    ... import torch, torch.nn.functional as F
    ... print(torch is minidl, F is minidl.nn.functional)
    ... '''
    >>> print(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip())
    True True
    """
    ours, present = sys.modules[_OURS], sys.modules.get(_THEIRS)
    if present is not None and present is not ours:
        where = getattr(present, "__file__", None) or "an unknown place"
        raise RuntimeError(
            f"torch is already imported, from {where}. "
            "Hint: call minidl.install_as_torch() before anything imports torch."
        )
    _state["installed"] = True
    sys.modules[_THEIRS] = ours
    _share_loaded(_OURS, _THEIRS)


def _share_loaded(ours, theirs):
    """Every loaded submodule of ``ours`` under its other name too, so that importing it binds no attribute anew."""
    for name, module in list(sys.modules.items()):
        hidden = name.count(".") == 1 and _hidden(name)
        if name.startswith(ours + ".") and module is not None and not hidden:
            sys.modules.setdefault(theirs + name[len(ours) :], module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``torch.x`` as ``minidl.x`` while ``torch`` is minidl."""

    def find_spec(self, fullname, path=None, target=None):
        root = fullname.partition(".")[0]
        if root != _THEIRS:
            return None
        ours, present = sys.modules.get(_OURS), sys.modules.get(_THEIRS)
        if ours is None or (present is not ours and not (_state["installed"] and present is None)):
            return None
        name = _our_name(fullname)
        if _hidden(name) or not _exists(name):
            below = fullname[len(_THEIRS) + 1 :]
            why = module_reason(below)
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: torch is minidl in this program, and minidl has no {below!r}"
                + (f". Hint: {why}" if why else ""),
                name=fullname,
            )
        module = importlib.import_module(name)
        return importlib.machinery.ModuleSpec(
            fullname, _Loader(module), is_package=hasattr(module, "__path__")
        )


def _our_name(fullname):
    """minidl's name of a module of PyTorch's: the same below ``minidl``, or that of the table."""
    below = fullname[len(_THEIRS) + 1 :]
    return f"{_OURS}.{_PLACES.get(below, below)}" if below else _OURS


def _hidden(name):
    """Whether a name is an attribute that is no module, as ``minidl.device`` is: PyTorch has no such submodule."""
    parent, _, child = name.rpartition(".")
    owner = sys.modules.get(parent)
    value = vars(owner).get(child) if owner is not None else None
    return value is not None and not isinstance(value, types.ModuleType)


def _exists(name):
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


class _Loader(importlib.abc.Loader):
    """Gives a module that is there, and leaves it as it is."""

    def __init__(self, module):
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec):
        if spec.name == _THEIRS + self._module.__name__[len(_OURS) :]:
            _share_loaded(self._module.__name__, spec.name)
        return self._module

    def exec_module(self, module):
        module.__spec__ = self._spec  # the import system has just written the other name's


def listen():
    """Puts the finder first among those of the import system. Once is enough."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
