"""Scaled dot-product attention."""

import numpy as np

from .case import Case, boolean, constant, normal, values


def attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    if enable_gqa:
        key, value = (np.repeat(x, query.shape[-3] // x.shape[-3], -3) for x in (key, value))
    scores = query @ key.swapaxes(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = np.tri(*scores.shape[-2:], dtype=bool)
    if attn_mask is not None:
        scores = np.where(attn_mask, scores, -np.inf) if attn_mask.dtype == bool else scores + attn_mask
    largest = scores.max(-1, keepdims=True, initial=-np.inf)
    weights = np.exp(scores - np.where(np.isinf(largest), 0, largest))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1, total) @ value


def heads(q, k, v, size, count, w, b, _bk, _bv, _zero, _p, w_out, b_out, attn_mask, key_padding_mask):
    """Multi-head attention by its definition, one sample and one head after the other."""
    out, seen = np.empty(q.shape), np.empty((q.shape[1], count, len(q), len(k)))
    for n in range(q.shape[1]):
        for h in range(count):
            rows = [slice(i * size + h * size // count, i * size + (h + 1) * size // count) for i in range(3)]
            one, keys, found = (x[:, n] @ w[r].T + b[r] for x, r in zip((q, k, v), rows, strict=True))
            mask = ~(attn_mask | key_padding_mask[n])
            seen[n, h] = attention(one, keys, np.eye(len(k)), mask)
            out[:, n, rows[0]] = seen[n, h] @ found
    return out @ w_out.T + b_out, seen.mean(1)


def case(id, *inputs, **kwargs):
    return Case("scaled_dot_product_attention", inputs, kwargs=kwargs, numpy=attention, id=id)


BLIND = np.array([[True, False, True], [False, False, False]])  # the second query looks nowhere

CASES = [
    case("", normal(2, 3, 5, 4), normal(2, 3, 6, 4), normal(2, 3, 6, 3)),
    case("causal", normal(2, 5, 4), normal(2, 5, 4), normal(2, 5, 4), is_causal=True),
    case("causal-wide", normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 4), is_causal=True),
    case("mask", normal(1, 2, 3, 4), normal(1, 2, 5, 4), normal(1, 2, 5, 4), boolean(3, 5)),
    case("blind", normal(2, 4), normal(3, 4), normal(3, 4), values(BLIND), scale=0.3),
    case("bias", normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 4), constant(normal(1, 3, 5))),
    case("bias-gradient", normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 4), normal(3, 5)),
    case("grouped", normal(1, 4, 3, 2), normal(1, 2, 5, 2), normal(1, 2, 5, 2), enable_gqa=True),
    case("leading", normal(2, 1, 3, 4), normal(3, 5, 4), normal(1, 1, 5, 4)),
    case("one", normal(1, 1, 1), normal(1, 1, 1), normal(1, 1, 2)),
    Case(
        "multi_head_attention_forward",
        (
            normal(3, 2, 4), normal(5, 2, 4), normal(5, 2, 4), 4, 2, normal(12, 4), normal(12), None, None, False, 0.0,
            normal(4, 4), normal(4),
        ),
        kwargs={"attn_mask": values(np.eye(3, 5, dtype=bool)), "key_padding_mask": values(np.eye(2, 5, 3) > 0)},
        numpy=heads,
    ),
]  # fmt: skip
