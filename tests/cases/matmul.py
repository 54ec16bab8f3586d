"""Rows of minidl/ops/matmul.py."""

import numpy as np

from .case import Case, normal

CASES = [
    Case("matmul", (normal(3, 4), normal(4, 5)), np.matmul),
    Case("matmul", (normal(2, 3, 4), normal(4, 5)), np.matmul, id="batch-matrix"),
    Case("matmul", (normal(2, 1, 3, 4), normal(6, 4, 5)), np.matmul, id="broadcast"),
    Case("matmul", (normal(4), normal(4)), np.matmul, id="vectors"),
    Case("matmul", (normal(3, 4), normal(4)), np.matmul, id="matrix-vector"),
    Case("matmul", (normal(4), normal(4, 5)), np.matmul, id="vector-matrix"),
    Case("matmul", (normal(2, 3, 4), normal(4)), np.matmul, id="batch-vector"),
    Case("matmul", (normal(4), normal(2, 4, 5)), np.matmul, id="vector-batch"),
    Case("mm", (normal(3, 4), normal(4, 5)), np.matmul),
    Case("bmm", (normal(2, 3, 4), normal(2, 4, 5)), np.matmul),
    Case("mv", (normal(3, 4), normal(4)), np.matmul),
    Case("dot", (normal(4), normal(4)), np.dot),
    Case("outer", (normal(3), normal(4)), np.outer),
    Case("addmm", (normal(5), normal(3, 4), normal(4, 5)), lambda c, a, b, beta, alpha: beta * c + alpha * (a @ b), {"beta": 0.5, "alpha": 2}),
    Case("linear", (normal(2, 3, 4), normal(5, 4), normal(5)), lambda x, w, b: x @ w.T + b),
    Case("linear", (normal(4), normal(5, 4)), lambda x, w: x @ w.T, id="vector"),
]
