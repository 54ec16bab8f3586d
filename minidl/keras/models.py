"""Models: ``Sequential``, ``Model``, and what makes them again."""

from minidl.keras.engine import operators  # noqa: F401 (symbolic tensors learn their operators)
from minidl.keras.engine.functional import Functional
from minidl.keras.engine.model import Model
from minidl.keras.engine.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential"]
