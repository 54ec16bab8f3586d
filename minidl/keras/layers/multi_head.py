"""``MultiHeadAttention``."""

from minidl.keras import initializers
from minidl.keras.layers.arguments import Described
from minidl.keras.layers.attention import causal_mask
from minidl.keras.layers.einsum_dense import EinsumDense
from minidl.nn import functional as F
from minidl.ops.matmul import matmul
from minidl.ops.selection import where

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(Described):
    """Attention in ``num_heads`` projections of queries, keys and values, joined by one more::

        head_i = softmax(q_i k_i^T / sqrt(key_dim)) v_i;   output = concat(heads) projected

    Called as ``layer(query, value, key=None)``: (N, T, D), (N, S, E), (N, S, E); output (N, T, D), or of the last
    sizes ``output_shape``. ``attention_mask`` (N, T, S) or (N, heads, T, S) is True where a query may look; masks of
    query, value and key, and ``use_causal_mask``, are added to it. ``return_attention_scores`` adds (N, heads, T, S).

    Weights: of ``query``, ``key`` and ``value`` a kernel (D, heads, key_dim) and a bias (heads, key_dim), of
    ``attention_output`` a kernel (heads, value_dim, D) and a bias (D,). Source: A. Vaswani et al., 2017.

    >>> import numpy as np
    >>> from minidl import keras
    >>> x = np.ones((2, 5, 8))
    >>> keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)(x, x).shape
    torch.Size([2, 5, 8])
    """

    supports_masking = True

    def __init__(
        self, num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, output_shape=None,
        attention_axes=None, sliding_window=None, flash_attention=None, kernel_initializer="glorot_uniform",
        bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
        kernel_constraint=None, bias_constraint=None, use_gate=False, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if attention_axes is not None or sliding_window is not None or use_gate:
            raise NotImplementedError(
                "MultiHeadAttention attends over dimension 1 of (N, T, D): attention_axes, sliding_window and use_gate "
                "are not supported. Hint: reshape to (N, T, D); give a window as attention_mask."
            )
        output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        self.keep(
            num_heads=num_heads, key_dim=key_dim, value_dim=value_dim or key_dim, dropout=dropout,
            use_bias=use_bias, use_gate=use_gate, output_shape=output_shape, attention_axes=attention_axes,
            sliding_window=sliding_window, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint, seed=seed,
        )  # fmt: skip

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        heads, k, v = self.num_heads, self.key_dim, self.value_dim
        self.query_dense = self._projection("query", "abc,cde->abde", (None, heads, k), "de", query_shape)
        self.key_dense = self._projection("key", "abc,cde->abde", (None, heads, k), "de", key_shape)
        self.value_dense = self._projection("value", "abc,cde->abde", (None, heads, v), "de", value_shape)
        size = tuple(self.output_shape or (query_shape[-1],))
        letters = "fghi"[: len(size)]
        self.output_dense = self._projection(
            "attention_output", f"abde,de{letters}->ab{letters}", (None, *size), letters,
            (*query_shape[:-1], heads, v),
        )  # fmt: skip

    def _projection(self, name, equation, output_shape, bias_axes, input_shape):
        made = EinsumDense(
            equation, output_shape, bias_axes=bias_axes if self.use_bias else None,
            kernel_initializer=_fresh(self.kernel_initializer), bias_initializer=_fresh(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer, bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint, bias_constraint=self.bias_constraint, name=name,
            dtype=self.dtype_policy,
        )  # fmt: skip
        made.build(input_shape)
        return made

    def call(
        self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
        return_attention_scores=False, training=None, use_causal_mask=False,
    ):  # fmt: skip
        key = value if key is None else key
        seen = self._seen(query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask)
        q = self.query_dense(query).transpose(1, 2)  # (N, heads, T, key_dim)
        k = self.key_dense(key).transpose(1, 2)
        v = self.value_dense(value).transpose(1, 2)
        scale = self.key_dim**-0.5
        drops = bool(training) and self.dropout > 0
        if drops or return_attention_scores or seen is not None:
            scores = matmul(q, k.transpose(2, 3)) * scale
            if seen is not None:
                low = -3e4 if scores.dtype.itemsize == 2 else -1e9
                scores = scores + where(seen, 0.0, low).to(scores.dtype)
            weights = F.softmax(scores, -1)
            out = matmul(F.dropout(weights, self.dropout, True) if drops else weights, v)
        else:
            weights, out = None, F.scaled_dot_product_attention(q, k, v, scale=scale)
        out = self.output_dense(out.transpose(1, 2))
        return (out, weights) if return_attention_scores else out

    def _seen(self, query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask):
        """Where a query may look, (N or 1, heads or 1, T or 1, S), or None for everywhere."""
        parts = []
        if query_mask is not None:
            parts.append(query_mask.bool().unsqueeze(2).unsqueeze(1))
        for mask in (value_mask, key_mask):
            if mask is not None:
                parts.append(mask.bool().unsqueeze(1).unsqueeze(1))
        if use_causal_mask:
            parts.append(causal_mask(query.shape[1], value.shape[1], query.device))
        if attention_mask is not None:
            given = attention_mask.bool()
            parts.append(given.unsqueeze(1) if given.ndim == 3 else given)
        found = None
        for part in parts:
            found = part if found is None else found & part
        return found

    def compute_mask(self, query, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        return (*query_shape[:-1], *(self.output_shape or (query_shape[-1],)))


def _fresh(initializer):
    """An initialiser of the same config, so that one without a seed draws anew."""
    return initializers.get(initializers.serialize(initializer))
