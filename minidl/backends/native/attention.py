"""Scaled dot-product attention in C++, by blocks and without an array of scores; what is kept is a logarithm a query.

float16 and bfloat16 are computed in float32. Results lie in memory as the query does: heads that were split by a
transposition are joined again without a copy.
"""

import numpy as np

from minidl import _native
from minidl.backends.memory_order import made_in_order, order_of

_NARROW = ("float16", "bfloat16")


def _like(x):
    """An array for a result in the order of ``x``."""
    order = order_of(x, None)
    if order is not None and order[-1] != x.ndim - 1:  # rows have no gaps
        order = None
    return made_in_order(lambda shape: _native.empty(shape, x.dtype), x.shape, order)


def _wide(x):
    return x.astype("float32") if x is not None and x.dtype.name in _NARROW else x


def _inputs(query, key, value, bias):
    """What the kernels take: float32 or float64, the bias in the shape of the scores; None for other dtypes."""
    query, key, value, bias = map(_wide, (query, key, value, bias))
    given = [x for x in (query, key, value, bias) if x is not None]
    if query.dtype.char not in "fd" or any(x.dtype != query.dtype or not x.flags.aligned for x in given):
        return None
    if bias is not None:
        bias = np.broadcast_to(bias, (*query.shape[:-1], key.shape[-2]))
    return query, key, value, bias


def _forward(query, key, value, bias, causal, scale):
    laid = query.ndim == 4 and query.shape[-1] == value.shape[-1]  # as PyTorch's kernels do
    out = _like(query) if laid else _native.empty((*query.shape[:-1], value.shape[-1]), query.dtype)
    lse = _native.empty(query.shape[:-1], query.dtype)
    _native.attention(query, key, value, bias, causal, scale, out, lse)
    return out, lse


def attention(query, key, value, bias, causal, scale):
    inputs = _inputs(query, key, value, bias)
    if inputs is None:
        return NotImplemented
    out, lse = _forward(*inputs, causal, scale)
    return out.astype(query.dtype, copy=False), lse


def attention_backward(g, query, key, value, bias, output, lse, causal, scale, needs):
    inputs = _inputs(query, key, value, bias)
    if inputs is None:
        return NotImplemented
    if output.dtype != inputs[0].dtype:  # 16 bits of it have but three digits
        output, lse = _forward(*inputs, causal, scale)
    grads = [_like(x) if need else None for x, need in zip(inputs, needs, strict=False)]
    lse = np.ascontiguousarray(lse)
    _native.attention_backward(*inputs, causal, scale, _wide(g), output, lse, *grads)
    return tuple(d if d is None else d.astype(g.dtype, copy=False) for d in grads)
