"""``keras.utils``: labels, seeds, data helpers, registered objects."""

from minidl.keras.config import set_random_seed
from minidl.keras.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from minidl.keras.tensors import to_tensor

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "set_random_seed",
    "to_tensor",
]
