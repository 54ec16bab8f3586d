"""Embedding and one-hot."""

import numpy as np

from .case import Case, integers, normal, values


def embedding(indices, weight, *args, **kwargs):
    return weight[indices]


def backward(g, indices, rows, padding_idx=-1, by_frequency=False):
    out = np.zeros((rows, g.shape[-1]))
    for place in np.ndindex(indices.shape):
        row = indices[place]
        if row != padding_idx:
            out[row] += g[place] / (np.sum(indices == row) if by_frequency else 1)
    return out


def double_backward(g, indices, padding_idx=-1, by_frequency=False):
    out = np.zeros((*indices.shape, g.shape[-1]))
    for place in np.ndindex(indices.shape):
        row = indices[place]
        if row != padding_idx:
            out[place] = g[row] / (np.sum(indices == row) if by_frequency else 1)
    return out


def _torch_backward(torch, g, indices, rows, padding_idx=-1, by_frequency=False):
    return torch.ops.aten.embedding_dense_backward(g, indices, rows, padding_idx, by_frequency)


INDICES = values([[1, 3, 1], [0, 1, 3]])

CASES = [
    Case("functional.embedding", (INDICES, normal(5, 4)), numpy=embedding),
    Case("functional.embedding", (values(2), normal(5, 4)), numpy=embedding, id="scalar"),
    Case(
        "functional.embedding", (values(np.zeros((2, 0), int)), normal(5, 4)), numpy=embedding, id="empty", grad=False
    ),
    Case("embedding_rows", (INDICES, normal(5, 4)), numpy=embedding, torch="nn.functional.embedding"),
    Case("embedding_dense_backward", (normal(2, 3, 4), INDICES, 5), numpy=backward, torch=_torch_backward),
    Case(
        "embedding_dense_backward", (normal(2, 3, 4), INDICES, 5, 1), numpy=backward, torch=_torch_backward,
        id="padding",
    ),
    # PyTorch forgets the frequencies in the gradient of this gradient.
    Case(
        "embedding_dense_backward", (normal(2, 3, 4), INDICES, 5, -1, True), numpy=backward, torch=False,
        id="frequency",
    ),
    Case("embedding_dense_double_backward", (normal(5, 4), INDICES), numpy=double_backward, torch=False),
    Case(
        "embedding_dense_double_backward", (normal(5, 4), INDICES, 3, True), numpy=double_backward, torch=False,
        id="all",
    ),
    Case("one_hot", (integers(0, 4, 3, 2), 5), numpy=lambda x, n: np.eye(n, dtype=int)[x], grad=False),
    Case("one_hot", (values([0, 2, 1]),), numpy=lambda x: np.eye(3, dtype=int)[x], grad=False, id="inferred"),
    Case("one_hot", (values(1), 3), numpy=lambda x, n: np.eye(n, dtype=int)[x], grad=False, id="scalar"),
]  # fmt: skip
