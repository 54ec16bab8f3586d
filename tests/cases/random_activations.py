"""Rows of minidl/ops/random_activations.py."""

import numpy as np

from .case import Case, away, normal


def _mean_slope(x, lower=1 / 8, upper=1 / 3, training=False):
    return np.where(x > 0, x, x * (lower + upper) / 2)


CASES = [
    Case("rrelu", (away(3, 4),), _mean_slope),
    Case("rrelu", (away(3, 4), 0.3, 0.3, True), _mean_slope, id="one-slope"),
    Case("rrelu", (away(3, 4), 0.1, 0.9, True), None, torch=False, id="random"),
    Case("gumbel_softmax", (normal(3, 4),), None, torch=False),
    Case("gumbel_softmax", (normal(3, 4), 0.5), None, {"dim": 0}, torch=False, id="dim"),
]
