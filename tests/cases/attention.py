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
]
