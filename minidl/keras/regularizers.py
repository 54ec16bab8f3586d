"""Penalties on a layer's weights or outputs, that join the loss.

>>> from minidl import keras
>>> keras.regularizers.L2(0.5)(keras.utils.to_tensor([1.0, 2.0]))
tensor(2.5000)
"""

import math

from minidl import eye
from minidl.keras.identifiers import Identifiers
from minidl.keras.tensors import to_float

__all__ = ["L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "serialize"]


class Regularizer:
    """Base of the penalties: ``__call__(x)`` gives a scalar tensor."""

    def __call__(self, x):
        return 0.0

    @classmethod
    def from_config(cls, config):
        """The object that ``get_config`` describes."""
        return cls(**config)

    def get_config(self):
        """The arguments of the constructor."""
        raise NotImplementedError(f"{self} does not implement get_config()")


def _factor(value, name):
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or math.isnan(value)
        or math.isinf(value)
    ):
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}"
        )
    if value < 0:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}"
        )
    return float(value)


class L1L2(Regularizer):
    """l1 * sum |x| + l2 * sum x^2."""

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = _factor(0.0 if l1 is None else l1, "l1")
        self.l2 = _factor(0.0 if l2 is None else l2, "l2")

    def __call__(self, x):
        x = to_float(x)
        penalty = None
        if self.l1:
            penalty = self.l1 * x.abs().sum()
        if self.l2:
            square = self.l2 * x.square().sum()
            penalty = square if penalty is None else penalty + square
        return x.sum() * 0 if penalty is None else penalty

    def get_config(self):
        """``l1``, ``l2``."""
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """l1 * sum |x|."""

    def __init__(self, l1=0.01):
        self.l1 = _factor(0.01 if l1 is None else l1, "l1")

    def __call__(self, x):
        return self.l1 * to_float(x).abs().sum()

    def get_config(self):
        """``l1``."""
        return {"l1": self.l1}


class L2(Regularizer):
    """l2 * sum x^2."""

    def __init__(self, l2=0.01):
        self.l2 = _factor(0.01 if l2 is None else l2, "l2")

    def __call__(self, x):
        return self.l2 * to_float(x).square().sum()

    def get_config(self):
        """``l2``."""
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Penalises rows (or columns) of a matrix that are not orthogonal: factor * mean |cosine| / 2 over the pairs.

    Raises ``ValueError`` for a mode that is neither ``rows`` nor ``columns``, and for what is no matrix.
    """

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _factor(factor, "factor")
        if mode not in ("rows", "columns"):
            raise ValueError(
                "Invalid value for argument mode: expected one of {'rows', 'columns'}. "
                f"Received: mode={mode}"
            )
        self.mode = mode

    def __call__(self, x):
        x = to_float(x)
        if x.ndim != 2:
            raise ValueError(
                f"Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={tuple(x.shape)}"
            )
        x = x if self.mode == "rows" else x.t()
        unit = x / (x.square().sum(1, keepdim=True).clamp(min=1e-12)).sqrt()
        size = x.shape[0]
        products = (unit @ unit.t()) * (1 - eye(size, dtype=x.dtype, device=x.device))
        return self.factor * 0.5 * products.abs().sum() / max(size * (size - 1.0) / 2.0, 1.0)

    def get_config(self):
        """``factor``, ``mode``."""
        return {"factor": self.factor, "mode": self.mode}


_KNOWN = Identifiers(
    "regularizer", "keras.regularizers", (L1, L2, L1L2, OrthogonalRegularizer),
    aliases={"l1": "L1", "l2": "L2", "l1_l2": "L1L2", "orthogonal_regularizer": "OrthogonalRegularizer"},
)  # fmt: skip


def get(identifier):
    """The regularizer of a name (``l1``, ``l2``, ``l1_l2``), a config, a class or a callable; None stays None."""
    return _KNOWN.get(identifier)


def serialize(regularizer):
    """A dict from which ``deserialize`` makes the regularizer again."""
    return _KNOWN.serialize(regularizer)


def deserialize(config, custom_objects=None):
    """The regularizer of a dict of Keras 2 or 3."""
    return _KNOWN.deserialize(config, custom_objects)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
