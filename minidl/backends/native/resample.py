"""Weighted sums along a dimension in C++ for float32 and float64, row-major."""

from minidl import _native


def resample(input, dim, taps):
    if input.dtype.char not in "fd" or not input.size or not input.flags.c_contiguous:
        return NotImplemented
    starts, index, weight = taps.rows
    out = _native.empty((*input.shape[:dim], taps.size, *input.shape[dim + 1 :]), input.dtype)
    _native.resample(input, dim, starts, index, weight.astype(input.dtype), out)
    return out
