"""Rows of minidl/ops/diagonals.py."""

import numpy as np

from .case import Case, normal


def embedded(x, offset=0):
    n = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], n, n))
    at = np.arange(x.shape[-1])
    out[..., at + max(-offset, 0), at + max(offset, 0)] = x
    return out


def replaced(x, src, index):
    x[index] = src
    return x


ON = (np.arange(3), np.arange(3))
CASES = [
    Case("diagonal", (normal(3, 4),), np.diagonal),
    Case("diagonal", (normal(2, 3, 4), -1, 2, 0), np.diagonal, id="dims"),
    Case("diag_embed", (normal(2, 3),), embedded),
    Case("diag_embed", (normal(2, 3), -1), embedded, id="offset"),
    Case("diag", (normal(3),), np.diag),
    Case("diag", (normal(3, 4), 1), np.diag, id="matrix"),
    Case("diagflat", (normal(2, 2), -1), np.diagflat),
    Case("trace", (normal(3, 4),), np.trace),
    Case("diagonal_scatter", (normal(3, 3), normal(3)), lambda x, src: replaced(x, src, ON)),
    Case(
        "select_scatter",
        (normal(3, 4), normal(3), 1, -1),
        lambda x, src, *_: replaced(x, src, (slice(None), -1)),
    ),
    Case(
        "slice_scatter",
        (normal(4, 2), normal(2, 2), 0, 0, 4, 2),
        lambda x, src, *_: replaced(x, src, slice(0, 4, 2)),
    ),
    Case("fill_diagonal_", (normal(3, 4), 2.5), lambda x, v: replaced(x, v, ON), grad=False),
    Case(
        "fill_diagonal_",
        (normal(5, 2), 2.5, True),
        lambda x, v, _: replaced(x, v, ([0, 1, 3, 4], [0, 1, 0, 1])),
        id="wrap",
        grad=False,
    ),
    *(Case("rot90", (normal(2, 3), k), np.rot90, id=str(k)) for k in (0, 1, 2, 3)),
    Case("rot90", (normal(2, 3, 2), 1, (2, 0)), np.rot90, id="dims"),
    Case("fliplr", (normal(2, 3),), np.fliplr),
    Case("flipud", (normal(2, 3),), np.flipud),
    Case("tril_indices", (3, 4, 1), lambda n, m, k: np.array(np.tril_indices(n, k, m)), grad=False),
    Case("triu_indices", (3, 4, -1), lambda n, m, k: np.array(np.triu_indices(n, k, m)), grad=False),
    Case("narrow_copy", (normal(5, 2), 0, 1, 3), lambda x, dim, start, length: x[1:4]),
    Case("adjoint", (normal(2, 3, 4),), lambda x: x.swapaxes(-1, -2)),
]
