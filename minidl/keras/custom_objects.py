"""Objects of the user's own, by name: what files and identifiers may refer to."""

import inspect
import threading

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
]

_GLOBAL = {}  # name -> object, of the whole program
_NAMES = {}  # object -> registered name
_LOCAL = threading.local()


def get_custom_objects():
    """The program's dict of custom objects by name: entries may be added to it."""
    return _GLOBAL


def register_keras_serializable(package="Custom", name=None):
    """Decorator that makes a class or function known to files as ``package>name``.

    A class needs ``get_config``. Raises ``ValueError`` where it has none.

    >>> from minidl.keras.utils import register_keras_serializable, get_registered_name
    >>> @register_keras_serializable(package="mine")
    ... def wave(x):
    ...     return x.sin()
    >>> get_registered_name(wave)
    'mine>wave'
    """

    def register(item):
        registered = f"{package}>{name or item.__name__}"
        if inspect.isclass(item) and not hasattr(item, "get_config"):
            raise ValueError(
                f"Cannot register a class that does not have a get_config() method: {item.__name__} has none."
            )
        _GLOBAL[registered] = item
        _NAMES[item] = registered
        return item

    return register


def get_registered_name(obj):
    """The name under which ``obj`` was registered, else its ``__name__``."""
    try:
        return _NAMES.get(obj) or obj.__name__
    except TypeError:  # what cannot be a key was not registered
        return obj.__name__


def lookup(name, custom_objects=None):
    """The custom object of a name, from the arguments, the scopes (innermost first), then the program; or None."""
    if name is None:
        return None
    scopes = (custom_objects or {}, *reversed(getattr(_LOCAL, "scopes", [])), _GLOBAL)
    for scope in scopes:
        if name in scope:
            return scope[name]
    short = name.rpartition(">")[2]
    for scope in scopes:
        if short in scope:
            return scope[short]
    return None


def get_registered_object(name, custom_objects=None, module_objects=None):
    """The object of a name: a custom one, or one of ``module_objects``; None where there is none."""
    found = lookup(name, custom_objects)
    return found if found is not None else (module_objects or {}).get(name)


class CustomObjectScope:
    """Within ``with custom_object_scope({"Name": object}):`` names in configs and identifiers mean these objects.

    >>> from minidl import keras
    >>> with keras.utils.custom_object_scope({"wave": lambda x: x.sin()}):
    ...     act = keras.activations.get("wave")
    """

    def __init__(self, custom_objects=None, *more):
        self.custom_objects = dict(custom_objects or {})
        for further in more:
            self.custom_objects.update(further)

    def __enter__(self):
        if not hasattr(_LOCAL, "scopes"):
            _LOCAL.scopes = []
        _LOCAL.scopes.append(self.custom_objects)
        return self

    def __exit__(self, *exc):
        _LOCAL.scopes.pop()


custom_object_scope = CustomObjectScope
