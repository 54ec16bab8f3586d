"""Layers, losses and their containers, with PyTorch's names, arguments and state names.

A module of this package is found by its place: the classes that it lists in ``__all__`` are names of ``minidl.nn``.
``functional``, ``init`` and ``utils`` are rooms of functions and stay under their own names.
"""

import importlib
import inspect
import pkgutil

__all__ = []

for _found in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_found.name}")
    for _name in getattr(_module, "__all__", ()):
        if inspect.isclass(getattr(_module, _name)):
            globals()[_name] = getattr(_module, _name)
            __all__.append(_name)
__all__.sort()
del _found, _module, _name
