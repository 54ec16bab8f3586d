"""Losses that are more than a line of arithmetic: cross entropy over classes, and the check of class indices.

Classes are axis 1 of the input, axis 0 where the input is one sample: input (N, C, d1, ...) or (C,), target (N, d1, ...)
or (). Class indices are checked by the caller, with ``first_out_of_range``.
"""

import numpy as np


def cross_entropy(xp, input, target, weight, ignore_index, reduction, label_smoothing):
    """Cross entropy of logits and class indices, with what its gradient needs.

    loss = (1 - s) w[t] (L - x[t]) + s / C sum_c w[c] (L - x[c])    with L = log sum_c exp(x[c])

    Returns the loss (0-d unless ``reduction`` is 'none'), L in float64, whose shape is the target's (at logits of 1e4 a
    float32 has no digits left for the sum's logarithm), and the 0-d sum of the weights of all targets that count: what a mean divides by.
    """
    wide, dim = _wide(input), 1 if input.ndim > 1 else 0
    shift = wide.max(axis=dim, keepdims=True) if wide.size else xp.zeros(_one(input.shape, dim), wide.dtype)
    shifted = wide - shift
    log_sum = xp.log(xp.exp(shifted).sum(axis=dim, keepdims=True))
    counted = target != ignore_index
    index = xp.where(counted, target, 0)
    loss = xp.squeeze(log_sum - _pick(xp, shifted, index, dim), dim)
    own = counted.astype(wide.dtype) if weight is None else xp.where(counted, _wide(weight)[index], 0)
    loss = loss if weight is None else loss * _wide(weight)[index]
    if label_smoothing > 0:
        every = log_sum - shifted
        every = every if weight is None else every * _along(_wide(weight), dim, input.ndim)
        loss = (1 - label_smoothing) * loss + label_smoothing / input.shape[dim] * every.sum(axis=dim)
    loss = xp.where(counted, loss, xp.zeros_like(loss))
    total = own.sum()
    if reduction != "none":
        loss = loss.sum() / total if reduction == "mean" else loss.sum()
    exact = xp.squeeze(shift.astype(np.float64) + log_sum.astype(np.float64), dim)
    return loss.astype(input.dtype), exact, total.astype(input.dtype)


def cross_entropy_backward(
    xp, grad, input, target, weight, log_sums, total, ignore_index, reduction, label_smoothing
):
    """The gradient of ``cross_entropy`` with respect to its input: zero in the samples that are ignored.

    d loss / d x[c] = p[c] ((1 - s) w[t] + s / C sum_k w[k]) - s / C w[c] - (1 - s) w[t] [c = t]    with p = exp(x - L)
    """
    wide, dim = _wide(input), 1 if input.ndim > 1 else 0
    classes = input.shape[dim]
    counted = target != ignore_index
    index = xp.where(counted, target, 0)
    scale = _wide(grad) / _wide(total) if reduction == "mean" else _wide(grad)
    weight = xp.ones((classes,), wide.dtype) if weight is None else _wide(weight)
    own = weight[index] * (1 - label_smoothing)
    spread = label_smoothing / classes
    probability = xp.exp(wide - xp.expand_dims(log_sums, dim)).astype(wide.dtype)
    slope = xp.expand_dims(own + spread * weight.sum(), dim)
    out = probability * slope - spread * _along(weight, dim, input.ndim)
    here = _along(xp.arange(classes), dim, input.ndim) == xp.expand_dims(index, dim)
    out = (out - xp.where(here, xp.expand_dims(own, dim), 0)) * _over_classes(xp, scale, dim, target.ndim)
    return xp.where(xp.expand_dims(counted, dim), out, xp.zeros_like(out)).astype(input.dtype)


def first_out_of_range(xp, indices, limit, ignore):
    """Position, in the flattened ``indices``, of the first that is outside [0, limit) and not ``ignore``; -1 if none is."""
    outside = (indices < 0) | (indices >= limit)
    if ignore is not None:
        outside &= indices != ignore
    return int(xp.argmax(outside)) if outside.any() else -1


def one_hot(xp, input, num_classes):
    """1 in the place of each index along a new last axis, 0 elsewhere; int64. The indices lie in [0, num_classes)."""
    return (xp.expand_dims(input, -1) == xp.arange(num_classes)).astype(np.int64)


def _pick(xp, values, index, dim):
    return xp.take_along_axis(values, xp.expand_dims(index, dim), axis=dim)


def _along(vector, dim, rank):
    """A vector over the classes, shaped to broadcast against an input of ``rank`` dimensions."""
    return vector.reshape(tuple(-1 if axis == dim else 1 for axis in range(rank)))


def _over_classes(xp, scale, dim, rank):
    """A scale of the loss, shaped to broadcast against the input: one a sample, or one for all."""
    return xp.expand_dims(scale, dim) if scale.ndim == rank and rank > 0 else scale


def _one(shape, dim):
    return (*shape[:dim], 1, *shape[dim + 1 :])


def _wide(array):
    """The array in the dtype to compute in: float32 for the two-byte types."""
    return array.astype(np.float32) if array.dtype.itemsize == 2 else array
