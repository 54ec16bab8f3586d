"""Sorting functions of the standard: NaN last, equal elements in their order."""

import minidl
from minidl.array_api.operands import as_array

__all__ = ["argsort", "sort"]


def sort(x, /, *, axis=-1, descending=False, stable=True):
    """The elements in order along an axis."""
    return minidl.sort(as_array(x), axis, descending, stable=stable).values


def argsort(x, /, *, axis=-1, descending=False, stable=True):
    """Indices that sort along an axis."""
    return minidl.argsort(as_array(x), axis, descending, stable=stable)
