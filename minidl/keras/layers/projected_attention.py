"""What attention in heads is made of: projections, masks, scores, sums of values."""

from minidl.keras import initializers
from minidl.keras.layers.attention import causal_mask
from minidl.keras.layers.einsum_dense import EinsumDense
from minidl.nn import functional as F
from minidl.ops.create import arange
from minidl.ops.matmul import matmul
from minidl.ops.selection import where

__all__ = ["attended", "check_window", "joining", "projection", "seen_by"]


def projection(owner, name, input_shape, heads, size, activation=None):
    """An ``EinsumDense`` of the last dimension to (heads, size), with the owner's initialisers and penalties."""
    free = "abcdefgh"[: len(input_shape) - 1]
    return _dense(
        owner, name, f"{free}x,xyz->{free}yz", (None,) * (len(free) - 1) + (heads, size), "yz", input_shape, activation
    )  # fmt: skip


def joining(owner, name, input_shape, sizes):
    """An ``EinsumDense`` of the last two dimensions, heads and their size, to ``sizes``."""
    free, letters = "abcdefgh"[: len(input_shape) - 2], "uvwst"[: len(sizes)]
    return _dense(
        owner, name, f"{free}yz,yz{letters}->{free}{letters}", (None,) * (len(free) - 1) + tuple(sizes), letters,
        input_shape,
    )  # fmt: skip


def _dense(owner, name, equation, output_shape, bias_axes, input_shape, activation=None):
    made = EinsumDense(
        equation, output_shape, activation=activation, bias_axes=bias_axes if owner.use_bias else None,
        kernel_initializer=_fresh(owner.kernel_initializer), bias_initializer=_fresh(owner.bias_initializer),
        kernel_regularizer=owner.kernel_regularizer, bias_regularizer=owner.bias_regularizer,
        kernel_constraint=owner.kernel_constraint, bias_constraint=owner.bias_constraint, name=name,
        dtype=owner.dtype_policy,
    )  # fmt: skip
    made.build(input_shape)
    return made


def _fresh(initializer):
    """An initialiser of the same config, so that one without a seed draws anew."""
    return initializers.get(initializers.serialize(initializer))


def check_window(sliding_window):
    """``ValueError`` unless the window is None or a positive whole number."""
    if sliding_window is not None and (not isinstance(sliding_window, int) or sliding_window <= 0):
        raise ValueError(
            "`sliding_window` must be `None` or a positive integer. "
            f"Received: sliding_window={sliding_window}"
        )


def seen_by(query, value, masks, attention_mask, causal, window, ndim, axes=1):
    """Where a query may look, of the scores' ``ndim`` dimensions, or None for everywhere.

    ``masks`` are the query's (N, T), the value's and the key's (N, S), or None; the scores end in ``axes`` dimensions
    of queries and as many of keys.
    """
    parts = [] if masks[0] is None else [masks[0].bool().unsqueeze(-1)]
    parts += [mask.bool().unsqueeze(-2) for mask in masks[1:] if mask is not None]
    t, s = query.shape[1], value.shape[1]
    if causal:
        parts.append(causal_mask(t, s, query.device))
    if window is not None:
        apart = arange(t, device=query.device).unsqueeze(1) - arange(s, device=query.device).unsqueeze(0)
        parts.append(apart.abs() < window)
    if attention_mask is not None:
        parts.append(attention_mask.bool())
    found = None
    for part in parts:
        if part.ndim == 2:  # (T, S): the same for every sample
            part = part.unsqueeze(0)
        while part.ndim < ndim:
            part = part.unsqueeze(-2 * axes - 1)
        found = part if found is None else found & part
    return found


def attended(query, key, value, seen, scale, dropout=0.0, scores=False):
    """softmax(scale q k^T) v of (..., T, k), (..., S, k), (..., S, v): (..., T, v); and the weights, or None.

    The weights are computed where something asks for them; otherwise one fused operation does it all.
    """
    if seen is None and not dropout and not scores and query.ndim == 4:
        return F.scaled_dot_product_attention(query, key, value, scale=scale), None
    fits = matmul(query, key.transpose(-1, -2)) * scale
    if seen is not None:
        low = -3e4 if fits.dtype.itemsize == 2 else -1e9
        fits = fits + where(seen, 0.0, low).to(fits.dtype)
    weights = F.softmax(fits, -1)
    return matmul(F.dropout(weights, dropout, True) if dropout else weights, value), weights
