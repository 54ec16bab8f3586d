"""Projections that a layer's weights undergo after every step of the optimizer.

>>> from minidl import keras
>>> keras.constraints.NonNeg()(keras.utils.to_tensor([-1.0, 2.0]))
tensor([-0., 2.])
"""

from minidl.keras.identifiers import Identifiers
from minidl.keras.settings import epsilon
from minidl.keras.tensors import to_float

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "serialize"]


class Constraint:
    """Base of the projections: ``__call__(w)`` gives the projected weights, in Keras' layout of them."""

    def __call__(self, w):
        raise NotImplementedError

    def get_config(self):
        """The arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config):
        """The object that ``get_config`` describes."""
        return cls(**config)


def _norms(w, axis):
    return w.square().sum(axis, keepdim=True).clamp(min=0).sqrt()


class MaxNorm(Constraint):
    """Norms over ``axis`` are at most ``max_value``."""

    def __init__(self, max_value=2, axis=0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        w = to_float(w)
        norms = _norms(w, self.axis)
        return w * (norms.clamp(0, self.max_value) / (epsilon() + norms))

    def get_config(self):
        """``max_value``, ``axis``."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Negative weights become 0."""

    def __call__(self, w):
        w = to_float(w)
        return w * (w >= 0.0).to(w.dtype)


class UnitNorm(Constraint):
    """Norms over ``axis`` are 1."""

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        w = to_float(w)
        return w / (epsilon() + _norms(w, self.axis))

    def get_config(self):
        """``axis``."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Norms over ``axis`` go to between ``min_value`` and ``max_value``, a share of ``rate`` of the way a step."""

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w):
        w = to_float(w)
        norms = _norms(w, self.axis)
        wanted = self.rate * norms.clamp(self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (epsilon() + norms))

    def get_config(self):
        """``min_value``, ``max_value``, ``rate``, ``axis``."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


_KNOWN = Identifiers("constraint", "keras.constraints", (MaxNorm, MinMaxNorm, NonNeg, UnitNorm), aliases={
    "max_norm": "MaxNorm", "min_max_norm": "MinMaxNorm", "non_neg": "NonNeg", "unit_norm": "UnitNorm",
})  # fmt: skip


def get(identifier):
    """The constraint of a name, a config, a class or a callable; None stays None."""
    return _KNOWN.get(identifier)


def serialize(constraint):
    """A dict from which ``deserialize`` makes the constraint again."""
    return _KNOWN.serialize(constraint)


def deserialize(config, custom_objects=None):
    """The constraint of a dict of Keras 2 or 3."""
    return _KNOWN.deserialize(config, custom_objects)


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
