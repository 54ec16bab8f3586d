"""Utility functions of the standard."""

import minidl
from minidl.array_api.operands import all_axes, as_array, together

__all__ = ["all", "any", "diff"]


def all(x, /, *, axis=None, keepdims=False):
    """Whether all elements over axes, or of the array, are true (not 0)."""
    axes = all_axes(axis, as_array(x).ndim)
    return minidl.all(x != 0, axes, keepdims) if axes else x != 0


def any(x, /, *, axis=None, keepdims=False):
    """Whether an element over axes, or of the array, is true (not 0)."""
    axes = all_axes(axis, as_array(x).ndim)
    return minidl.any(x != 0, axes, keepdims) if axes else x != 0


def diff(x, /, *, axis=-1, n=1, prepend=None, append=None):
    """Differences of neighbours along an axis, ``n`` times over; ``prepend`` and ``append`` are joined to it first."""
    parts = [part for part in (prepend, as_array(x), append) if part is not None]
    return minidl.diff(minidl.cat(together(*parts), axis) if len(parts) > 1 else x, n, axis)
