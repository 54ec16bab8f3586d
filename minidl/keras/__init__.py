"""Keras' face: its names, arguments, defaults and layouts, on minidl's tensors.

>>> import numpy as np
>>> from minidl import keras
>>> model = keras.Sequential(
...     [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
... )
>>> model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
>>> history = model.fit(np.eye(4), np.array([0, 1, 0, 1]), epochs=2, verbose=0)
>>> sorted(history.history)
['accuracy', 'loss']
"""

from minidl._version import __version__
from minidl.device import device as _device
from minidl.keras import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from minidl.keras.dropped_paths import install as _install_dropped_paths
from minidl.keras.engine.context import name_scope
from minidl.keras.engine.functional import Functional
from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.engine.inputs import Input
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.model import Model
from minidl.keras.engine.policy import DTypePolicy
from minidl.keras.engine.sequential import Sequential
from minidl.keras.engine.variable import Variable
from minidl.keras.initializers import Initializer
from minidl.keras.losses import Loss
from minidl.keras.metrics import Metric
from minidl.keras.optimizers import Optimizer
from minidl.keras.regularizers import Regularizer

__all__ = [
    "DTypePolicy", "Functional", "Initializer", "Input", "InputSpec", "KerasTensor", "Layer", "Loss", "Metric",
    "Model", "Optimizer", "Regularizer", "Sequential", "Variable", "__version__", "activations", "backend",
    "callbacks", "config", "constraints", "datasets", "device", "dtype_policies", "initializers", "layers", "losses",
    "metrics", "mixed_precision", "models", "name_scope", "ops", "optimizers", "preprocessing", "random",
    "regularizers", "saving", "tree", "utils", "version",
]  # fmt: skip

_install_dropped_paths()


def device(device_name):
    """The device that is open in a ``with`` block: ``"cpu"``, ``"gpu:0"`` or ``"cuda:0"``.

    >>> from minidl import keras
    >>> with keras.device("cpu"):
    ...     keras.ops.ones(2).device
    device(type='cpu')
    """
    return _device(device_name.lower().lstrip("/").removeprefix("device:").replace("gpu", "cuda"))


def version():
    """The version, as ``__version__`` says it."""
    return __version__
