"""Cross entropy and negative log likelihood."""

import numpy as np

from .case import Case, constant, integers, normal, positive, values
from .losses import probabilities
from .softmax import log_softmax


def _moved(x):
    """Classes last."""
    return np.moveaxis(x, 1, -1) if x.ndim > 1 else x


def nll(x, t, weight=None, ignore_index=-100, reduction="mean"):
    x = _moved(x)
    counted = t != ignore_index
    index = np.where(counted, t, 0)
    own = counted * (1.0 if weight is None else weight[index])
    loss = -own * np.take_along_axis(x, index[..., None], -1)[..., 0]
    return {"none": lambda: loss, "sum": loss.sum, "mean": lambda: loss.sum() / own.sum()}[reduction]()


def cross_entropy(x, t, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    logs = log_softmax(x, 1 if x.ndim > 1 else 0)
    if t.dtype.kind == "f":
        t = t * (1 - label_smoothing) + label_smoothing / x.shape[min(1, x.ndim - 1)]
        w = 1.0 if weight is None else weight
        loss = -(_moved(logs) * _moved(t) * w).sum(-1)
        return {"none": lambda: loss, "sum": loss.sum, "mean": loss.mean}[reduction]()
    plain = nll(logs, t, weight, ignore_index, reduction)
    w = np.ones(_moved(x).shape[-1]) if weight is None else weight
    counted = t != ignore_index
    every = -(_moved(logs) * w).sum(-1) * counted
    own = w[np.where(counted, t, 0)] * counted
    smooth = {"none": lambda: every, "sum": every.sum, "mean": lambda: every.sum() / own.sum()}[reduction]()
    return (1 - label_smoothing) * plain + label_smoothing / len(w) * smooth


def nll_backward(g, t, weight=None, shape=None, ignore_index=-100, reduction="mean"):
    counted = t != ignore_index
    index = np.where(counted, t, 0)
    own = counted * (np.ones(shape[1]) if weight is None else weight)[index]
    scale = g / own.sum() if reduction == "mean" else g
    one_hot = index[..., None] == np.arange(shape[1])
    return np.moveaxis(one_hot * (-own * scale)[..., None], -1, 1)


X, T = normal(4, 5), integers(0, 5, 4)
IGNORED = values([1, -100, 4, 1])
WEIGHT = constant(positive(5))
DEEP = (normal(2, 5, 3, 2), integers(0, 5, 2, 3, 2))

BOTH = (("cross_entropy", cross_entropy), ("nll_loss", nll))
REDUCTIONS = ("none", "mean", "sum")


def smoothed(reduction, weight, id):
    return Case(
        "cross_entropy",
        (X, IGNORED, weight),
        kwargs={"reduction": reduction, "label_smoothing": 0.2},
        numpy=cross_entropy,
        id=f"{id}-{reduction}",
    )


CASES = [
    *(Case(op, (X, T), kwargs={"reduction": r}, numpy=oracle, id=r) for op, oracle in BOTH for r in REDUCTIONS),
    *(
        Case(op, (X, IGNORED, WEIGHT), kwargs={"reduction": r}, numpy=oracle, id=f"weight-ignored-{r}")
        for op, oracle in BOTH
        for r in REDUCTIONS
    ),
    *(smoothed(r, None, "smooth") for r in REDUCTIONS),
    *(smoothed(r, WEIGHT, "smooth-weight") for r in REDUCTIONS),
    Case("cross_entropy", DEEP, numpy=cross_entropy, id="deep"),
    Case(
        "cross_entropy", (*DEEP, WEIGHT), kwargs={"ignore_index": 2, "label_smoothing": 0.1, "reduction": "none"},
        numpy=cross_entropy, id="deep-all",
    ),
    Case("cross_entropy", (normal(5), values(3)), numpy=cross_entropy, id="one-sample"),
    Case(
        "cross_entropy", (normal(5), values(3)), kwargs={"label_smoothing": 0.3}, numpy=cross_entropy, id="one-smooth",
    ),
    Case("cross_entropy", (X, probabilities(4, 5)), numpy=cross_entropy, id="probabilities"),
    Case(
        "cross_entropy", (X, probabilities(4, 5), WEIGHT), numpy=cross_entropy, id="probabilities-all",
        kwargs={"label_smoothing": 0.1, "reduction": "sum"},
    ),
    Case("cross_entropy", (normal(2, 5, 3), probabilities(2, 5, 3)), numpy=cross_entropy, id="probabilities-deep"),
    Case("cross_entropy", (normal(5), probabilities(5)), numpy=cross_entropy, id="probabilities-one"),
    Case(
        "cross_entropy", (values([[1e4, 0, -1e4], [0, -np.inf, 1]]), values([1, 0])), grad=False, id="extreme",
        kwargs={"reduction": "none"}, numpy=lambda x, t, reduction: np.array([1e4, np.log1p(np.e)]),
    ),
    Case(
        "cross_entropy_of_indices", (X, IGNORED, WEIGHT), kwargs={"label_smoothing": 0.2}, numpy=cross_entropy,
        torch="nn.functional.cross_entropy",
    ),
    Case("nll_loss", DEEP, numpy=nll, id="deep"),
    Case("nll_loss", (normal(5), values(3)), numpy=nll, id="one-sample"),
    Case(
        "nll_loss_backward", (normal(), IGNORED, WEIGHT, (4, 5)), numpy=nll_backward, torch=False,
    ),
    Case(
        "nll_loss_backward", (normal(2, 3, 2), integers(0, 5, 2, 3, 2), None, (2, 5, 3, 2), -100, "none"),
        numpy=nll_backward, torch=False, id="none",
    ),
]  # fmt: skip
