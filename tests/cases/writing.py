"""Rows of in-place writes; the harness gives them a clone to write into."""

import numpy as np

from .case import Case, away, boolean, constant, integers, normal, values

CASES = [
    Case("apply_", (constant(normal(2, 3)), abs), numpy=lambda x, f: np.abs(x), grad=False, backends=False),
    Case(
        "map_",
        (constant(normal(2, 3)), constant(normal(3)), max),
        numpy=lambda x, y, f: np.maximum(x, y),
        grad=False,
        backends=False,
    ),
    Case("copy_", (normal(2, 3), normal(2, 3)), numpy=lambda x, source: source),
    Case(
        "copy_",
        (normal(2, 3), normal(3)),
        numpy=lambda x, source: np.broadcast_to(source, x.shape),
        id="broadcast",
    ),
    Case("copy_", (normal(2, 3), integers(-5, 5, 2, 3)), numpy=lambda x, source: source, id="cast"),
    Case("fill_", (normal(2, 3), 1.5), numpy=np.full_like),
    Case("fill_", (normal(2, 3), normal()), numpy=np.full_like, id="tensor"),
    Case("fill_", (integers(0, 5, 4), 3), numpy=np.full_like, id="int", grad=False),
    Case("zero_", (normal(2, 3),), numpy=np.zeros_like),
    Case("masked_fill_", (normal(2, 3), boolean(2, 3), 0.5), numpy=lambda x, mask, v: np.where(mask, v, x)),
    Case(
        "masked_fill_",
        (normal(2, 3), boolean(3), normal()),
        numpy=lambda x, mask, v: np.where(mask, v, x),
        id="tensor",
    ),
    Case("clamp_", (away(3, 4, points=(-0.5, 0.5)), -0.5, 0.5), numpy=np.clip),
    Case("clamp_", (values([3, -3, 9]), 0, 5), numpy=np.clip, id="int", grad=False),
]
