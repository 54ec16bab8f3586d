"""Normalisation: y = (x - mean) / sqrt(var + eps) * weight + bias, and the gradients of it.

The families differ only in the axes of the statistics: batch norm takes all but the channels (axis 1), layer
and RMS norm the last ``rank`` ones, group norm a group of channels and all of space. ``weight`` and ``bias`` may
be None. float16 and bfloat16 are computed in float32, the dtype in which ``mean`` and ``inv_std`` come back.

The gradient, with x_hat = (x - mean) inv_std and g_hat = g weight, means over the axes of the statistics:
    g_x = inv_std (g_hat - mean(g_hat) - x_hat mean(g_hat x_hat))
Source: S. Ioffe, C. Szegedy, "Batch normalization", 2015, section 3.
"""

import math

import numpy as np

from minidl.backends.reference.precision import _wide


def batch_norm(xp, input, weight, bias, eps):
    """By the statistics of the batch. Returns output, mean (C,), biased variance (C,), inv_std (C,)."""
    x = _wide(input)
    axes, shape = _batch_axes(x.ndim), _channels(x.ndim)
    mean, variance = _moments(x, axes)
    inv_std = 1 / xp.sqrt(variance + eps)
    out = _affine((x - mean) * inv_std, weight, bias, shape).astype(input.dtype, copy=False)
    return out, mean.reshape(-1), variance.reshape(-1), inv_std.reshape(-1)


def batch_norm_inference(xp, input, weight, bias, mean, variance, eps):
    """Normalises with given statistics, each of shape (C,). Returns output and inv_std (C,)."""
    x = _wide(input)
    shape = _channels(x.ndim)
    inv_std = (1 / xp.sqrt(_wide(variance) + eps)).astype(x.dtype, copy=False)
    centered = x - _wide(mean).astype(x.dtype, copy=False).reshape(shape)
    out = _affine(centered * inv_std.reshape(shape), weight, bias, shape)
    return out.astype(input.dtype, copy=False), inv_std


def batch_norm_update(xp, running_mean, running_var, mean, variance, momentum, count):
    """running = (1 - momentum) running + momentum statistic, in place; the variance unbiased."""
    unbiased = variance * (count / max(count - 1, 1))
    for running, statistic in ((running_mean, mean), (running_var, unbiased)):
        if running is not None:
            running[...] = (running * (1 - momentum) + statistic * momentum).astype(running.dtype)


def batch_norm_backward(xp, grad, input, weight, mean, inv_std, training, needs):
    """Gradients of input, weight, bias where ``needs`` (three bools) asks; statistics vary only in ``training``."""
    g, x = _wide(grad), _wide(input)
    axes, shape = _batch_axes(x.ndim), _channels(x.ndim)
    inv_std = inv_std.reshape(shape)
    x_hat = (x - mean.reshape(shape)) * inv_std
    g_input = None
    if needs[0]:
        g_hat = g if weight is None else g * _wide(weight).reshape(shape)
        g_input = _through_statistics(g_hat, x_hat, inv_std, axes) if training else g_hat * inv_std
        g_input = g_input.astype(input.dtype, copy=False)
    g_weight = (g * x_hat).sum(axis=axes).astype(weight.dtype, copy=False) if needs[1] else None
    return g_input, g_weight, g.sum(axis=axes) if needs[2] else None


def layer_norm(xp, input, rank, weight, bias, eps):
    """Over the last ``rank`` axes. Returns output, mean and inv_std, which keep those axes with size 1."""
    x = _wide(input)
    mean, variance = _moments(x, _last_axes(x.ndim, rank))
    inv_std = 1 / xp.sqrt(variance + eps)
    out = _affine((x - mean) * inv_std, weight, bias, input.shape[input.ndim - rank :])
    return out.astype(input.dtype, copy=False), mean, inv_std


def layer_norm_backward(xp, grad, input, weight, mean, inv_std, rank, needs):
    """Gradients of input, weight and bias where ``needs`` (three bools) asks."""
    g, x_hat = _wide(grad), (_wide(input) - mean) * inv_std
    g_input = None
    if needs[0]:
        g_hat = g if weight is None else g * _wide(weight)
        g_input = _through_statistics(g_hat, x_hat, inv_std, _last_axes(g.ndim, rank))
        g_input = g_input.astype(input.dtype, copy=False)
    rows = tuple(range(g.ndim - rank))
    g_weight = (g * x_hat).sum(axis=rows).astype(weight.dtype, copy=False) if needs[1] else None
    return g_input, g_weight, g.sum(axis=rows) if needs[2] else None


def group_norm(xp, input, groups, weight, bias, eps):
    """Over each of ``groups`` groups of channels of a sample. Returns output, mean, inv_std (N, groups, 1)."""
    x = _grouped(_wide(input), groups)
    mean, variance = _moments(x, (2,))
    inv_std = 1 / xp.sqrt(variance + eps)
    x_hat = ((x - mean) * inv_std).reshape(input.shape)
    out = _affine(x_hat, weight, bias, _channels(input.ndim))
    return out.astype(input.dtype, copy=False), mean, inv_std


def group_norm_backward(xp, grad, input, weight, mean, inv_std, groups, needs):
    """Gradients of input, weight and bias where ``needs`` (three bools) asks."""
    g, shape = _wide(grad), _channels(input.ndim)
    x_hat = (_grouped(_wide(input), groups) - mean) * inv_std
    g_input = None
    if needs[0]:
        g_hat = g if weight is None else g * _wide(weight).reshape(shape)
        g_input = _through_statistics(_grouped(g_hat, groups), x_hat, inv_std, (2,))
        g_input = g_input.reshape(input.shape).astype(input.dtype, copy=False)
    axes = _batch_axes(g.ndim)
    g_weight = (
        (g * x_hat.reshape(g.shape)).sum(axis=axes).astype(weight.dtype, copy=False) if needs[1] else None
    )
    return g_input, g_weight, g.sum(axis=axes) if needs[2] else None


def rms_norm(xp, input, rank, weight, eps):
    """x / sqrt(mean(x^2) + eps) * weight over the last ``rank`` axes. Returns output and reciprocal root."""
    x = _wide(input)
    inv_rms = 1 / xp.sqrt(_mean(x * x, _last_axes(x.ndim, rank)) + eps)
    out = _affine(x * inv_rms, weight, None, input.shape[input.ndim - rank :])
    return out.astype(input.dtype, copy=False), inv_rms


def rms_norm_backward(xp, grad, input, weight, inv_rms, rank, needs):
    """Gradients of input and weight where ``needs`` (two bools) asks."""
    g, x_hat = _wide(grad), _wide(input) * inv_rms
    g_input = None
    if needs[0]:
        g_hat = g if weight is None else g * _wide(weight)
        along = _mean(g_hat * x_hat, _last_axes(g.ndim, rank))
        g_input = ((g_hat - x_hat * along) * inv_rms).astype(input.dtype, copy=False)
    rows = tuple(range(g.ndim - rank))
    g_weight = (g * x_hat).sum(axis=rows).astype(weight.dtype, copy=False) if needs[1] else None
    return g_input, g_weight


def _moments(x, axes):
    """Mean and biased variance over ``axes``, which stay with size 1. Two passes: no cancellation."""
    mean = _mean(x, axes)
    centered = x - mean
    return mean, _mean(centered * centered, axes)


def _mean(x, axes):
    """Mean over ``axes``, which stay with size 1; NaN of nothing, without NumPy's warning."""
    total = x.sum(axis=axes, keepdims=True)
    return total / (math.prod(x.shape[axis] for axis in axes) or np.nan)


def _through_statistics(g_hat, x_hat, inv_std, axes):
    along = _mean(g_hat * x_hat, axes)
    return (g_hat - _mean(g_hat, axes) - x_hat * along) * inv_std


def _affine(x_hat, weight, bias, shape):
    out = x_hat if weight is None else x_hat * _wide(weight).reshape(shape)
    return out if bias is None else out + _wide(bias).reshape(shape)


def _grouped(x, groups):
    return x.reshape((x.shape[0], groups, math.prod(x.shape[1:]) // groups))


def _batch_axes(rank):
    return (0, *range(2, rank))


def _channels(rank):
    """The shape by which a vector over the channels meets an input of ``rank`` dimensions."""
    return (1, -1, *(1 for _ in range(rank - 2)))


def _last_axes(ndim, rank):
    return tuple(range(ndim - rank, ndim))
