"""Layers from configs: ``{"class_name": ..., "config": {...}}`` of Keras 2 and 3, custom classes, shared layers."""

import difflib
import sys

from minidl.keras import custom_objects as custom
from minidl.keras.engine import layer as layer_module
from minidl.keras.engine.layer import Layer


def serialize_layer(layer):
    """The dict from which ``deserialize_layer`` makes the layer again."""
    cls = type(layer)
    own = cls.__module__.startswith("minidl.keras")
    config = {"class_name": cls.__name__, "config": layer.get_config()}
    if not own:
        config |= {"module": cls.__module__, "registered_name": custom.get_registered_name(cls)}
    return config


def layer_class(name, registered_name=None, custom_objects=None, module=None):
    """The class of a name: a custom one first, then one of a module that the program has imported, then minidl's.

    ``ValueError`` that says what to pass where there is none. Nothing is imported, so nothing runs.
    """
    found = custom.lookup(registered_name, custom_objects) or custom.lookup(name, custom_objects)
    if found is None and module in sys.modules:
        known = getattr(sys.modules[module], str(name), None)
        found = known if isinstance(known, type) and issubclass(known, Layer) else None
    found = found or layer_module.BY_NAME.get(str(name).rpartition(">")[2])
    if found is None:
        close = difflib.get_close_matches(str(name), layer_module.BY_NAME, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"Unknown layer: '{name}'.{meant} Hint: for a class of your own pass "
            f"custom_objects={{'{name}': {name}}}, or "
            "decorate it with @keras.utils.register_keras_serializable()."
        )
    return found


def deserialize_layer(config, custom_objects=None):
    """A new layer, with new weights, of a config; a layer is returned as it is."""
    if isinstance(config, Layer):
        return config
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(
            f"Could not interpret a layer's config: {config!r}. Expected a dict with the keys "
            "'class_name' and 'config'."
        )
    cls = layer_class(
        config["class_name"], config.get("registered_name"), custom_objects, config.get("module")
    )
    inner = dict(config.get("config") or {})
    with custom.CustomObjectScope(custom_objects or {}):
        made = cls.from_config(inner)
    return made
