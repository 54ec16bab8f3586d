"""Keras' face: its names, arguments, defaults and layouts, on minidl's tensors."""

from minidl.keras import (
    activations,
    config,
    constraints,
    initializers,
    losses,
    metrics,
    optimizers,
    regularizers,
    utils,
)

__all__ = [
    "activations",
    "config",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
    "utils",
]
