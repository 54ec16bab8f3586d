"""Models: ``Sequential``, ``Model``, and what makes them again."""

import json

from minidl.keras.engine import operators  # noqa: F401 (symbolic tensors learn their operators)
from minidl.keras.engine.cloning import clone_model
from minidl.keras.engine.functional import Functional
from minidl.keras.engine.model import Model
from minidl.keras.engine.sequential import Sequential
from minidl.keras.engine.serialization import deserialize_layer

__all__ = ["Functional", "Model", "Sequential", "clone_model", "model_from_config", "model_from_json"]


def model_from_config(config, custom_objects=None):
    """A new model, with new weights, of ``{"class_name": ..., "config": ...}``."""
    return deserialize_layer(config, custom_objects)


def model_from_json(json_string, custom_objects=None):
    """A new model, with new weights, of ``model.to_json()``'s text.

    >>> from minidl import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.model_from_json(model.to_json()).output_shape
    (None, 2)
    """
    return model_from_config(json.loads(json_string), custom_objects)
