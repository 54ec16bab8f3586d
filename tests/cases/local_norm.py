"""Rows of minidl/ops/local_norm.py."""

import math

import naive_windows
import numpy as np

from .case import Case, normal, positive


def _responses(x, size, alpha=1e-4, beta=0.75, k=1.0):
    out = np.zeros(x.shape)
    for c in range(x.shape[1]):
        near = x[:, max(0, c - size // 2) : c + (size - 1) // 2 + 1]
        out[:, c] = x[:, c] / (k + alpha / size * (near**2).sum(1)) ** beta
    return out


def _power(rank):
    def call(x, p, kernel_size, stride=None, ceil_mode=False):
        count = math.prod(kernel_size) if isinstance(kernel_size, tuple) else kernel_size**rank
        mean = naive_windows.pool_mean(x**p, kernel_size, stride, 0, ceil_mode)
        return (mean * count) ** (1 / p)

    return call


CASES = [
    Case("local_response_norm", (normal(2, 5, 3), 3), _responses),
    Case("local_response_norm", (normal(2, 4, 2, 2), 2, 0.5, 0.6, 2.0), _responses, id="all"),
    Case("local_response_norm", (normal(1, 3, 2, 1, 2), 9, 0.5), _responses, id="wide"),
    Case("lp_pool1d", (positive(2, 2, 7), 2, 3), _power(1)),
    Case("lp_pool1d", (positive(2, 2, 7), 3, 3, 2, True), _power(1), id="all"),
    Case("lp_pool2d", (positive(1, 2, 4, 5), 2.5, (2, 3)), _power(2)),
    Case("lp_pool2d", (positive(1, 2, 5, 4), 1, 2, (1, 2)), _power(2), id="sum"),
    Case("lp_pool3d", (positive(1, 2, 3, 2, 4), 2, 2), _power(3)),
]
