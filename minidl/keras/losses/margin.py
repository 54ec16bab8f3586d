"""Losses of margins, overlaps, embeddings and sequences."""

from minidl import cat, eye, full_like, logsumexp, stack, where
from minidl.keras.losses.base import pair
from minidl.keras.settings import epsilon
from minidl.keras.tensors import to_float, to_tensor
from minidl.nn import functional as F

__all__ = ["categorical_hinge", "circle", "ctc", "dice", "hinge", "squared_hinge", "tversky"]

_NEVER = -1e30  # the logarithm of no chance, finite so that gradients are


def _signs(y_true):
    """Labels 0 and 1 as -1 and 1; others as they are. Decided without asking the device."""
    binary = ((y_true == 0) | (y_true == 1)).all()
    return where(binary, 2.0 * y_true - 1.0, y_true)


def hinge(y_true, y_pred):
    """mean max(1 - y p, 0) over the last dimension, for labels y of -1 and 1 (0 and 1 become those).

    >>> from minidl import keras
    >>> keras.losses.hinge([[1.0, -1.0]], [[0.5, -2.0]])
    tensor([0.2500])
    """
    y_true, y_pred = pair(y_true, y_pred)
    return (1.0 - _signs(y_true) * y_pred).clamp(min=0).mean(-1)


def squared_hinge(y_true, y_pred):
    """mean max(1 - y p, 0)^2 over the last dimension."""
    y_true, y_pred = pair(y_true, y_pred)
    return (1.0 - _signs(y_true) * y_pred).clamp(min=0).square().mean(-1)


def categorical_hinge(y_true, y_pred):
    """max(1 + the best wrong score - the right score, 0), for one-hot y."""
    y_true, y_pred = pair(y_true, y_pred)
    return ((1.0 - y_true) * y_pred).amax(-1).sub((y_true * y_pred).sum(-1)).add(1.0).clamp(min=0)


def _sum(x, axis):
    return x.sum() if axis is None else x.sum(axis)


def dice(y_true, y_pred, axis=None):
    """1 - 2 |A and B| / (|A| + |B|), over everything or ``axis``.

    Source: F. Milletari et al., "V-Net", 3DV 2016.
    """
    y_true, y_pred = pair(y_true, y_pred)
    overlap = _sum(y_true * y_pred, axis)
    return 1 - 2.0 * overlap / (_sum(y_true, axis) + _sum(y_pred, axis) + epsilon())


def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """1 - overlap / (overlap + alpha * missed + beta * wrongly found).

    Source: S. Salehi et al., "Tversky loss function for image segmentation", 2017.
    """
    y_true, y_pred = pair(y_true, y_pred)
    overlap = _sum(y_true * y_pred, axis)
    missed = _sum((1 - y_pred) * y_true, axis)
    extra = _sum(y_pred * (1 - y_true), axis)
    return 1 - overlap / (overlap + missed * alpha + extra * beta + epsilon())


def circle(
    y_true, y_pred, ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4
):  # fmt: skip
    """Circle loss of normalised embeddings (N, D) with labels (N,), against each other or the references.

    Source: Y. Sun et al., "Circle loss: a unified perspective of pair similarity optimization", CVPR 2020.
    """
    y_pred = to_float(y_pred)
    y_true = to_tensor(y_true, like=y_pred).long().reshape(-1, 1)
    others = y_pred if ref_embeddings is None else to_float(ref_embeddings, like=y_pred)
    labels = y_true if ref_labels is None else to_tensor(ref_labels, like=y_pred).long().reshape(-1, 1)
    distance = (1 - y_pred @ others.t()).clamp(min=0)
    same = y_true == labels.t()
    different = ~same
    if remove_diagonal:
        same = same & ~eye(*same.shape, device=y_pred.device).bool()
    near = -gamma * (margin + distance) * (margin - distance)
    far = gamma * (1 + margin - distance).clamp(min=0) * (1 - margin - distance)
    attract = logsumexp(where(same, near, full_like(near, _NEVER)), 1)
    repel = logsumexp(where(different, far, full_like(far, _NEVER)), 1)
    both = same.any(1) & different.any(1)
    loss = F.softplus(where(both, attract + repel, full_like(attract, -1e4)))
    loss._keras_mask = loss.detach() > 0
    return loss


def ctc(y_true, y_pred):
    """- log of the chance that logits (N, T, C) spell the labels (N, L), summed over all alignments. 0 is the blank
    and pads labels.

    Source: A. Graves et al., "Connectionist temporal classification", ICML 2006. Raises ``ValueError`` for other ranks.
    """
    y_pred = to_float(y_pred)
    y_true = to_tensor(y_true, like=y_pred).long()
    if y_true.ndim != 2:
        raise ValueError(
            "Targets `y_true` are expected to be a tensor of shape `(batch_size, max_length)` in integer format. "
            f"Received: y_true.shape={tuple(y_true.shape)}"
        )
    if y_pred.ndim != 3:
        raise ValueError(
            "Logits `y_pred` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. "
            f"Received: y_pred.shape={tuple(y_pred.shape)}"
        )
    count = y_true.shape[0]
    blank = y_true * 0
    spelled = cat(
        [stack([blank, y_true], 2).reshape(count, -1), blank[:, :1]], 1
    )  # (N, 2L + 1): blanks between
    chances = F.log_softmax(y_pred, -1).gather(
        2, spelled.unsqueeze(1).expand(count, y_pred.shape[1], spelled.shape[1])
    )
    never = full_like(chances[:, 0, :1], _NEVER)
    skips = (spelled[:, 2:] != 0) & (spelled[:, 2:] != spelled[:, :-2])
    skips = cat([skips[:, :1] & False, skips[:, :1] & False, skips], 1)[:, : spelled.shape[1]]
    state = cat([chances[:, 0, :2], never.expand(count, max(spelled.shape[1] - 2, 0))], 1)
    for step in range(1, y_pred.shape[1]):
        one = cat([never, state[:, :-1]], 1)
        two = where(skips, cat([never, never, state[:, :-2]], 1)[:, : spelled.shape[1]], never)
        state = logsumexp(stack([state, one, two]), 0) + chances[:, step]
    last = 2 * (y_true != 0).sum(1, keepdim=True)
    ends = stack([state.gather(1, last)[:, 0], state.gather(1, (last - 1).clamp(min=0))[:, 0]])
    ends = where(stack([last[:, 0] >= 0, last[:, 0] > 0]), ends, full_like(ends, _NEVER))
    return -logsumexp(ends, 0)
