"""From a string, a dict or a callable to an object: what every ``get``, ``serialize`` and ``deserialize`` shares."""

import difflib
import inspect
import re

from minidl.keras import custom_objects as custom

__all__ = ["Identifiers", "did_you_mean"]


def _plain(name):
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def snake_case(name):
    """``GlorotUniform`` as ``glorot_uniform``; a run of capitals is one word."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def did_you_mean(name, names):
    """A hint for a name that is none of ``names``: the closest, and all of them."""
    names = sorted(set(names))
    by_plain = {_plain(known): known for known in names}
    close = difflib.get_close_matches(_plain(str(name)), list(by_plain), n=1, cutoff=0.6)
    meant = f" Did you mean {by_plain[close[0]]!r}?" if close else ""
    return f"{meant} Known: {', '.join(names)}."


class Identifiers:
    """The named objects of one kind (``"initializer"``), and how to come from an identifier to one of them.

    ``functions`` and ``classes`` are the objects, ``aliases`` maps further names to names. Names are taken as
    written, else without regard to case and underscores; a class answers to its snake-case name.
    """

    def __init__(self, kind, module, classes=(), functions=(), aliases=None, calls=False):
        self.kind, self.module, self.calls = kind, module, calls
        self.exact = {item.__name__: item for item in (*classes, *functions)}
        self.plain = {}
        for item in (*functions, *classes):
            self.plain.setdefault(_plain(item.__name__), item)
        for alias, name in (aliases or {}).items():
            found = self.exact[name]
            self.exact[alias] = found
            self.plain[_plain(alias)] = found

    def find(self, name, custom_objects=None):
        """The class or function of a name, or None."""
        name = str(name)
        found = custom.lookup(name, custom_objects)
        if found is None:
            short = name.rpartition(">")[2].rpartition(".")[2]
            found = self.exact.get(short)
            if found is None:
                found = self.plain.get(_plain(short))
        return found

    def get(self, identifier, custom_objects=None):
        """None, a name, a config dict, a class or an object, as an object. Raises ``ValueError`` for another."""
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            return self.deserialize(identifier, custom_objects)
        if isinstance(identifier, str):
            found = self.find(identifier, custom_objects)
            if found is None:
                names = {snake_case(known) for known in self.exact}
                raise ValueError(
                    f"Could not interpret {self.kind} identifier: {identifier}.{did_you_mean(identifier, names)}"
                )
            return found() if inspect.isclass(found) else found
        if callable(identifier):
            return identifier() if inspect.isclass(identifier) else identifier
        raise ValueError(
            f"Could not interpret {self.kind} identifier: {identifier}. Expected a name, a dict with "
            f"'class_name' and 'config', or a callable; got {type(identifier).__name__}."
        )

    def serialize(self, item):
        """A dict (or, for a function, its name) from which ``deserialize`` makes the object again."""
        if item is None:
            return None
        if hasattr(item, "get_config") and not inspect.isclass(item):
            cls = type(item)
            registered = custom.get_registered_name(cls)
            own = self.exact.get(cls.__name__) is cls
            return {
                "module": self.module if own else cls.__module__,
                "class_name": cls.__name__,
                "config": item.get_config(),
                "registered_name": None if own else registered,
            }
        if hasattr(item, "__name__"):
            return custom.get_registered_name(item)
        raise ValueError(f"{self.kind} {item!r} has neither get_config() nor a __name__: it cannot be saved")

    def deserialize(self, config, custom_objects=None):
        """The object of a name or of a dict ``{"class_name": ..., "config": {...}}`` (Keras 2's or Keras 3's)."""
        if not isinstance(config, dict):
            return self.get(config, custom_objects)
        if "class_name" not in config:
            raise ValueError(
                f"Could not interpret {self.kind} identifier: {config}. A dict needs the keys 'class_name' and "
                "'config'."
            )
        name, inner = config["class_name"], config.get("config", {})
        if name == "function":  # Keras 3 writes functions so
            name = inner if isinstance(inner, str) else config.get("registered_name")
            return self.get(name, custom_objects)
        found = custom.lookup(config.get("registered_name"), custom_objects) or self.find(
            name, custom_objects
        )
        if found is None:
            raise ValueError(
                f"Unknown {self.kind}: {name!r}.{did_you_mean(name, self.exact)} For a class of your own pass "
                f"custom_objects={{{name!r}: ...}}."
            )
        if not inspect.isclass(found):
            return found
        return found.from_config(dict(inner)) if hasattr(found, "from_config") else found(**inner)
