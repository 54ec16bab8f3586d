"""The names that Keras dropped and people still type: each works, with one ``DeprecationWarning``."""

import os
import sys
import warnings

__all__ = ["outside", "warn", "warned"]

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
