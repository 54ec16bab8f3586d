"""Rows of similarities."""

import numpy as np

from .case import Case, constant, integers, normal, values


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    x1, x2 = np.broadcast_arrays(x1, x2)
    lengths = (np.maximum(np.sqrt((x * x).sum(dim)), eps) for x in (x1, x2))
    return (x1 * x2).sum(dim) / np.prod(list(lengths), axis=0)


def pairwise(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    return np.linalg.norm(x1 - x2 + eps, p, -1, keepdim)


CASES = [
    Case("pairwise_distance", (normal(3, 4), normal(4)), numpy=pairwise),
    Case("pairwise_distance", (normal(3, 4), normal(3, 4), 1.5, 1e-3, True), numpy=pairwise, id="options"),
    Case("cosine_similarity", (normal(3, 4), normal(3, 4)), numpy=cosine_similarity),
    Case("cosine_similarity", (normal(2, 3, 4), normal(3, 1)), kwargs={"dim": -2}, numpy=cosine_similarity, id="dim"),
    Case("cosine_similarity", (normal(3), normal(3)), kwargs={"dim": 0}, numpy=cosine_similarity, id="vectors"),
    Case("cosine_similarity", (normal(2, 3), integers(1, 5, 3)), numpy=cosine_similarity, id="mixed"),
    Case("cosine_similarity", (values([[3e2, 4e2]]), values([[4e2, 3e2]])), numpy=cosine_similarity, id="large"),
    Case(  # PyTorch clamps the lengths behind the tape's back: its gradient is not that of the formula there
        "cosine_similarity", (normal(3, 4), normal(3, 4)),
        kwargs={"eps": 100.0}, numpy=cosine_similarity, id="shorter-than-eps", torch=False,
    ),
    Case("cosine_similarity", (constant(values(np.zeros((1, 2)))), normal(1, 2)), numpy=cosine_similarity, id="zeros"),
    Case("cosine_similarity", (normal(2, 0), normal(2, 0)), numpy=cosine_similarity, id="no-elements"),
]  # fmt: skip
