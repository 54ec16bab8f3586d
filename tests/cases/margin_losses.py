"""Losses of margins and likelihoods."""

import numpy as np

from .case import Case, away, constant, integers, normal, positive, values
from .losses import reduced

REDUCTIONS = ("none", "mean", "sum")
SIGNS = values([1.0, -1.0, -1.0, 1.0])


def distance(a, b, p=2, eps=1e-6):
    return (np.abs(a - b + eps) ** p).sum(-1) ** (1 / p)


def triplet(a, p, n, margin=1.0, order=2, eps=1e-6, swap=False, reduction="mean"):
    near, far = distance(a, p, order, eps), distance(a, n, order, eps)
    far = np.minimum(far, distance(p, n, order, eps)) if swap else far
    return reduced(np.maximum(near - far + margin, 0), reduction)


def triplet_of(a, p, n, distance_function=None, **options):
    return triplet(a, p, n, **options)


def ranking(x1, x2, t, margin=0, reduction="mean"):
    return reduced(np.maximum(-t * (x1 - x2) + margin, 0), reduction)


def hinge(x, t, margin=1.0, reduction="mean"):
    losses = np.where(t == 1, x, np.where(t == -1, np.maximum(margin - x, 0), x + np.maximum(margin - x, 0)))
    return reduced(losses, reduction)


def cosine(x1, x2, t, margin=0, reduction="mean"):
    cos = (x1 * x2).sum(-1) / np.sqrt(((x1**2).sum(-1) + 1e-12) * ((x2**2).sum(-1) + 1e-12))
    return reduced(np.where(t == 1, 1 - cos, np.maximum(cos - margin, 0)), reduction)


def soft(x, t, reduction="mean"):
    return reduced(np.logaddexp(0, -t * x), reduction)


def multi(x, t, p=1, margin=1.0, weight=None, reduction="mean"):
    rows, weight = np.atleast_2d(x), np.ones(x.shape[-1]) if weight is None else weight
    out = []
    for row, own in zip(rows, np.atleast_1d(t), strict=True):
        gaps = np.maximum(margin - row[own] + np.delete(row, own), 0) ** p
        out.append(weight[own] * gaps.sum() / len(row))
    return reduced(np.reshape(out, t.shape), reduction)


def multilabel(x, t, reduction="mean"):
    out = []
    for row, listed in zip(np.atleast_2d(x), np.atleast_2d(t), strict=True):
        own = listed[: [*listed, -1].index(-1)]
        others = np.delete(row, own)
        out.append(sum(np.maximum(1 - row[i] + others, 0).sum() for i in own) / len(row))
    return reduced(np.asarray(out, float) if x.ndim == 2 else np.asarray(out[0]), reduction)


def multilabel_soft(x, t, weight=1.0, reduction="mean"):
    return reduced((weight * (np.logaddexp(0, x) - t * x)).mean(-1), reduction)


def poisson(x, t, log_input=True, full=False, eps=1e-8, reduction="mean"):
    losses = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    safe = np.where(t > 1, t, 2)
    extra = safe * np.log(safe) - safe + np.log(2 * np.pi * safe) / 2
    return reduced(losses + np.where(t > 1, extra, 0) * full, reduction)


def gaussian(x, t, var, full=False, eps=1e-6, reduction="mean"):
    var = np.asarray(var)[..., None] if np.ndim(var) == x.ndim - 1 and np.ndim(var) else var
    var = np.maximum(var, eps)
    return reduced((np.log(var) + (x - t) ** 2 / var + full * np.log(2 * np.pi)) / 2, reduction)


def rows(op, numpy, inputs, id, **kwargs):
    """One row a reduction."""
    return [
        Case(op, inputs, numpy=numpy, kwargs={**kwargs, "reduction": r}, id=f"{id}-{r}") for r in REDUCTIONS
    ]


TRIPLET = (normal(4, 3), normal(4, 3), normal(4, 3))
PAIRS = (away(4, points=(-1, -0.5, 0, 0.5, 1)), values(np.zeros(4)), constant(SIGNS))
CLASSES = (normal(4, 5), integers(0, 5, 4))
LABELS = (normal(3, 4), values([[0, 2, -1, 1], [3, 3, 0, 1], [-1, 0, 1, 2]]))
RATES = values(np.arange(12.0).reshape(3, 4) / 3 + 0.1)

CASES = [
    *rows("functional.triplet_margin_loss", triplet, TRIPLET, "plain"),
    *rows("functional.triplet_margin_loss", triplet, TRIPLET, "swap", swap=True, margin=2.0),
    Case("functional.triplet_margin_loss", (*TRIPLET, 1.0, 3), numpy=triplet, id="cubes"),
    Case("functional.triplet_margin_loss", (normal(3), normal(3), normal(3)), numpy=triplet, id="single"),
    Case(
        "functional.triplet_margin_loss", (normal(2, 4, 3), normal(1, 4, 3), normal(2, 1, 3)), numpy=triplet, id="wide"
    ),
    *rows("triplet_margin_with_distance_loss", triplet_of, TRIPLET, "plain", margin=1.5),
    Case(
        "triplet_margin_with_distance_loss", TRIPLET, numpy=triplet_of, id="own",
        kwargs={"distance_function": lambda a, b: ((a - b + 1e-6) ** 2).sum(-1) ** 0.5, "swap": True},
    ),
    *rows("functional.margin_ranking_loss", ranking, PAIRS, "margin", margin=0.5),
    Case("functional.margin_ranking_loss", PAIRS, numpy=ranking),
    Case(
        "functional.margin_ranking_loss", (normal(3, 1), normal(1, 2), constant(normal(3, 2))), numpy=ranking,
        id="broadcast",
    ),
    *rows("functional.hinge_embedding_loss", hinge, (PAIRS[0], constant(SIGNS)), "plain"),
    Case(
        "functional.hinge_embedding_loss", (PAIRS[0], constant(values([1.0, 0, 5, -1]))), kwargs={"margin": 0.5},
        numpy=hinge,
    ),
    *rows("functional.cosine_embedding_loss", cosine, (normal(4, 3), normal(4, 3), constant(SIGNS)), "plain"),
    Case(
        "functional.cosine_embedding_loss", (normal(3), normal(3), constant(values(-1.0)), -0.5), numpy=cosine,
        id="single",
    ),
    *rows("soft_margin_loss", soft, (normal(4, 3), constant(values(np.sign(np.arange(3) - 0.5)))), "plain"),
    *rows("multi_margin_loss", multi, CLASSES, "plain"),
    Case(
        "multi_margin_loss", CLASSES, numpy=multi, id="all",
        kwargs={"p": 2, "margin": 0.5, "weight": constant(positive(5)), "reduction": "none"},
    ),
    Case("multi_margin_loss", (normal(5), values(2)), numpy=multi, id="single"),
    Case("multi_margin_loss", (normal(5), values([2])), kwargs={"reduction": "none"}, numpy=multi, id="row"),
    *rows("multilabel_margin_loss", multilabel, LABELS, "plain"),
    Case("multilabel_margin_loss", (normal(3), values([1, -1, 0])), numpy=multilabel, id="single"),
    *rows("multilabel_soft_margin_loss", multilabel_soft, (normal(3, 4), constant(positive(3, 4))), "plain"),
    Case(
        "multilabel_soft_margin_loss", (normal(3, 4), constant(positive(3, 4)), constant(positive(4))),
        numpy=multilabel_soft, id="weight",
    ),
    *rows("functional.poisson_nll_loss", poisson, (normal(3, 4), RATES), "full", full=True),
    Case("functional.poisson_nll_loss", (positive(3, 4), normal(3, 4), False), numpy=poisson, id="rate"),
    Case(  # the logarithm of an integer is a float32, as in PyTorch
        "functional.poisson_nll_loss", (normal(3), integers(0, 9, 3)), kwargs={"full": True}, numpy=poisson,
        id="counts",
        tolerance=1000,
    ),
    *rows("gaussian_nll_loss", gaussian, (normal(3, 4), normal(3, 4), positive(3, 4)), "full", full=True),
    Case("gaussian_nll_loss", (normal(3, 4), normal(4), positive(3)), numpy=gaussian, id="rows"),
    Case("gaussian_nll_loss", (normal(3, 4), normal(3, 4), positive(1, 4)), numpy=gaussian, id="columns"),
    Case("gaussian_nll_loss", (normal(3, 4), normal(3, 4), 2.0), numpy=gaussian, id="number"),
    Case(
        "gaussian_nll_loss", (normal(3), normal(3), constant(positive(3))), kwargs={"eps": 1.0}, numpy=gaussian,
        id="eps",
    ),
]  # fmt: skip
