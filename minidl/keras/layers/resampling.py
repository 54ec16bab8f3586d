"""Resizing images: a matrix a dimension, of the method's weights, so that it is two products and has its gradient."""

import functools

import numpy as np

from minidl.ops.create import as_tensor
from minidl.ops.matmul import matmul

__all__ = ["METHODS", "resize_matrix", "resized"]


def _triangle(x):
    return np.maximum(1 - np.abs(x), 0)


def _cubic(x, a=-0.5):
    """R. Keys' kernel, with a = -0.5."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _lanczos(radius):
    def kernel(x):
        return np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0)

    return kernel


METHODS = {
    "nearest": None,
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


@functools.lru_cache(maxsize=256)
def resize_matrix(source, target, method, antialias=False):
    """The (target, source) matrix that resizes ``source`` positions, with pixel centres at halves."""
    centres = (np.arange(target) + 0.5) * source / target
    if method == "nearest":
        picked = np.minimum(np.floor(centres).astype(int), source - 1)
        return np.eye(source, dtype="float32")[picked]
    stretch = max(source / target, 1.0) if antialias else 1.0
    offsets = (centres[:, None] - 0.5 - np.arange(source)[None, :]) / stretch
    weights = METHODS[method](offsets)
    total = weights.sum(1, keepdims=True)
    return (weights / np.where(total == 0, 1, total)).astype("float32")


def resized(x, sizes, method, first, antialias=False):
    """x with its dimensions ``first`` and ``first + 1`` resized to ``sizes``."""
    for axis, target in zip((first, first + 1), sizes, strict=True):
        source = x.shape[axis]
        if source == target:
            continue
        weights = as_tensor(resize_matrix(source, target, method, antialias), dtype=x.dtype, device=x.device)
        x = matmul(x.movedim(axis, -1), weights.permute(1, 0)).movedim(-1, axis)
    return x
