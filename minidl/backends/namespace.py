"""``Backend``: a namespace of array functions, put together from the modules of a family folder."""

import contextlib
import functools
import importlib
import inspect
import pkgutil
import sys

import numpy as np

_traces = []


@contextlib.contextmanager
def trace_fallbacks():
    """Collects ``(backend, function)`` of every call that an override refused and the reference served.

    >>> import minidl
    >>> from minidl import backends
    >>> with backends.trace_fallbacks() as fallen:
    ...     _ = minidl.ones(2) + 1
    >>> fallen
    []
    """
    fallen = []
    _traces.append(fallen)
    try:
        yield fallen
    finally:
        _traces.remove(fallen)


def _functions(package, unavailable=None):
    """Public functions of all modules in a package, by name; a name in two families is an error.

    Where ``unavailable`` is a dict, a family that cannot be imported is left out and its reason kept there.
    """
    found = {}
    room = importlib.import_module(package)
    for info in pkgutil.iter_modules(room.__path__):
        try:
            module = importlib.import_module(f"{package}.{info.name}")
        except ImportError as error:
            if unavailable is None:
                raise
            unavailable[info.name] = str(error)
            continue
        for name, value in vars(module).items():
            if name.startswith("_") or inspect.isclass(value) or not callable(value):
                continue
            if getattr(value, "__module__", None) not in (module.__name__, "minidl._native"):
                continue
            if name in found:
                raise ImportError(f"{package}: function {name!r} is defined in two families")
            found[name] = value
    return found


def _numpy_call(fn):
    """``fn`` on NumPy, without floating-point warnings, and with 0-d arrays where NumPy gives scalars."""
    if getattr(sys.modules[fn.__module__], "QUIET", False):
        return functools.partial(fn, np)

    @functools.wraps(fn)
    def call(*args, **kwargs):
        with np.errstate(all="ignore"):
            out = fn(np, *args, **kwargs)
        if isinstance(out, np.generic):
            return np.asarray(out)
        if out.__class__ is tuple:
            return tuple(np.asarray(o) if isinstance(o, np.generic) else o for o in out)
        return out

    return call


def _falling_through(backend, name, fast, slow):
    """``fast``, and ``slow`` for what it refuses by returning NotImplemented."""

    def call(*args):
        out = fast(*args)
        if out is NotImplemented:
            for fallen in _traces:
                fallen.append((backend, name))
            return slow(*args)
        return out

    call.__name__ = name
    call.__doc__ = slow.__doc__
    return call


class Backend:
    """A namespace of array functions: those of ``package`` on array module ``xp``, hot ones overridden.

    ``bind`` is what an override takes before its arguments (nothing for native; array module and extension for CUDA).
    ``overrides`` maps the names that are overridden to their functions; ``unavailable`` the families whose extension
    does not load to the reason.
    """

    def __init__(self, name, xp, package, overrides=None, bind=()):
        self.name = name
        self.xp = xp
        functions = _functions(package)
        for key, fn in functions.items():
            setattr(self, key, _numpy_call(fn) if xp is np else functools.partial(fn, xp))
        self.unavailable = {}
        self.overrides = _functions(overrides, self.unavailable) if overrides else {}
        for key, fast in self.overrides.items():
            if key not in functions:
                raise ImportError(f"{overrides}: {key!r} overrides nothing in {package}")
            fast = functools.partial(fast, *bind) if bind else fast
            setattr(self, key, _falling_through(name, key, fast, getattr(self, key)))

    def __repr__(self):
        return f"<Backend {self.name}: {len(self.overrides)} overrides>"

    def __getattr__(self, name):
        raise AttributeError(
            f"backend {self.name!r} has no function {name!r}; add it to minidl/backends/reference"
        )
