"""Losses of numbers: a value a sample, the mean over the last dimension. Targets first, predictions second."""

import math

from minidl import log, where
from minidl.keras.losses.base import mean_form, pair
from minidl.keras.settings import epsilon
from minidl.nn import functional as F

__all__ = [
    "cosine_similarity", "huber", "kl_divergence", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "poisson",
]  # fmt: skip


def _whole(loss):
    """The mean of a loss over everything, in one op, where the shapes agree (a broadcast has its own mean)."""

    def whole(y_true, y_pred):
        y_true, y_pred = pair(y_true, y_pred)
        return loss(y_pred, y_true) if y_true.shape == y_pred.shape else None

    return whole


@mean_form(_whole(F.mse_loss))
def mean_squared_error(y_true, y_pred):
    """mean (y_true - y_pred)^2 over the last dimension.

    >>> from minidl import keras
    >>> keras.losses.mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]])
    tensor([0.5000])
    """
    y_true, y_pred = pair(y_true, y_pred)
    return (y_true - y_pred).square().mean(-1)


@mean_form(_whole(F.l1_loss))
def mean_absolute_error(y_true, y_pred):
    """mean |y_true - y_pred| over the last dimension."""
    y_true, y_pred = pair(y_true, y_pred)
    return (y_true - y_pred).abs().mean(-1)


def mean_absolute_percentage_error(y_true, y_pred):
    """100 mean |y_true - y_pred| / |y_true| over the last dimension; the divisor is at least epsilon."""
    y_true, y_pred = pair(y_true, y_pred)
    return 100.0 * ((y_true - y_pred) / y_true.abs().clamp(min=epsilon())).abs().mean(-1)


def mean_squared_logarithmic_error(y_true, y_pred):
    """mean (log(1 + y_true) - log(1 + y_pred))^2 over the last dimension; both are at least epsilon."""
    y_true, y_pred = pair(y_true, y_pred)
    low = epsilon()
    return (log(y_pred.clamp(min=low) + 1.0) - log(y_true.clamp(min=low) + 1.0)).square().mean(-1)


def cosine_similarity(y_true, y_pred, axis=-1):
    """- sum y_true y_pred / (|y_true| |y_pred|) over ``axis``: -1 where they point the same way."""
    y_true, y_pred = pair(y_true, y_pred)
    return -(_normalized(y_true, axis) * _normalized(y_pred, axis)).sum(axis)


def _normalized(x, axis):
    return x / x.square().sum(axis, keepdim=True).sqrt().clamp(min=epsilon())


def huber(y_true, y_pred, delta=1.0):
    """mean of d^2 / 2 where |d| <= delta, delta |d| - delta^2 / 2 beyond, for d = y_true - y_pred."""
    y_true, y_pred = pair(y_true, y_pred)
    error = y_pred - y_true
    size = error.abs()
    return where(size <= delta, 0.5 * error.square(), delta * size - 0.5 * delta**2).mean(-1)


def log_cosh(y_true, y_pred):
    """mean log(cosh(y_pred - y_true)) over the last dimension, without overflow."""
    y_true, y_pred = pair(y_true, y_pred)
    error = y_pred - y_true
    return (error + F.softplus(error * -2.0) - math.log(2.0)).mean(-1)


def kl_divergence(y_true, y_pred):
    """sum y_true log(y_true / y_pred) over the last dimension; both are held between epsilon and 1."""
    y_true, y_pred = pair(y_true, y_pred)
    y_true, y_pred = y_true.clamp(epsilon(), 1), y_pred.clamp(epsilon(), 1)
    return (y_true * log(y_true / y_pred)).sum(-1)


def poisson(y_true, y_pred):
    """mean y_pred - y_true log(y_pred + epsilon) over the last dimension."""
    y_true, y_pred = pair(y_true, y_pred)
    return (y_pred - y_true * log(y_pred + epsilon())).mean(-1)
