"""Elementwise losses in C++ for float32 and float64: the elements in one pass, their sum in another."""

from minidl import _native

__all__ = ["binary_cross_entropy_with_logits", "huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


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
