"""Rows of matrix products, in all rank combinations."""

import numpy as np

from .case import Case, integers, normal

SHAPES = {
    "dot": ((4,), (4,)),
    "matrix-vector": ((3, 4), (4,)),
    "vector-matrix": ((4,), (4, 2)),
    "matrices": ((3, 4), (4, 2)),
    "batch": ((2, 3, 4), (2, 4, 5)),
    "batch-matrix": ((2, 3, 4), (4, 5)),
    "matrix-batch": ((3, 4), (2, 4, 5)),
    "batch-vector": ((2, 3, 4), (4,)),
    "vector-batch": ((4,), (2, 4, 3)),
    "broadcast": ((2, 1, 3, 4), (5, 4, 2)),
    "one-by-one": ((1, 1), (1, 1)),
    "inner-zero": ((3, 0), (0, 2)),
    "outer-zero": ((0, 4), (4, 2)),
    "batch-zero": ((0, 3, 4), (4, 2)),
}


def addmm(input, mat1, mat2, beta=1, alpha=1):
    return beta * input + alpha * (mat1 @ mat2)


def linear(input, weight, bias=None):
    return input @ weight.T + (0 if bias is None else bias)


CASES = [
    *(
        Case("matmul", (normal(*a), normal(*b)), numpy=np.matmul, id=label)
        for label, (a, b) in SHAPES.items()
    ),
    Case("matmul", (integers(-3, 4, 2, 3), integers(-3, 4, 3, 2)), numpy=np.matmul, id="int", grad=False),
    Case("mm", (normal(3, 4), normal(4, 2)), numpy=np.matmul),
    Case("bmm", (normal(2, 3, 4), normal(2, 4, 2)), numpy=np.matmul),
    Case("mv", (normal(3, 4), normal(4)), numpy=np.matmul),
    Case("dot", (normal(4), normal(4)), numpy=np.dot),
    Case("outer", (normal(3), normal(4)), numpy=np.outer),
    Case("addmm", (normal(2), normal(3, 4), normal(4, 2)), numpy=addmm),
    Case(
        "addmm",
        (normal(3, 2), normal(3, 4), normal(4, 2)),
        kwargs={"beta": 0.5, "alpha": -2},
        numpy=addmm,
        id="scaled",
    ),
    Case("linear", (normal(3, 4), normal(2, 4), normal(2)), numpy=linear),
    Case("linear", (normal(3, 4), normal(2, 4)), numpy=linear, id="no-bias"),
    Case("linear", (normal(4), normal(2, 4), normal(2)), numpy=linear, id="vector"),
    Case("linear", (normal(2, 3, 4), normal(5, 4), normal(5)), numpy=linear, id="batches"),
    Case("linear", (normal(0, 4), normal(2, 4), normal(2)), numpy=linear, id="empty"),
]
