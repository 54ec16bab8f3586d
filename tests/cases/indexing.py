"""Rows of minidl/ops/indexing.py and writing.py."""

import numpy as np

from .case import Case, boolean, integers, normal, values


def _scatter(input, dim, index, src):
    out = input.copy()
    np.put_along_axis(out, index, src, dim)
    return out


def _scatter_add(input, dim, index, src):
    out = input.copy()
    for place in np.ndindex(index.shape):
        target = list(place)
        target[dim] = index[place]
        out[tuple(target)] += src[place]
    return out


_INDEX = values([[0, 2], [1, 1]])

CASES = [
    Case("index_with", (normal(3, 4), (slice(1, None), None, 2)), lambda x, index: x[index], torch=False),
    Case(
        "index_with",
        (normal(3, 4), (np.array([0, 2, 0]),)),
        lambda x, index: x[index],
        id="array",
        torch=False,
        backends=False,
    ),
    Case("gather", (normal(2, 3), 1, _INDEX), lambda x, dim, index: np.take_along_axis(x, index, dim)),
    Case("scatter", (normal(2, 3), 1, values([[0, 2], [1, 0]]), normal(2, 2)), _scatter),
    Case("scatter", (normal(2, 3), 1, _INDEX, 1.5), _scatter, id="number"),
    Case("scatter_add", (normal(2, 3), 1, _INDEX, normal(2, 2)), _scatter_add),
    Case("index_select", (normal(3, 4), 1, values([3, 0, 0])), lambda x, dim, index: np.take(x, index, dim)),
    Case("take", (normal(3, 4), values([[0, 11], [5, 5]])), lambda x, index: np.take(x, index)),
    Case("masked_select", (normal(3, 4), boolean(4)), lambda x, mask: x[np.broadcast_to(mask, x.shape)]),
    Case("nonzero", (integers(0, 2, 3, 4),), np.argwhere, grad=False),
    Case("masked_fill", (normal(3, 4), boolean(3, 1), 0.5), lambda x, mask, value: np.where(mask, value, x)),
]
