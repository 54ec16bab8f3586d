"""Elementwise losses of an input and a target that broadcast, reduced by 'none', 'mean' or 'sum'.

float16 and bfloat16 are computed and reduced in float32; the result has the input's dtype.
"""

from minidl.backends.reference.precision import _wide


def mse_loss(xp, input, target, reduction):
    """(x - t)^2."""
    difference = _wide(input) - _wide(target)
    return _reduce(difference * difference, reduction, input)


def l1_loss(xp, input, target, reduction):
    """|x - t|."""
    return _reduce(xp.absolute(_wide(input) - _wide(target)), reduction, input)


def smooth_l1_loss(xp, input, target, reduction, beta):
    """z^2 / (2 beta) where |z| < beta, |z| - beta / 2 elsewhere, with z = x - t."""
    distance = xp.absolute(_wide(input) - _wide(target))
    if beta == 0:
        return _reduce(distance, reduction, input)
    loss = xp.where(distance < beta, distance * distance * (0.5 / beta), distance - 0.5 * beta)
    return _reduce(loss, reduction, input)


def huber_loss(xp, input, target, reduction, delta):
    """z^2 / 2 where |z| <= delta, delta (|z| - delta / 2) elsewhere, with z = x - t."""
    distance = xp.absolute(_wide(input) - _wide(target))
    loss = xp.where(distance <= delta, distance * distance * 0.5, (distance - 0.5 * delta) * delta)
    return _reduce(loss, reduction, input)


def binary_cross_entropy(xp, input, target, weight, reduction):
    """-w (t log x + (1 - t) log(1 - x)), both logarithms at least -100."""
    x, t = _wide(input), _wide(target)
    floor = xp.full((), -100.0, x.dtype)
    loss = (t - 1) * xp.maximum(xp.log1p(-x), floor) - t * xp.maximum(xp.log(x), floor)
    return _reduce(loss if weight is None else loss * _wide(weight), reduction, input)


def binary_cross_entropy_with_logits(xp, input, target, weight, pos_weight, reduction):
    """w ((1 - t) x + (1 + (p - 1) t) log(1 + exp(-x))); nothing overflows."""
    x, t = _wide(input), _wide(target)
    softplus = xp.log1p(xp.exp(-xp.absolute(x))) + xp.maximum(-x, xp.zeros_like(x))
    if pos_weight is not None:
        softplus = softplus * (1 + (_wide(pos_weight) - 1) * t)
    loss = (1 - t) * x + softplus
    return _reduce(loss if weight is None else loss * _wide(weight), reduction, input)


def kl_div(xp, input, target, log_target, reduction):
    """t (log t - x), 0 where t is 0; exp(t) (t - x) with ``log_target``. 'batchmean' divides by the batch size."""
    x, t = _wide(input), _wide(target)
    if log_target:
        loss = xp.exp(t) * (t - x)
    else:
        loss = xp.where(t == 0, xp.zeros_like(t), t * xp.log(t)) - t * x
    if reduction == "batchmean":
        return (loss.sum() / (input.shape[0] if input.ndim else 1)).astype(input.dtype)
    return _reduce(loss, reduction, input)


def inside_unit(xp, input):
    """Whether all elements lie in [0, 1]; NaN does not."""
    return input.size == 0 or bool((input.min() >= 0) & (input.max() <= 1))


def _reduce(loss, reduction, input):
    if reduction == "sum":
        loss = loss.sum()
    elif reduction == "mean":
        loss = loss.sum() / loss.size
    return loss.astype(input.dtype)
