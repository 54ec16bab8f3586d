"""Keras' face: its names, arguments, defaults and layouts, on minidl's tensors."""

from minidl.keras import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    optimizers,
    regularizers,
    saving,
    utils,
)
from minidl.keras.engine.functional import Functional
from minidl.keras.engine.inputs import Input
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.model import Model
from minidl.keras.engine.sequential import Sequential
from minidl.keras.engine.variable import Variable

__all__ = [
    "Functional", "Input", "Layer", "Model", "Sequential", "Variable", "activations", "backend", "callbacks", "config",
    "constraints", "initializers", "layers", "losses", "metrics", "mixed_precision", "models", "optimizers",
    "regularizers", "saving", "utils",
]  # fmt: skip
