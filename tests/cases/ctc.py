"""Connectionist temporal classification."""

import itertools

import numpy as np

from .case import Case, normal, values
from .losses import reduced


def collapsed(path, blank):
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


def ctc(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """By its definition: all sequences of classes that give the labels."""
    single = log_probs.ndim == 2
    log_probs = log_probs[:, None] if single else log_probs
    inputs, sizes = np.atleast_1d(input_lengths), np.atleast_1d(target_lengths)
    starts = np.cumsum([0, *sizes[:-1]])
    losses = []
    for n, (steps, size) in enumerate(zip(inputs, sizes, strict=True)):
        labels = targets[starts[n] :][:size] if targets.ndim == 1 else targets[n, :size]
        total = 0.0
        for path in itertools.product(range(log_probs.shape[2]), repeat=int(steps)):
            if collapsed(path, blank) == tuple(labels):
                total += np.exp(sum(log_probs[t, n, k] for t, k in enumerate(path)))
        losses.append(-np.log(total) if total else 0.0 if zero_infinity else np.inf)
    losses = np.array(losses) / (np.maximum(sizes, 1) if reduction == "mean" else 1)
    return reduced(losses[0] if single else losses, reduction)


# PyTorch's gradient is right behind a log_softmax only: tests/oracle/test_ctc_oracle.py has one.
def case(id, *inputs, **kwargs):
    return Case("functional.ctc_loss", inputs, numpy=ctc, kwargs=kwargs, torch=False, id=id)


LABELS = values([[1, 2], [2, 2], [1, 0]])
ROWS = (normal(4, 3, 3), LABELS, (4, 4, 3), (2, 2, 1))

CASES = [
    *(case(r, *ROWS, reduction=r) for r in ("none", "mean", "sum")),
    case("blank", normal(4, 2, 3), values([[0, 1, 0], [1, 9, 9]]), (4, 3), (3, 1), 2, "sum"),
    case("row", normal(4, 3, 3), values([1, 2, 2, 2, 1]), [4, 4, 2], [2, 2, 1]),
    case("tensors", normal(3, 2, 4), values([[3, 1], [2, 3]]), values([3, 2]), values([1, 2]), reduction="none"),
    case("nothing", normal(3, 2, 3), values([[1, 2], [2, 1]]), (3, 0), (0, 0), reduction="none"),
    case("no-labels", normal(3, 2, 3), values(np.zeros((2, 0), int)), (3, 2), (0, 0)),
    case("no-path", normal(3, 2, 3), values([[1, 1], [2, 1]]), (2, 3), (2, 2), zero_infinity=True),
    case("single", normal(4, 3), values([1, 2]), (4,), (2,), reduction="none"),
    case("one-step", normal(1, 2, 3), values([[1], [2]]), (1, 1), (1, 0), reduction="sum"),
    Case(
        "functional.ctc_loss", (normal(2, 1, 3), values([[1, 1]]), (2,), (2,)), numpy=ctc, torch=False,
        id="infinite", grad=False,
    ),
]  # fmt: skip
