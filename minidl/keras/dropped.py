"""The names that Keras dropped and people still type: each works, with one ``DeprecationWarning``."""

import os
import sys
import warnings

from minidl.keras.engine.nest import map_structure

__all__ = ["DroppedShape", "outside", "warn", "warned"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NO_LINE_OF_THEIRS = (_PACKAGE, "<minidl", "<frozen importlib")


def outside():
    """The depth and the frame of the line outside the package from which the calls came, however deep they go."""
    depth, frame = 0, sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_NO_LINE_OF_THEIRS):
        depth, frame = depth + 1, frame.f_back
    return depth, frame


def warn(message):
    """A ``DeprecationWarning`` at the line outside the package from which the calls came.

    Python shows it by default where that line is in the program itself.
    """
    warnings.warn(message, DeprecationWarning, stacklevel=outside()[0] + 1)


def warned(function, old, new):
    """``function`` under its old name: a call says so and what to write instead."""

    def older(*args, **kwargs):
        warn(f"{old} is a name that Keras dropped: use {new}")
        return function(*args, **kwargs)

    older.__name__ = older.__qualname__ = function.__name__
    older.__doc__ = f"``{new}``, by its old name ``{old}``."
    return older


class DroppedShape:
    """``layer.input_shape`` or ``layer.output_shape``: that of its calls; a layer's own attribute hides it."""

    def __init__(self, what):
        self.what = what

    def __get__(self, layer, owner=None):
        if layer is None:
            return self
        tensors = [node.args[0] if self.what == "input" else node.outputs for node in layer._inbound_nodes]
        shapes = [map_structure(lambda tensor: tuple(tensor.shape), found) for found in tensors]
        if not shapes or any(shape != shapes[0] for shape in shapes):
            several = "has several of them" if shapes else "has never been called"
            raise AttributeError(
                f"The layer {layer.name} {several} and thus has no defined {self.what} shape."
            )
        warn(f"layer.{self.what}_shape is a name that Keras dropped: use layer.{self.what}.shape")
        return shapes[0]
