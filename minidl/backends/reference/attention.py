"""Scaled dot-product attention and its gradients. The probabilities are computed again in the backward pass.

``query`` (*, L, E), ``key`` (*, S, E), ``value`` (*, S, V) have the same leading axes; ``bias`` is added to the scores
(broadcast to (*, L, S), -infinity where not to look) or None; ``causal`` lets query i look at keys 0 .. i.
``lse`` (*, L) is the logarithm of the sum of each row's exponentials, float32 or wider; -infinity for a row that looks
nowhere, whose output is 0. float16 and bfloat16 are computed in float32.
"""

import numpy as np

from minidl.backends.reference.precision import _wide


def attention(xp, query, key, value, bias, causal, scale):
    """``(softmax(query key^T scale + bias) value, lse)``."""
    scores = _scores(xp, query, key, bias, causal, scale)
    lse = _log_sum_exp(xp, scores)
    out = xp.matmul(_probabilities(xp, scores, lse), _wide(value))
    return out.astype(query.dtype, copy=False), lse


def attention_backward(xp, g, query, key, value, bias, output, lse, causal, scale, needs):
    """Gradients of query, key and value, None where ``needs`` says so."""
    p = _probabilities(xp, _scores(xp, query, key, bias, causal, scale), lse)
    wide = _wide(g)
    of_value = xp.matmul(_turned(p), wide) if needs[2] else None
    dp = xp.matmul(wide, _turned(_wide(value)))
    # g . output = dp . p, of which a 16-bit output has but three digits
    product = wide * output if wide.dtype == output.dtype else dp * p
    ds = (dp - product.sum(axis=-1, keepdims=True)) * p * p.dtype.type(scale)
    of_query = xp.matmul(ds, _wide(key)) if needs[0] else None
    of_key = xp.matmul(_turned(ds), _wide(query)) if needs[1] else None
    return tuple(d if d is None else d.astype(g.dtype, copy=False) for d in (of_query, of_key, of_value))


def _turned(x):
    return x.swapaxes(-1, -2)


def _scores(xp, query, key, bias, causal, scale):
    scores = xp.matmul(_wide(query), _turned(_wide(key)))
    scores = scores * scores.dtype.type(scale)
    if bias is not None:
        scores = scores + _wide(bias)
    if causal:
        visible = xp.tri(*scores.shape[-2:], dtype=np.bool_)
        scores = xp.where(visible, scores, xp.full_like(scores, -np.inf))
    return scores


def _log_sum_exp(xp, scores):
    if not scores.shape[-1]:
        return xp.full(scores.shape[:-1], -np.inf, scores.dtype)
    largest = scores.max(axis=-1, keepdims=True)
    offset = xp.where(xp.isinf(largest), xp.zeros_like(largest), largest)
    return (xp.log(xp.exp(scores - offset).sum(axis=-1, keepdims=True)) + offset)[..., 0]


def _probabilities(xp, scores, lse):
    lse = lse[..., None]
    return xp.exp(scores - xp.where(xp.isinf(lse), xp.zeros_like(lse), lse))
