"""Models in files: ``.h5`` of Keras 2 and 3, ``.keras``, ``.weights.h5``, and to and from ``minidl.nn``."""

from minidl.keras.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from minidl.keras.engine import persistence
from minidl.keras.saving.loading import load_model, load_weights
from minidl.keras.saving.model_files import save_model, save_weights
from minidl.keras.saving.names import load_state_dict, to_state_dict
from minidl.keras.saving.objects import deserialize_keras_object, serialize_keras_object

__all__ = [
    "CustomObjectScope", "custom_object_scope", "deserialize_keras_object", "get_custom_objects", "get_registered_name",
    "get_registered_object", "load_model", "load_state_dict", "load_weights", "register_keras_serializable",
    "save_model", "save_weights", "serialize_keras_object", "to_state_dict",
]  # fmt: skip

persistence.register(save=save_model, save_weights=save_weights, load_weights=load_weights)
