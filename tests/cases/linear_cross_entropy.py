"""Cross entropy of what a linear map gives."""

import numpy as np

from .case import Case, constant, normal, positive, values
from .losses import reduced


def loss(x, w, target, linear_bias=0.0, reduction="mean", weight=None, ignore_index=-100):
    logits = np.moveaxis(np.tensordot(np.atleast_2d(x), w, (1, -1)) + linear_bias, 1, -1)
    target = np.reshape(target, logits.shape[:-1])
    weight = np.ones(logits.shape[-1]) if weight is None else weight
    kept = target != ignore_index
    own = np.where(kept, target, 0)[..., None]
    logs = np.take_along_axis(logits, own, -1)[..., 0] - np.log(np.exp(logits).sum(-1))
    shares = np.where(kept, weight[own[..., 0]], 0)
    losses = -shares * logs if x.ndim == 2 else (-shares * logs)[0]
    return losses.sum() / shares.sum() if reduction == "mean" else reduced(losses, reduction)


def theirs(torch, x, w, target, linear_bias=None, **options):
    """What PyTorch before 2.13 has for it."""
    logits = torch.tensordot(x, w, ([-1], [-1]))
    return torch.nn.functional.cross_entropy(
        logits if linear_bias is None else logits + linear_bias, target, **options
    )


def case(id, *inputs, **kwargs):
    return Case("linear_cross_entropy", inputs, numpy=loss, torch=theirs, kwargs=kwargs, id=id)


CLASSES = values([1, 3, 0])

CASES = [
    *(case(r, normal(3, 5), normal(4, 5), CLASSES, reduction=r) for r in ("none", "mean", "sum")),
    case(
        "all", normal(3, 5), normal(4, 5), CLASSES, linear_bias=normal(4), weight=constant(positive(4)), ignore_index=3
    ),
    case("deep", normal(2, 5), normal(4, 3, 5), values([[1, 3, 0], [2, 2, 1]]), linear_bias=normal(4, 3)),
    case("single", normal(5), normal(4, 5), values(2)),
]  # fmt: skip
