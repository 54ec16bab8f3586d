"""Rows of the ops that the tape and in-place writes use by themselves; PyTorch has no counterparts of these names."""

import numpy as np

from .case import Case, normal

F8 = np.dtype(np.float64)


def replaced(input, value, index):
    out = input.copy()
    out[index] = value
    return out


CASES = [
    Case(
        "sum_to_shape", (normal(2, 3, 4), (3, 1)), numpy=lambda g, shape: g.sum((0, 2))[:, None], torch=False
    ),
    Case("broadcast_shape_to", (normal(3, 1), (2, 3, 4)), numpy=np.broadcast_to, torch=False),
    Case("accumulate", (normal(2, 3), normal(2, 3)), numpy=np.add, torch=False),
    Case("cast_to_dtype", (normal(2, 3), F8), numpy=lambda x, dtype: x, torch=False),
    Case("_cast", (normal(2, 3), F8), numpy=lambda x, dtype: x, torch=False),
    Case("mul_zero", (normal(2, 3),), numpy=np.zeros_like, torch=False),
    Case(
        "_replaced",
        (normal(3, 4), normal(2, 4), (np.array([2, 0]),)),
        numpy=replaced,
        torch=False,
        backends=False,
    ),
]
