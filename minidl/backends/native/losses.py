"""Losses in C++ for float32 and float64: the elements in one pass, their sum in another."""

import numpy as np

from minidl import _native

__all__ = [
    "binary_cross_entropy_with_logits",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "nll_loss_backward",
    "smooth_l1_loss",
]


def mse_loss(input, target, reduction):
    return _reduced(_native.squared_error(input, target), reduction)


def l1_loss(input, target, reduction):
    return _reduced(_native.absolute_error(input, target), reduction)


def smooth_l1_loss(input, target, reduction, beta):
    if beta == 0:
        return l1_loss(input, target, reduction)
    return _reduced(_native.smooth_l1_error(input, target, float(beta)), reduction)


def huber_loss(input, target, reduction, delta):
    return _reduced(_native.huber_error(input, target, float(delta)), reduction)


def binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction):
    if weight is not None or pos_weight is not None:
        return NotImplemented
    return _reduced(_native.logits_error(input, target), reduction)


def _reduced(losses, reduction):
    if losses is NotImplemented or reduction == "none":
        return losses
    if not losses.size:
        return NotImplemented
    total = _native.sum(losses.ravel(order="K"), (0,), False)
    if total is NotImplemented or reduction == "sum":
        return total
    return _native.div(total, float(losses.size))


def nll_loss(input, target, weight, ignore_index, reduction):
    """Of targets that all count, without weights."""
    if weight is not None or not _plain(input, target, input.shape, ignore_index):
        return NotImplemented
    picked = _native.empty(target.shape, input.dtype)
    if not _native.take_along(input, 1, target[:, None], picked[:, None]):
        return NotImplemented
    losses = _native.neg(picked)
    return losses if reduction == "none" else _reduced(losses, reduction)


def nll_loss_backward(grad, target, weight, shape, ignore_index, reduction):
    if weight is not None or not _plain(grad, target, shape, ignore_index):
        return NotImplemented
    share = _native.neg(_native.div(grad, float(target.size)) if reduction == "mean" else grad)
    out = np.zeros(shape, grad.dtype)
    own = np.broadcast_to(share, target.shape)[:, None]
    return out if _native.put_along(out, 1, target[:, None], own) else NotImplemented


def _plain(array, target, shape, ignore_index):
    return (
        array.dtype.char in "fd"
        and len(shape) > 1
        and target.size > 0
        and target.dtype == np.int64
        and not (target == ignore_index).any()
    )
