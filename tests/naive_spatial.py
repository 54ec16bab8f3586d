"""Resampling by the definition, one weight at a time, in float64: slow, short, and independent."""

import math

import numpy as np


def _keys(x):
    x, a = abs(x), -0.75
    if x < 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def _weights(mode, n, m, corners, factor):
    """The matrix (m, n) of one dimension."""
    matrix = np.zeros((m, n))
    step = (n - 1) / max(m - 1, 1) if corners else 1 / factor if factor else n / m
    for i in range(m):
        at = i * step if corners else (i + 0.5) * step - 0.5
        if mode == "area":
            low, high = math.floor(i * n / m), math.ceil((i + 1) * n / m)
            matrix[i, low:high] = 1 / (high - low)
        elif mode == "nearest":
            matrix[i, min(math.floor(i * step), n - 1)] = 1
        elif mode == "nearest-exact":
            matrix[i, min(math.floor((i + 0.5) * step), n - 1)] = 1
        elif mode == "bicubic":
            for k in range(math.floor(at) - 1, math.floor(at) + 3):
                matrix[i, min(max(k, 0), n - 1)] += _keys(at - k)
        else:
            at = min(max(at, 0), n - 1)
            for k in range(n):
                matrix[i, k] = max(0, 1 - abs(at - k))
    return matrix


def interpolate(
    input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None
):
    """A product with one matrix a dimension."""
    rank = input.ndim - 2
    factors = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * rank
    sizes = size if isinstance(size, tuple) else (size,) * rank
    for dim, (m, factor) in enumerate(zip(sizes, factors, strict=True), 2):
        n = input.shape[dim]
        m = math.floor(n * factor) if m is None else m
        matrix = _weights(mode, n, m, align_corners, None if recompute_scale_factor else factor)
        input = np.moveaxis(np.tensordot(matrix, input, (1, dim)), 0, dim)
    return input
