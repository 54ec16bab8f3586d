"""Elementwise losses."""

import numpy as np

from .case import Case, Spec, away, constant, normal, positive, values


def probabilities(*shape):
    """Floats in [0.1, 0.9]."""
    return Spec(lambda rng: np.asarray(rng.uniform(0.1, 0.9, shape)))


def reduced(loss, reduction):
    if reduction == "batchmean":
        return loss.sum() / len(loss)
    return {"none": lambda x: x, "mean": np.mean, "sum": np.sum}[reduction](loss)


def weighted(loss, reduction, weight):
    """Elements times weights, a mean being one by weight."""
    loss = loss * weight
    return (
        loss.sum() / np.sum(weight) if reduction == "mean" and np.ndim(weight) else reduced(loss, reduction)
    )


def mse(x, t, reduction="mean", weight=1.0):
    return weighted((x - t) ** 2, reduction, weight)


def l1(x, t, reduction="mean", weight=1.0):
    return weighted(np.abs(x - t), reduction, weight)


def smooth_l1(x, t, reduction="mean", beta=1.0):
    z = np.abs(x - t)
    return reduced(np.where(z < beta, z**2 / (2 * (beta or 1)), z - beta / 2), reduction)


def huber(x, t, reduction="mean", delta=1.0, weight=1.0):
    z = np.abs(x - t)
    return reduced(np.where(z <= delta, z**2 / 2, delta * (z - delta / 2)) * weight, reduction)


def bce(x, t, weight=1.0, reduction="mean"):
    return reduced(-weight * (t * np.log(x) + (1 - t) * np.log(1 - x)), reduction)


def bce_logits(x, t, weight=1.0, reduction="mean", pos_weight=1.0):
    p = 1 / (1 + np.exp(-x))
    return reduced(-weight * (pos_weight * t * np.log(p) + (1 - t) * np.log(1 - p)), reduction)


def kl(x, t, reduction="mean", log_target=False):
    t = np.exp(t) if log_target else t
    return reduced(t * (np.log(t) - x), reduction)


# Differences that stay clear of the kinks at 0, at 1 and at the threshold 0.5.
FAR = (away(3, 4, points=(0,)), values(np.zeros((3, 4))))
KINKED = (away(3, 4, points=(-1, -0.5, 0, 0.5, 1)), values(np.zeros((3, 4))))

CASES = [
    *(
        Case(
            name,
            KINKED,
            kwargs={"weight": positive(3, 4), "reduction": reduction},
            numpy=numpy,
            id=f"weight-{reduction}",
        )
        for name, numpy in (("mse_loss", mse), ("l1_loss", l1), ("huber_loss", huber))
        for reduction in ("none", "mean", "sum")
    ),
    Case("mse_loss", (normal(3, 4), normal(3, 4)), numpy=mse),
    Case("mse_loss", (normal(3, 4), normal(3, 4)), kwargs={"reduction": "none"}, numpy=mse, id="none"),
    Case("mse_loss", (normal(3), normal(3)), kwargs={"reduction": "sum"}, numpy=mse, id="sum"),
    Case("mse_loss", (values(1.5), values(0.5)), numpy=mse, id="scalar"),
    Case("l1_loss", FAR, numpy=l1),
    Case("l1_loss", FAR, kwargs={"reduction": "none"}, numpy=l1, id="none"),
    Case("l1_loss", FAR, kwargs={"reduction": "sum"}, numpy=l1, id="sum"),
    Case("smooth_l1_loss", KINKED, numpy=smooth_l1),
    Case("smooth_l1_loss", KINKED, kwargs={"beta": 0.5, "reduction": "sum"}, numpy=smooth_l1, id="beta"),
    Case("smooth_l1_loss", KINKED, kwargs={"beta": 0.0, "reduction": "none"}, numpy=smooth_l1, id="beta-0"),
    Case("huber_loss", KINKED, numpy=huber),
    Case("huber_loss", KINKED, kwargs={"delta": 0.5, "reduction": "none"}, numpy=huber, id="delta"),
    Case("binary_cross_entropy", (probabilities(3, 4), probabilities(3, 4)), numpy=bce),
    Case(
        "binary_cross_entropy", (probabilities(3, 4), probabilities(3, 4)), numpy=bce, id="weight",
        kwargs={"weight": constant(positive(4)), "reduction": "sum"},
    ),
    Case(
        "binary_cross_entropy", (values([0.0, 1.0, 0.0, 1.0]), values([0.0, 1.0, 1.0, 0.0])), id="limits", grad=False,
        kwargs={"reduction": "none"}, numpy=lambda x, t, reduction: np.array([0.0, 0, 100, 100]),
    ),
    Case("functional.binary_cross_entropy_with_logits", (normal(3, 4), probabilities(3, 4)), numpy=bce_logits),
    Case(
        "functional.binary_cross_entropy_with_logits", (normal(3, 4), probabilities(3, 4)), numpy=bce_logits,
        id="weights",
        kwargs={"weight": constant(positive(3, 1)), "reduction": "none", "pos_weight": constant(positive(4))},
    ),
    Case(
        "functional.binary_cross_entropy_with_logits", (values([1e4, -1e4, 1e4]), values([1.0, 0.0, 0.0])),
        id="extreme",
        kwargs={"reduction": "none"}, grad=False, numpy=lambda x, t, reduction: np.array([0.0, 0, 1e4]),
    ),
    Case("functional.kl_div", (normal(3, 4), probabilities(3, 4)), kwargs={"reduction": "sum"}, numpy=kl),
    Case(
        "functional.kl_div", (normal(3, 4), probabilities(3, 4)), kwargs={"reduction": "batchmean"}, numpy=kl,
        id="batchmean",
    ),
    Case("functional.kl_div", (normal(3, 4), probabilities(4)), kwargs={"reduction": "sum"}, numpy=kl, id="broadcast"),
    Case(
        "functional.kl_div", (normal(3, 4), normal(3, 4)), kwargs={"reduction": "none", "log_target": True}, numpy=kl,
        id="log_target",
    ),
    Case(
        "functional.kl_div", (normal(2), values([0.0, 1.0])), kwargs={"reduction": "none"}, id="zero", grad=False,
        numpy=lambda x, t, reduction: np.array([0.0, -x[1]]),
    ),
]  # fmt: skip
