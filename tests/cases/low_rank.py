"""Rows of minidl/ops/low_rank.py."""

import functools

import numpy as np

from .case import Case, normal, values

LOW = values(np.outer([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, -1.0]))
Row = functools.partial(Case, layouts=False)


def product(a, tau):
    out = np.eye(a.shape[0])
    for i, t in enumerate(tau):
        v = np.concatenate([np.zeros(i), [1.0], a[i + 1 :, i]])
        out = out @ (np.eye(a.shape[0]) - t * np.outer(v, v))
    return out[:, : a.shape[1]]


CASES = [
    # The basis is random: of a matrix of rank one only the signs of the factors are.
    Row("svd_lowrank", (LOW, 1), numpy=None, grad=False, torch=False, backends=False),
    Row("pca_lowrank", (LOW, 1), numpy=None, grad=False, torch=False, backends=False),
    Row("linalg.householder_product", (normal(4, 3), normal(2)), product),
    Row("orgqr", (normal(4, 3), normal(3)), product, torch="linalg.householder_product"),
]
