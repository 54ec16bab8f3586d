"""Keras' face: its names, arguments, defaults and layouts, on minidl's tensors."""

from minidl.keras import (
    activations,
    config,
    constraints,
    datasets,
    initializers,
    losses,
    metrics,
    optimizers,
    preprocessing,
    regularizers,
    utils,
)

__all__ = [
    "activations",
    "config",
    "constraints",
    "datasets",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "preprocessing",
    "regularizers",
    "utils",
]
