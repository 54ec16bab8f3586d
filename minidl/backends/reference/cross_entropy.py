"""Losses of class indices: cross entropy of logits, negative log likelihood of log-probabilities.

Classes are axis 1 of the input, axis 0 where the input is one sample: input (N, C, d1, ...) or (C,), target
(N, d1, ...) or (). Class indices are checked by the caller, with ``first_out_of_range``.
"""

import numpy as np

from minidl.backends.reference.precision import _wide


def cross_entropy(xp, input, target, weight, ignore_index, reduction, label_smoothing):
    """Cross entropy of logits and class indices, with what its gradient needs.

    loss = (1 - s) w[t] (L - x[t]) + s / C sum_c w[c] (L - x[c])    with L = log sum_c exp(x[c])

    Returns the loss (0-d unless ``reduction`` is 'none'), L in float64 and the target's shape (at logits of 1e4
    a float32 has no digits left for the sum's logarithm), and the 0-d sum of the weights of all targets that
    count, which is what a mean divides by.
    """
    wide, dim = _wide(input), 1 if input.ndim > 1 else 0
    shift = wide.max(axis=dim, keepdims=True) if wide.size else xp.zeros(_one(input.shape, dim), wide.dtype)
    shifted = wide - shift
    log_sum = xp.log(xp.exp(shifted).sum(axis=dim, keepdims=True))
    index, own = _own_weights(xp, target, weight, ignore_index, wide.dtype)
    loss = xp.squeeze(log_sum - _pick(xp, shifted, index, dim), dim)
    loss = loss if weight is None else loss * own
    if label_smoothing > 0:
        every = log_sum - shifted
        every = every if weight is None else every * _along(_wide(weight), dim, input.ndim)
        loss = (1 - label_smoothing) * loss + label_smoothing / input.shape[dim] * every.sum(axis=dim)
    loss = xp.where(target != ignore_index, loss, xp.zeros_like(loss))
    total = own.sum()
    if reduction != "none":
        loss = loss.sum() / total if reduction == "mean" else loss.sum()
    exact = xp.squeeze(shift.astype(np.float64) + log_sum.astype(np.float64), dim)
    return loss.astype(input.dtype), exact, total.astype(input.dtype)


def cross_entropy_backward(
    xp, grad, input, target, weight, log_sums, total, ignore_index, reduction, label_smoothing
):
    """The gradient of ``cross_entropy`` with respect to its input: zero in the samples that are ignored.

    d loss / d x[c] = p[c] ((1 - s) w[t] + s / C sum_k w[k]) - s / C w[c] - (1 - s) w[t] [c = t]
    with p = exp(x - L)
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


def nll_loss(xp, input, target, weight, ignore_index, reduction):
    """-w[t] x[t], the class picked by its target; a mean divides by the sum of the weights that count."""
    wide, dim = _wide(input), 1 if input.ndim > 1 else 0
    index, own = _own_weights(xp, target, weight, ignore_index, wide.dtype)
    picked = xp.squeeze(_pick(xp, wide, index, dim), dim)
    loss = xp.where(target != ignore_index, -own * picked, xp.zeros_like(picked))
    if reduction != "none":
        loss = loss.sum() / own.sum() if reduction == "mean" else loss.sum()
    return loss.astype(input.dtype)


def nll_loss_backward(xp, grad, target, weight, shape, ignore_index, reduction):
    """The gradient of ``nll_loss`` by its input, of ``shape``: -w[t] g in the place of each target, 0 elsewhere."""
    wide, dim = _wide(grad), 1 if len(shape) > 1 else 0
    index, own = _own_weights(xp, target, weight, ignore_index, wide.dtype)
    scale = wide / own.sum() if reduction == "mean" else wide
    here = _along(xp.arange(shape[dim]), dim, len(shape)) == xp.expand_dims(index, dim)
    counted = xp.expand_dims(target != ignore_index, dim)
    share = xp.expand_dims(-own, dim) * _over_classes(xp, scale, dim, target.ndim)
    return xp.where(here & counted, share, 0).astype(grad.dtype)


def _own_weights(xp, target, weight, ignore_index, dtype):
    """Targets with 0 in the place of ignored ones, and the weight of each target: 0 where ignored."""
    counted = target != ignore_index
    index = xp.where(counted, target, 0)
    return index, counted.astype(dtype) if weight is None else xp.where(counted, _wide(weight)[index], 0)


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
