"""Models: ``Sequential``, ``Model``, and what makes them again."""

from minidl.keras.engine.functional import Functional
from minidl.keras.engine.model import Model
from minidl.keras.engine.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential"]
