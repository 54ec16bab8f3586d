"""Functions that are others at the top level than in ``nn.functional``."""

import numpy as np

from .case import Case, constant, distinct, normal, positive, values
from .ctc import ctc
from .embedding import INDICES
from .embedding_bag import INDICES as BAGGED
from .embedding_bag import OFFSETS, bag
from .losses import bce_logits, kl, probabilities
from .margin_losses import PAIRS, SIGNS, TRIPLET, cosine, hinge, poisson, ranking, triplet

WORDS = ("none", "mean", "sum")


def worded(function):
    """An oracle that takes a number where ``function`` takes a word."""
    return lambda *args, reduction=1, **kwargs: function(*args, reduction=WORDS[reduction], **kwargs)


def rows(op, inputs, numpy, **kwargs):
    return [
        Case(op, inputs, numpy=worded(numpy), kwargs={"reduction": i, **kwargs}, id=word)
        for i, word in enumerate(WORDS)
    ]


def batch_norm(x, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled):
    mean, var = (x.mean(0), x.var(0)) if training else (running_mean, running_var)
    return (x - mean) / np.sqrt(var + eps) * weight + bias


def described_bag(weight, indices, offsets, by_frequency, mode):
    out = bag(indices, weight, offsets, ("sum", "mean", "max")[mode])
    ends = [*offsets, len(indices)]
    size = np.diff(ends)
    where = np.repeat(np.arange(len(size)), size)
    if mode < 2:
        return out, where, size, size
    chosen = np.zeros(out.shape, int)
    for row, start, stop in zip(chosen, ends, ends[1:], strict=False):
        if stop > start:
            row[:] = indices[start:stop][weight[indices[start:stop]].argmax(0)]
    return out, where, size, chosen


def worded_ctc(log_probs, targets, inputs, lengths, blank, reduction):
    return ctc(log_probs, targets, inputs, lengths, blank, WORDS[reduction])


def log_kl(x, t, reduction, log_target):
    return kl(x, t, WORDS[reduction], log_target)


CASES = [
    *rows("binary_cross_entropy_with_logits", (normal(3, 4), probabilities(3, 4)), bce_logits),
    Case(
        "binary_cross_entropy_with_logits", (normal(3, 4), probabilities(3, 4), None, constant(positive(4)), 1),
        numpy=lambda x, t, w, p, _: bce_logits(x, t, pos_weight=p), id="weight",
    ),
    *rows("kl_div", (normal(3, 4), probabilities(3, 4)), kl),
    Case("kl_div", (normal(4), normal(4), 1), kwargs={"log_target": True}, numpy=log_kl, id="log_target"),
    Case("kl_div", (normal(4), positive(4)), numpy=kl, id="default", torch=False),  # PyTorch's default is no mean
    Case("ctc_loss", (normal(3, 2, 3), values([[1, 2], [2, 0]]), (3, 2), (2, 1), 0, 2), numpy=worded_ctc, torch=False),
    Case(
        "poisson_nll_loss", (normal(3), positive(3), True, True, 1e-8, 2),
        numpy=lambda x, t, log_input, full, eps, reduction: poisson(x, t, log_input, full, eps, WORDS[reduction]),
    ),
    *rows("cosine_embedding_loss", (normal(4, 3), normal(4, 3), constant(SIGNS)), cosine, margin=-0.5),
    *rows("hinge_embedding_loss", (PAIRS[0], constant(SIGNS)), hinge),
    *rows("margin_ranking_loss", PAIRS, ranking, margin=0.5),
    *rows("triplet_margin_loss", TRIPLET, triplet, margin=-0.5),
    Case("embedding", (normal(5, 4), INDICES), numpy=lambda table, indices: table[indices]),
    Case("embedding", (normal(5, 4), INDICES, 1), numpy=lambda t, i, p: t[i], id="padding", grad=False),
    # PyTorch's further results depend on what its backward needs.
    *(
        Case(
            "embedding_bag", (distinct(4, 3), BAGGED, OFFSETS, False, mode), numpy=described_bag, torch=False,
            id=str(mode),
        )
        for mode in range(3)
    ),
    Case(
        "batch_norm", (normal(5, 3), normal(3), normal(3), None, None, True, 0.1, 1e-5, True), numpy=batch_norm
    ),
    Case(
        "batch_norm",
        (normal(5, 3), normal(3), normal(3), constant(normal(3)), constant(positive(3)), False, 0.1, 1e-5, False),
        numpy=batch_norm, id="evaluation",
    ),
]  # fmt: skip
