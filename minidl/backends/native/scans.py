"""Running extremes in C++: float32, float64, int32 and int64, row-major."""

import math

import numpy as np

from minidl import _native


def cummax(input, dim):
    return _scanned(_native.cummax, input, dim)


def cummin(input, dim):
    return _scanned(_native.cummin, input, dim)


def _scanned(scan, input, dim):
    if input.dtype.char not in "fdil" or not input.flags.c_contiguous or not input.flags.aligned:
        return NotImplemented
    shape = input.shape
    values, places = _native.empty(shape, input.dtype), _native.empty(shape, np.dtype("int64"))
    scan(input.reshape(math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :])), values, places)
    return values, places
