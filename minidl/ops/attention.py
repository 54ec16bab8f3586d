"""Scaled dot-product attention.

softmax(query key^T * scale + bias) value, row by row. Backends compute it without keeping the L x S scores where they
have a kernel for it; with dropout, with a mask that wants a gradient, and under ``create_graph`` it is its definition.
Source: A. Vaswani et al., "Attention is all you need", 2017.
"""

import math

from minidl import dtypes
from minidl.autograd import Saved, function, joint, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.backends.memory_order import in_order, order_of
from minidl.ops.arithmetic import add, mul
from minidl.ops.causal_bias import CausalBias
from minidl.ops.comparison import eq
from minidl.ops.create import full
from minidl.ops.dropout import dropout
from minidl.ops.joining import repeat_interleave, triu
from minidl.ops.matmul import _product, _swapped
from minidl.ops.reductions import amax
from minidl.ops.selection import where
from minidl.ops.shapes import expand
from minidl.ops.softmax import softmax
from minidl.ops.splitting import broadcast_shapes
from minidl.ops.windows import is_tensor


def _weights(query, key, bias, causal, scale):
    """The probabilities (*, L, S); 0 in a row that looks nowhere."""
    scores = mul(_product(query, _swapped(key)), scale)
    if causal:
        size = query.shape[-2], key.shape[-2]
        hidden = triu(full(size, -math.inf, dtype=query.dtype, device=query.device), 1)
        scores = add(scores, hidden)
    if bias is None or not key.shape[-2]:
        return softmax(scores, -1)
    scores = add(scores, bias)
    blind = eq(amax(scores, -1, True), -math.inf)  # softmax would give NaN there, and so would its gradient
    return where(blind, 0.0, softmax(where(blind, 0.0, scores), -1))


def _defined(query, key, value, bias, causal, scale, dropout_p):
    """The definition; float16 and bfloat16 are computed in float32, and rounded once."""
    narrow = query.dtype
    if narrow in (dtypes.float16, dtypes.bfloat16):
        query, key, value, bias = (
            x if x is None else x.to(dtypes.float32) for x in (query, key, value, bias)
        )
    weights = _weights(query, key, bias, causal, scale)
    if dropout_p:
        weights = dropout(weights, dropout_p, True)
    return _product(weights, value).to(narrow)


def _composed(query, key, value, bias, causal, scale):
    return _defined(query, key, value, bias, causal, scale, 0.0)


def _rule(g, query, key, value, bias, rows, lse, causal, scale, needs):
    return of(g).attention_backward(g, query, key, value, bias, rows, lse, causal, scale, needs)


@op(
    joint("query key value", _rule),
    constant="bias",
    composed=_composed,
    shown="ScaledDotProductFlashAttentionForCpu",
    faces=(),
    method=False,
)
def _attention(query, key, value, bias=None, causal=False, scale=1.0):
    """Attention of arrays with equal leading axes; ``bias`` (*, L, S) is added to the scores, or None."""
    rows, lse = of(query).attention(query, key, value, bias, causal, scale)
    # In the order of the query, as PyTorch's kernels lay it: heads that were split are joined again by views.
    order = order_of(query, None) if query.ndim == 4 and query.shape[-1] == value.shape[-1] else None
    laid = order is None or order_of(rows, None) == order
    return rows if laid else in_order(rows, order), Saved(rows=rows, lse=lse)


def _check(query, key, value, attn_mask, is_causal):
    name = "scaled_dot_product_attention"
    for position, (argument, tensor) in enumerate((("query", query), ("key", key), ("value", value)), 1):
        is_tensor(tensor, name, argument, position)
    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype!r} key.dtype: {key.dtype!r} and value.dtype: {value.dtype!r} instead."
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim(): "
            f"{query.ndim}, key.dim(): {key.ndim} and value.dim(): {value.ndim} instead."
        )
    if attn_mask is not None and is_causal:
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise RuntimeError(
            f"{name}: query (*, L, E), key (*, S, E) and value (*, S, V) do not fit together: got "
            f"{list(query.shape)}, {list(key.shape)} and {list(value.shape)}"
        )


def _additive(query, mask):
    """A mask as what is added to the scores."""
    if mask.dtype is dtypes.bool_:
        return where(mask, 0.0, full((), -math.inf, dtype=query.dtype, device=query.device))
    return mask


@function(faces=("functional",), method=False)
def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    """softmax(query key^T * scale + mask) value.

    Shapes: query (*, H, L, E), key (*, H, S, E), value (*, H, S, V), output (*, H, L, V); leading axes broadcast. With
    ``enable_gqa``, key and value may have fewer heads H, each of which serves several of the query's.
    ``attn_mask`` broadcasts to (*, H, L, S): bool, True where a query looks, or a number added to the score.
    ``is_causal`` lets query i look at keys 0 .. i. ``scale`` is 1 / sqrt(E) unless given. ``dropout_p`` zeroes
    probabilities, whether or not a module is in training. A query that looks nowhere gives 0.

    Raises ``RuntimeError`` for shapes or dtypes that do not fit, and for a mask beside ``is_causal``.
    Source: A. Vaswani et al., "Attention is all you need", 2017; T. Dao, "FlashAttention-2", 2023.

    >>> import minidl
    >>> q = k = minidl.zeros(1, 2, 4)
    >>> v = minidl.tensor([[[2.0], [4.0]]])
    >>> minidl.nn.functional.scaled_dot_product_attention(q, k, v)
    tensor([[[3.],
             [3.]]])
    """
    if isinstance(attn_mask, CausalBias):
        attn_mask, is_causal = attn_mask.options(query, is_causal)
    _check(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        repeats = query.shape[-3] // key.shape[-3]
        key, value = (repeat_interleave(x, repeats, -3) if repeats > 1 else x for x in (key, value))
    batch = broadcast_shapes(*(tuple(x.shape[:-2]) for x in (query, key, value)))
    query, key, value = (
        x if tuple(x.shape[:-2]) == tuple(batch) else expand(x, (*batch, *x.shape[-2:]))
        for x in (query, key, value)
    )
    bias = None if attn_mask is None else _additive(query, attn_mask)
    scale = query.shape[-1] ** -0.5 if scale is None and query.shape[-1] else float(scale or 1.0)
    if dropout_p > 0 or (bias is not None and bias.requires_grad):
        out = _defined(query, key, value, bias, bool(is_causal), scale, dropout_p)
        return named(out, "Mm" if query.ndim == 2 else "UnsafeView")
    out = _attention(query, key, value, bias, bool(is_causal), scale)
    return out if query.ndim == 4 else named(out, "Mm" if query.ndim == 2 else "UnsafeView")
