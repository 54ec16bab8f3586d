"""Bags of embeddings."""

import numpy as np

from .case import Case, distinct, normal, values


def bag(
    input, weight, offsets=None, mode="mean", per_sample_weights=None, include_last_offset=False, padding_idx=None, **_
):  # fmt: skip
    """Bag after bag, index after index."""
    factors = np.ones(input.shape) if per_sample_weights is None else per_sample_weights
    if input.ndim == 1:
        ends = offsets if include_last_offset else [*offsets, len(input)]
        input, factors = (np.split(x, ends)[1 : len(ends)] for x in (input, factors))
    out = np.zeros((len(input), weight.shape[1]))
    for row, indices, factor in zip(out, input, factors, strict=True):
        kept = np.ones(len(indices), bool) if padding_idx is None else indices != padding_idx % len(weight)
        if kept.any():
            rows = weight[indices[kept]] * factor[kept][:, None]
            row[:] = {"sum": rows.sum, "mean": rows.mean, "max": rows.max}[mode](0)
    return out


INDICES, OFFSETS = values([1, 3, 1, 0, 2, 3, 3]), values([0, 2, 2, 5])  # the second bag is empty
FIXED = values([[1, 3, 1], [0, 3, 3]])
MODES = ("sum", "mean", "max")

CASES = [
    *(
        Case("functional.embedding_bag", (INDICES, distinct(4, 3), OFFSETS), numpy=bag, kwargs={"mode": m}, id=m)
        for m in MODES
    ),
    *(
        Case(
            "functional.embedding_bag", (INDICES, distinct(4, 3), OFFSETS), numpy=bag, id=f"padding-{m}",
            kwargs={"mode": m, "padding_idx": -1},
        )
        for m in MODES
    ),
    *(
        Case(
            "functional.embedding_bag", (FIXED, distinct(4, 3)), numpy=bag, id=f"fixed-{m}",
            kwargs={"mode": m, "padding_idx": 3},
        )
        for m in MODES
    ),
    Case(
        "functional.embedding_bag", (INDICES, normal(4, 3), OFFSETS), numpy=bag, id="weights",
        kwargs={"mode": "sum", "per_sample_weights": normal(7)},
    ),
    Case(
        "functional.embedding_bag", (FIXED, normal(4, 3)), numpy=bag, id="fixed-weights",
        kwargs={"mode": "sum", "per_sample_weights": normal(2, 3), "padding_idx": 1},
    ),
    Case(
        "functional.embedding_bag", (FIXED, normal(4, 3)), numpy=bag, id="all-weights",
        kwargs={"mode": "sum", "per_sample_weights": normal(2, 3)},
    ),
    *(
        Case(
            "functional.embedding_bag", (INDICES, distinct(4, 3), values([0, 2, 2, 5, 7])), numpy=bag, id=f"last-{m}",
            kwargs={"mode": m, "include_last_offset": True},
        )
        for m in MODES
    ),
    Case(
        "functional.embedding_bag", (FIXED, normal(4, 3)), numpy=bag, id="frequency", torch=False, grad=False,
        kwargs={"scale_grad_by_freq": True},
    ),
    Case("functional.embedding_bag", (values(np.zeros(0, int)), normal(4, 3), values([0, 0])), numpy=bag, id="empty"),
    Case("functional.embedding_bag", (values(np.zeros((0, 2), int)), normal(4, 3)), numpy=bag, id="no-bags"),
    Case(
        "functional.embedding_bag", (values(np.zeros((2, 0), int)), normal(4, 3)), numpy=bag, id="no-columns",
        torch=False,
    ),
]  # fmt: skip
