"""Objects as plain data, as Keras 3 writes them: ``serialize_keras_object`` and its inverse."""

from minidl.keras import activations, constraints, initializers, losses, metrics, optimizers, regularizers
from minidl.keras import custom_objects as custom
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.model import Model
from minidl.keras.engine.serialization import deserialize_layer, serialize_layer
from minidl.keras.saving.dialect import model_config
from minidl.keras.saving.tolerant import clean

_ROOMS = {
    "keras.optimizers.schedules": optimizers.schedules,
    "keras.initializers": initializers, "keras.regularizers": regularizers, "keras.constraints": constraints,
    "keras.losses": losses, "keras.metrics": metrics, "keras.optimizers": optimizers, "keras.activations": activations,
}  # fmt: skip


def serialize_keras_object(obj):
    """A dict of plain data from which ``deserialize_keras_object`` makes a layer, model, loss, optimizer, ... again.

    >>> from minidl import keras
    >>> keras.saving.serialize_keras_object(keras.regularizers.L2(0.5))["class_name"]
    'L2'
    """
    if obj is None or isinstance(obj, (str, int, float, bool)):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, Model):
        return model_config(obj, keras3=True)
    if isinstance(obj, Layer):
        return {"module": "keras.layers", "registered_name": None, **serialize_layer(obj)}
    for module, room in _ROOMS.items():
        if type(obj).__module__.startswith(room.__name__):
            return {"module": module, "registered_name": None, **_dict(room.serialize(obj))}
    return initializers.serialize(obj)


def _dict(serialized):
    return serialized if isinstance(serialized, dict) else {"class_name": "function", "config": serialized}


def deserialize_keras_object(config, custom_objects=None, safe_mode=True):
    """The object of ``serialize_keras_object``'s dict, of Keras 3's as well. ``ValueError`` for what is not known.

    >>> from minidl import keras
    >>> layer = keras.layers.Dense(3, name="d")
    >>> keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)).units
    3
    """
    if isinstance(config, (list, tuple)):
        return [deserialize_keras_object(item, custom_objects, safe_mode) for item in config]
    if not isinstance(config, dict) or "class_name" not in config:
        return config
    with custom.CustomObjectScope(custom_objects or {}):
        module = str(config.get("module"))
        room = _ROOMS.get(module)
        if room is None:
            near = [known for known in _ROOMS if module.startswith(known.replace("keras.", "keras.src.", 1))]
            room = _ROOMS[near[0]] if near else None
        if room is not None:
            return room.deserialize(config)
        found = custom.lookup(config.get("registered_name")) or custom.lookup(config["class_name"])
        if found is not None and not (isinstance(found, type) and issubclass(found, Layer)):
            return found.from_config(config["config"]) if hasattr(found, "from_config") else found
        return deserialize_layer(clean(config, safe_mode))
