"""``MultiHeadAttention`` and ``GroupQueryAttention``."""

import math

from minidl.keras.engine.tracing import traced_outputs
from minidl.keras.layers.arguments import Described
from minidl.keras.layers.projected_attention import attended, check_window, joining, projection, seen_by

__all__ = ["GroupQueryAttention", "GroupedQueryAttention", "MultiHeadAttention"]


class MultiHeadAttention(Described):
    """Attention in ``num_heads`` projections of queries, keys and values, joined by one more::

        head_i = softmax(q_i k_i^T / sqrt(key_dim)) v_i;   output = concat(heads) projected

    Called as ``layer(query, value, key=None)``: (N, T, D), (N, S, E), (N, S, E); output (N, T, D), or of the last
    sizes ``output_shape``. ``attention_mask`` (N, T, S) or (N, heads, T, S) is True where a query may look; masks of
    query, value and key, ``use_causal_mask`` and ``sliding_window``, how far keys are seen, are added to it.
    ``return_attention_scores`` adds (N, heads, T, S). Of more dimensions, (N, A, B, D), ``attention_axes`` says which
    ones a query looks along: all of them by default. ``use_gate`` multiplies the heads' outputs by a sigmoid of the
    query's projection.

    Weights: of ``query``, ``key``, ``gate`` where there is one, and ``value`` a kernel (D, heads, key_dim) and a bias
    (heads, key_dim), of ``attention_output`` a kernel (heads, value_dim, D) and a bias (D,). Source: A. Vaswani et
    al., 2017; Z. Qiu et al., "Gated attention", 2025.

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
        check_window(sliding_window)
        output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        if isinstance(attention_axes, int):
            attention_axes = (attention_axes,)
        elif attention_axes is not None and not isinstance(attention_axes, (list, tuple)):
            raise ValueError(
                f"`attention_axes` must be an int, list, or tuple.Received: attention_axes={attention_axes}"
            )
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
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                "All dimensions of `value` and `key`, except the last one, must be equal. Received: value_shape="
                f"{tuple(value_shape)} and key_shape={tuple(key_shape)}"
            )
        heads, ndim = self.num_heads, len(query_shape)
        self.query_dense = projection(self, "query", query_shape, heads, self.key_dim)
        self.key_dense = projection(self, "key", key_shape, heads, self.key_dim)
        if self.use_gate:
            self._gate_dense = projection(self, "gate", query_shape, heads, self.value_dim, "sigmoid")
        self.value_dense = projection(self, "value", value_shape, heads, self.value_dim)
        axes = range(1, ndim - 1) if self.attention_axes is None else self.attention_axes
        self._axes = tuple(axis % ndim for axis in axes)
        self.output_dense = joining(
            self, "attention_output", (*query_shape[:-1], heads, self.value_dim),
            tuple(self.output_shape or (query_shape[-1],)),
        )  # fmt: skip

    def call(
        self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
        return_attention_scores=False, training=None, use_causal_mask=False,
    ):  # fmt: skip
        key = value if key is None else key
        ndim, axes = query.ndim, len(self._axes)
        seen = seen_by(
            query, value, (query_mask, value_mask, key_mask), attention_mask, use_causal_mask, self.sliding_window,
            ndim + axes, axes,
        )  # fmt: skip
        order = _heads_first(ndim, self._axes)
        gate = self._gate_dense(query) if self.use_gate else None
        q, k, v = (
            dense(x).permute(order)
            for dense, x in ((self.query_dense, query), (self.key_dense, key), (self.value_dense, value))
        )
        drop = self.dropout if training else 0.0
        if axes == 1:
            out, weights = attended(q, k, v, seen, self.key_dim**-0.5, drop, return_attention_scores)
        else:
            out, weights = self._over_several(q, k, v, seen, drop, return_attention_scores)
        back = [order.index(d) for d in range(ndim + 1)]
        out = out.permute(back)
        out = self.output_dense(out if gate is None else out * gate)
        return (out, weights) if return_attention_scores else out

    def _over_several(self, q, k, v, seen, drop, scores):
        """Attention along several dimensions: along all of their places as one."""
        axes = len(self._axes)
        to, of = q.shape[-1 - axes : -1], k.shape[-1 - axes : -1]
        if seen is not None:
            seen = seen.expand(*seen.shape[: -2 * axes], *to, *of)
            seen = seen.reshape(*seen.shape[: -2 * axes], math.prod(to), math.prod(of))
        flat = [x.reshape(*x.shape[: -1 - axes], -1, x.shape[-1]) for x in (q, k, v)]
        out, weights = attended(*flat, seen, self.key_dim**-0.5, drop, scores)
        out = out.reshape(*q.shape[:-1], v.shape[-1])
        return out, None if weights is None else weights.reshape(*weights.shape[:-2], *to, *of)

    def compute_mask(self, query, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        return (*query_shape[:-1], *(self.output_shape or (query_shape[-1],)))

    def compute_output_spec(self, *args, return_attention_scores=False, **kwargs):
        if not return_attention_scores:
            return super().compute_output_spec(*args, **kwargs)
        return traced_outputs(self, args, {**kwargs, "return_attention_scores": True})


def _heads_first(ndim, axes):
    """The order of (N, ..., heads, size) with the dimensions ``axes`` behind the heads."""
    free = [d for d in range(ndim - 1) if d not in axes]
    return [*free, ndim - 1, *axes, ndim]


class GroupedQueryAttention(Described):
    """Attention whose ``num_query_heads`` share ``num_key_value_heads`` keys and values.

    Called as ``layer(query, value, key=None)``: (N, T, D), (N, S, D), (N, S, D); output (N, T, D). A key's head
    serves ``num_query_heads / num_key_value_heads`` queries' heads that follow one another. Masks, ``sliding_window``
    and ``use_gate`` are those of ``MultiHeadAttention``.

    Weights: of ``query`` a kernel (D, query heads, head_dim), of ``key``, ``gate`` where there is one, and ``value``
    (D, heads, head_dim), of ``attention_output`` (query heads, head_dim, D), and biases. Source: J. Ainslie et al.,
    2023; Keras' ``GroupQueryAttention``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> x = np.ones((2, 5, 8))
    >>> keras.layers.GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)(x, x).shape
    torch.Size([2, 5, 8])
    """

    supports_masking = True

    def __init__(
        self, head_dim, num_query_heads, num_key_value_heads, dropout=0.0, use_bias=True, sliding_window=None,
        flash_attention=None, kernel_initializer="glorot_uniform", bias_initializer="zeros", kernel_regularizer=None,
        bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None,
        use_gate=False, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if num_query_heads % num_key_value_heads:
            raise ValueError("`num_query_heads` must be divisible by `num_key_value_heads`.")
        check_window(sliding_window)
        self.keep(
            head_dim=head_dim, num_query_heads=num_query_heads, num_key_value_heads=num_key_value_heads,
            dropout=dropout, use_bias=use_bias, sliding_window=sliding_window, use_gate=use_gate,
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint, seed=seed,
        )  # fmt: skip

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        size, heads, fewer = self.head_dim, self.num_query_heads, self.num_key_value_heads
        self._query_dense = projection(self, "query", query_shape, heads, size)
        self._key_dense = projection(self, "key", key_shape, fewer, size)
        if self.use_gate:
            self._gate_dense = projection(self, "gate", query_shape, heads, size, "sigmoid")
        self._value_dense = projection(self, "value", value_shape, fewer, size)
        self._output_dense = joining(self, "attention_output", (None, None, heads, size), (query_shape[-1],))

    def call(
        self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
        return_attention_scores=False, training=None, use_causal_mask=False,
    ):  # fmt: skip
        key = value if key is None else key
        seen = seen_by(
            query, value, (query_mask, value_mask, key_mask), attention_mask, use_causal_mask, self.sliding_window, 4
        )  # fmt: skip
        gate = self._gate_dense(query) if self.use_gate else None
        q = self._query_dense(query).transpose(1, 2)  # (N, heads, T, head_dim)
        shared = self.num_query_heads // self.num_key_value_heads
        k, v = (
            dense(x).transpose(1, 2).repeat_interleave(shared, 1)
            for dense, x in ((self._key_dense, key), (self._value_dense, value))
        )
        drop = self.dropout if training else 0.0
        out, weights = attended(q, k, v, seen, self.head_dim**-0.5, drop, return_attention_scores)
        out = out.transpose(1, 2)
        out = self._output_dense(out if gate is None else out * gate)
        return (out, weights) if return_attention_scores else out

    def compute_mask(self, query, previous_mask=None):
        return previous_mask

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                "The last dimension of `query_shape` and `value_shape` must be equal, but are "
                f"{query_shape[-1]}, {value_shape[-1]}. Received: query_shape={query_shape}, "
                f"value_shape={value_shape}"
            )
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                "All dimensions of `value` and `key`, except the last one, must be equal. Received: value_shape="
                f"{value_shape} and key_shape={key_shape}"
            )
        return tuple(query_shape)

    def compute_output_spec(self, *args, return_attention_scores=False, **kwargs):
        if not return_attention_scores:
            return super().compute_output_spec(*args, **kwargs)
        return traced_outputs(self, args, {**kwargs, "return_attention_scores": True})


GroupQueryAttention = GroupedQueryAttention  # Keras' public name of the class
