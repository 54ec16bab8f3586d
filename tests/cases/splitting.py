"""Rows of minidl/ops/splitting.py."""

import itertools

import numpy as np

from .case import Case, constant, integers, normal, values


def product(*vectors):
    return np.array(list(itertools.product(*vectors)))


def chosen(x, r, replacement=False):
    pick = itertools.combinations_with_replacement if replacement else itertools.combinations
    return np.array(list(pick(x, r)))


def blocks(*parts):
    parts = [np.atleast_2d(p) for p in parts]
    out = np.zeros(np.sum([p.shape for p in parts], axis=0))
    top = left = 0
    for p in parts:
        out[top : top + p.shape[0], left : left + p.shape[1]] = p
        top, left = top + p.shape[0], left + p.shape[1]
    return out


CASES = [
    Case("tensor_split", (normal(5, 2), 3), lambda x, n: tuple(np.array_split(x, n))),
    Case(
        "tensor_split",
        (normal(2, 5), (1, 3), 1),
        lambda x, at, dim: tuple(np.split(x, at, dim)),
        id="indices",
    ),
    Case("hsplit", (normal(2, 4), 2), lambda x, n: tuple(np.hsplit(x, n))),
    Case("vsplit", (normal(4, 2), 2), lambda x, n: tuple(np.vsplit(x, n))),
    Case("dsplit", (normal(2, 2, 4), [1, 3]), lambda x, n: tuple(np.dsplit(x, n))),
    Case("split_with_sizes", (normal(5, 2), [2, 3]), lambda x, n: (x[:2], x[2:])),
    Case("unsafe_chunk", (normal(4, 2), 2), lambda x, n: (x[:2], x[2:])),
    Case("unsafe_split", (normal(4, 2), 3), lambda x, n: (x[:3], x[3:])),
    Case("unsafe_split_with_sizes", (normal(5, 2), [2, 3]), lambda x, n: (x[:2], x[2:])),
    Case("atleast_1d", (normal(),), np.atleast_1d),
    Case("atleast_2d", (normal(3),), np.atleast_2d),
    Case("atleast_3d", (normal(3, 2), constant(normal(2))), lambda *x: tuple(map(np.atleast_3d, x))),
    Case("dstack", ([normal(2, 3), normal(2, 3)],), np.dstack),
    Case("column_stack", ([normal(3), normal(3, 2)],), np.column_stack),
    Case("block_diag", (normal(2, 3), normal(2), normal(1, 1)), blocks),
    Case("broadcast_shapes", ((2, 1), (3,)), lambda *s: (2, 3), grad=False),
    Case("broadcast_tensors", (normal(2, 1), constant(normal(3))), np.broadcast_arrays),
    Case(
        "meshgrid",
        (normal(2), constant(normal(3))),
        lambda *x, indexing: np.meshgrid(*x, indexing=indexing),
        {"indexing": "ij"},
    ),
    Case(
        "meshgrid",
        ([normal(2), constant(normal(3)), constant(normal(2))],),
        lambda x, indexing: np.meshgrid(*x, indexing=indexing),
        {"indexing": "xy"},
        id="xy",
    ),
    Case("cartesian_prod", (normal(2), normal(3)), product),
    Case("combinations", (normal(4), 2), chosen),
    Case("combinations", (normal(3), 2, True), chosen, id="replacement"),
    Case("ravel", (normal(2, 3),), np.ravel),
    Case("sum_to_size", (normal(2, 3, 4), 3, 1), lambda x, *n: x.sum((0, 2), keepdims=True)[0]),
    Case("take_along_dim", (normal(2, 3), integers(0, 3, 2, 2), 1), np.take_along_axis),
    Case(
        "take_along_dim",
        (normal(2, 3), integers(0, 3, 1, 2), 1),
        lambda x, i, d: np.take_along_axis(x, i.repeat(2, 0), d),
        id="broadcast",
    ),
    Case("take_along_dim", (normal(2, 3), values([5, 0])), lambda x, i: x.ravel()[i], id="flat"),
    Case("unravel_index", (integers(0, 12, 4), (3, 4)), np.unravel_index, grad=False),
]
