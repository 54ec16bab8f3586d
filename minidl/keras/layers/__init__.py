"""Layers. Each module of this package lists the ones it adds in ``__all__``."""

from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.engine.inputs import Input, InputLayer
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.serialization import deserialize_layer as deserialize
from minidl.keras.engine.serialization import serialize_layer as serialize
from minidl.keras.engine.wrapping import Lambda, ModuleLayer
from minidl.keras.layers.core import Activation, Dense, Dropout, Flatten

__all__ = [
    "Activation", "Dense", "Dropout", "Flatten", "Input", "InputLayer", "InputSpec", "Lambda", "Layer", "ModuleLayer",
    "deserialize", "serialize",
]  # fmt: skip
