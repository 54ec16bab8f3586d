"""What the steps of optimizers share. State is updated in place where it is computed in its own width.

The two-byte floats are computed in float32: ``_wide`` copies them then, and ``_keep`` writes back.
"""

import numpy as np

from minidl.backends.reference.precision import _wide

_PIECE = 1 << 14  # elements: a dozen arrays of them stay in a processor's second cache


def _pieces(*arrays):
    """The arrays of one parameter (some may be None), in pieces whose intermediate results a processor's cache holds.

    Whole where they are small, on a GPU, or not in C order.
    """
    held = [array for array in arrays if array is not None]
    size = held[0].size
    if size <= _PIECE or not all(isinstance(a, np.ndarray) and a.flags.c_contiguous for a in held):
        yield arrays
        return
    flat = [None if array is None else array.reshape(-1) for array in arrays]
    for begin in range(0, size, _PIECE):
        yield [None if array is None else array[begin : begin + _PIECE] for array in flat]


def _gradient(param, grad, weight_decay, maximize):
    """What to step along: may be ``grad`` itself, so it is not to be written."""
    grad = _wide(grad)
    if maximize:
        grad = -grad
    return grad + weight_decay * param if weight_decay else grad


def _lerp(mean, value, weight):
    """mean += weight (value - mean)"""
    difference = value - mean
    difference *= weight
    mean += difference


def _lerp_square(mean, value, weight):
    """mean = (1 - weight) mean + weight value^2"""
    square = value * value
    square *= weight
    mean *= 1 - weight
    mean += square


def _keep(target, value):
    """Stores what was computed in a wider copy."""
    if value is not target:
        target[...] = value


def _of(arrays, i):
    """The array of parameter ``i``, or None where a state is not asked for."""
    return None if arrays is None else arrays[i]


def _descend(target, param, step, rate):
    """target = param - rate * step; overwrites ``step``."""
    if rate != 1:
        step *= rate
    param -= step
    _keep(target, param)


def _count(steps, i):
    """The number of this step: one more than so far."""
    steps[i] += 1
    return float(steps[i])
