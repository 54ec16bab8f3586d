"""Optimizers: Keras' formulas, defaults and state names, in as few calls as the formula allows.

>>> from minidl import keras
>>> keras.optimizers.get("ADAM")
<Adam name=adam...>
"""

from minidl.keras.identifiers import Identifiers
from minidl.keras.optimizers import schedules
from minidl.keras.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam, ScheduleFreeAdamW
from minidl.keras.optimizers.base import Optimizer
from minidl.keras.optimizers.loss_scale import LossScaleOptimizer
from minidl.keras.optimizers.matrix import Adafactor, Muon
from minidl.keras.optimizers.momentum import SGD, Adadelta, Adagrad, Ftrl, Lion, RMSprop

__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion",
    "LossScaleOptimizer", "Muon", "Nadam", "Optimizer", "RMSprop", "ScheduleFreeAdamW", "deserialize", "get",
    "schedules", "serialize",
]  # fmt: skip

_KNOWN = Identifiers("optimizer", "keras.optimizers", (
    SGD, RMSprop, Adam, AdamW, Adadelta, Adagrad, Adamax, Adafactor, Nadam, Ftrl, Lion, LossScaleOptimizer, Lamb, Muon,
    ScheduleFreeAdamW,
))  # fmt: skip
LossScaleOptimizer.known = _KNOWN


def get(identifier):
    """The optimizer of a name (whatever its case), a config, a class or an object. ``ValueError`` names the closest."""
    if isinstance(identifier, (str, dict)) or identifier is None or isinstance(identifier, type):
        return _KNOWN.get(identifier)
    if callable(getattr(identifier, "apply", None)) or callable(getattr(identifier, "step", None)):
        return identifier
    return _KNOWN.get(identifier)


def serialize(optimizer):
    """A dict from which ``deserialize`` makes the optimizer again, without its state."""
    return _KNOWN.serialize(optimizer)


def deserialize(config, custom_objects=None):
    """The optimizer of a dict of Keras 2 or 3."""
    return _KNOWN.deserialize(config, custom_objects)
