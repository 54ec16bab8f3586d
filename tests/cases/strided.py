"""Rows of minidl/ops/strided.py."""

import numpy as np

from .case import Case, normal


def strided(x, size, stride, offset=0):
    return np.lib.stride_tricks.as_strided(x.ravel()[offset:], size, [8 * s for s in stride])


def scattered(x, src, size, stride, offset):
    strided(x, size, stride, offset)[...] = src
    return x


def windows(x, dim, size, step):
    return np.lib.stride_tricks.sliding_window_view(x, size, dim)[
        (slice(None),) * dim + (slice(None, None, step),)
    ]


# A method that changes its tensor's shape is no in-place form of an op: what it gives is told by its other name.
CASES = [
    Case("as_strided", (normal(3, 4), (2, 3), (5, 1), 1), strided, layouts=False, backends=False),
    Case("as_strided", (normal(6), (4, 3), (1, 1)), strided, id="overlap", layouts=False, backends=False),
    Case(
        "as_strided_scatter",
        (normal(6), normal(2, 2), (2, 2), (3, 1), 1),
        scattered,
        layouts=False,
        torch=False,
        backends=False,
    ),
    Case("Tensor.unfold", (normal(2, 7), 1, 3, 2), windows, torch="Tensor.unfold"),
    Case("Tensor.unfold", (normal(5, 2), 0, 3, 1), windows, id="overlap", torch="Tensor.unfold"),
    Case("empty_strided", ((0, 3), (3, 1)), lambda n, s: np.empty(n), grad=False, backends=False),
    Case(
        "new_empty_strided",
        (normal(2), (0, 3), (3, 1)),
        lambda x, n, s: np.empty(n),
        grad=False,
        backends=False,
    ),
    Case("empty_permuted", ((0, 3), (1, 0)), lambda n, s: np.empty(n), grad=False, backends=False),
    Case("squeeze_", (normal(1, 2, 1), 0), lambda x, dim: x[0]),
    Case("unsqueeze_", (normal(2, 3), -1), lambda x, dim: x[:, :, None]),
    Case("t_", (normal(2, 3),), np.transpose),
    Case("transpose_", (normal(2, 3, 4), 0, 2), np.swapaxes),
    Case("swapaxes_", (normal(2, 3, 4), 0, 2), np.swapaxes),
    Case("swapdims_", (normal(2, 3, 4), 0, 2), np.swapaxes),
    Case("as_strided_", (normal(2, 3), (3,), (2,)), strided, layouts=False, backends=False),
    Case(
        "resize_", (normal(2, 3), 3, 2), lambda x, *n: x.reshape(n), grad=False, layouts=False, backends=False
    ),
    Case(
        "resize_as_",
        (normal(2, 3), normal(3, 2)),
        lambda x, y: x.reshape(3, 2),
        grad=False,
        layouts=False,
        backends=False,
    ),
    Case("set_", (normal(2, 3), normal(3)), lambda x, y: y, grad=False, backends=False),
    Case("storage_offset", (normal(2, 3),), lambda x: 0, grad=False, layouts=False, backends=False),
]
