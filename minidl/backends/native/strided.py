"""Sums of windows in C++: float32 and float64."""

import math

import numpy as np

from minidl import _native


def fold_windows(g, shape, dim, size, step):
    if g.dtype.char not in "fd":
        return NotImplemented
    outer, inner = math.prod(shape[:dim]), math.prod(shape[dim + 1 :])
    windows = np.ascontiguousarray(g).reshape(outer, g.shape[dim], inner, size)
    out = _native.empty(shape, g.dtype)
    _native.fold_windows(windows, step, out.reshape(outer, shape[dim], inner))
    return out
