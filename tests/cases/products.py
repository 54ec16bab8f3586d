"""Rows of minidl/ops/products.py and einsum.py."""

import numpy as np

from .case import Case, integers, normal

SCALES = {"beta": 0.5, "alpha": 2}


def weighed(product):
    return lambda x, a, b, beta=1, alpha=1: beta * x + alpha * product(a, b)


def distances(x, y, p):
    d = np.abs(x[..., :, None, :] - y[..., None, :, :])
    return d.max(-1) if p == np.inf else (d**p).sum(-1) ** (1 / p)


def row_pairs(x, p):
    return distances(x, x, p)[np.triu_indices(len(x), 1)]


def summed(equation, *shapes, **options):
    return Case("einsum", (equation, *(normal(*s) for s in shapes)), np.einsum, id=equation, **options)


CASES = [
    Case("addmv", (normal(3), normal(3, 4), normal(4)), weighed(np.matmul), SCALES),
    Case("addr", (normal(3, 4), normal(3), normal(4)), weighed(np.outer), SCALES),
    Case("baddbmm", (normal(3, 2), normal(2, 3, 4), normal(2, 4, 2)), weighed(np.matmul), SCALES),
    Case(
        "addbmm",
        (normal(3, 2), normal(2, 3, 4), normal(2, 4, 2)),
        weighed(lambda a, b: (a @ b).sum(0)),
        SCALES,
    ),
    Case(
        "addmv",
        (integers(0, 5, 2), integers(0, 5, 2, 2), integers(0, 5, 2)),
        weighed(np.matmul),
        id="int",
        grad=False,
    ),
    Case("vdot", (normal(3), normal(3)), np.dot),
    Case("inner", (normal(2, 3), normal(4, 3)), np.inner),
    Case("inner", (normal(), normal(4, 3)), np.inner, id="number"),
    Case(
        "tensordot",
        (normal(2, 3, 4), normal(4, 3, 2)),
        lambda a, b, dims: np.tensordot(a, b, dims),
        {"dims": ([1, 2], [1, 0])},
    ),
    Case(
        "tensordot",
        (normal(2, 3), normal(3, 2)),
        lambda a, b, dims: np.tensordot(a, b, dims),
        {"dims": 1},
        id="count",
    ),
    Case("kron", (normal(2, 3), normal(3)), np.kron),
    Case("cross", (normal(2, 3), normal(1, 3)), np.cross),
    Case("cross", (normal(3, 2), normal(3, 2), 0), lambda a, b, dim: np.cross(a, b, axis=dim), id="dim"),
    *(
        Case("cdist", (normal(2, 3, 4), normal(2, 4), p), distances, id=str(p))
        for p in (1.0, 2.0, 3.0, np.inf)
    ),
    Case("cdist", (normal(27, 4), normal(3, 4)), lambda a, b: distances(a, b, 2.0), id="product"),
    Case("pdist", (normal(4, 3), 2.0), row_pairs),
    Case("chain_matmul", (normal(2, 3), normal(3, 4), normal(4, 2)), lambda *m: np.linalg.multi_dot(m)),
    summed("ij,jk->ik", (2, 3), (3, 4)),
    summed("ij,jk", (2, 3), (3, 4)),
    summed("ii->i", (3, 3)),
    summed("ii", (3, 3)),
    summed("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    summed("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
    summed("i,j,k->kji", (2,), (3,), (2,)),
    summed("ijk,jil,il->k", (2, 3, 4), (3, 2, 2), (2, 2)),
    summed("ij->j", (2, 3)),
    Case(
        "einsum",
        (normal(2, 3), [0, 1], normal(3, 4), [1, 2], [0, 2]),
        lambda a, x, b, y, z: a @ b,
        id="lists",
    ),
    Case("einsum", ("ij,jk", [normal(2, 3), normal(3, 4)]), lambda e, ops: ops[0] @ ops[1], id="sequence"),
]
