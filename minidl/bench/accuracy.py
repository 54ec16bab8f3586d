"""The error of a result against the same workload in float64."""

import math

import numpy as np

_MOST = 2**23  # elements of an array that are compared; of a larger one, every k-th


def host(value):
    """Tensors, arrays and nested tuples of them as a flat list of float64 NumPy arrays; huge ones thinned out."""
    if isinstance(value, (tuple, list)):
        return [array for part in value for array in host(part)]
    if hasattr(value, "detach"):
        value = value.detach()
    step = math.prod(getattr(value, "shape", ())) // _MOST + 1
    if step > 1:
        value = value.reshape(-1)[::step]
    if hasattr(value, "double"):
        value = value.double().cpu().numpy()
    elif hasattr(value, "get"):
        value = value.get()
    return [np.asarray(value, dtype=np.float64)]


def error(found, expected):
    """The largest difference of an output, relative to the largest value expected of it; the worst output counts.

    Infinite where a value is not finite that should be, or shapes differ.

    >>> from minidl.bench.accuracy import error
    >>> error([1.0, 2.5], [1.0, 2.0])
    0.25
    """
    worst = 0.0
    for a, b in zip(host(found), host(expected), strict=True):
        if a.shape != b.shape:
            return float("inf")
        if a.size == 0:
            continue
        scale = np.abs(b).max()
        off = np.abs(a - b).max() / (scale if scale > 0 else 1.0)
        worst = max(worst, float(off)) if np.isfinite(off) else float("inf")
    return worst
