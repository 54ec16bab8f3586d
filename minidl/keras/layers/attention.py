"""Attention over given queries and values, without projections: Attention, AdditiveAttention."""

from minidl.keras.layers.arguments import Described
from minidl.nn import functional as F
from minidl.ops.create import arange
from minidl.ops.matmul import matmul

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Described):
    """softmax(scores) value, with scores of the queries and keys: Luong's attention.

    Called on [query, value] or [query, value, key], of (N, T, D), (N, S, D), (N, S, D); output (N, T, D). The score is
    the product, times a trained ``scale`` with ``use_scale``; with ``score_mode="concat"`` it is
    sum(w tanh(query + key)) for one trained weight w. ``mask=[query_mask, value_mask]`` leaves steps out;
    ``use_causal_mask`` lets no query see what lies after it. Source: M.-T. Luong et al., 2015; Keras' ``Attention``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Attention()([np.ones((2, 3, 4)), np.ones((2, 5, 4))]).shape
    torch.Size([2, 3, 4])
    """

    supports_masking = True

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"Invalid value for argument score_mode. Expected one of {{'dot', 'concat'}}. Received: "
                             f"score_mode={score_mode}")  # fmt: skip
        self.keep(use_scale=use_scale, score_mode=score_mode, dropout=dropout, seed=seed)

    def build(self, input_shape):
        _demand(type(self).__name__, input_shape)
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight(shape=(), name="scale", initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                shape=(), name="concat_score_weight", initializer="ones"
            )

    def scores(self, query, key):
        """(N, T, S): how well each key fits each query."""
        if self.score_mode == "dot":
            found = matmul(query, key.transpose(1, 2))
            return found if self.scale is None else found * self.scale
        both = query.unsqueeze(2) + key.unsqueeze(1)
        both = both if self.scale is None else both * self.scale
        return self.concat_score_weight * both.tanh().sum(-1)

    def call(self, inputs, mask=None, training=False, return_attention_scores=False, use_causal_mask=False):
        _demand(type(self).__name__, inputs)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        masks = list(mask) if isinstance(mask, (list, tuple)) else [mask]
        query_mask, value_mask = masks[0], masks[1] if len(masks) > 1 else None
        scores = self.scores(query, key)
        seen = None if value_mask is None else value_mask.bool().unsqueeze(1)
        if use_causal_mask:
            causal = causal_mask(scores.shape[1], scores.shape[2], scores.device)
            seen = causal if seen is None else seen & causal
        if seen is not None:
            low = -65504.0 if scores.dtype.itemsize == 2 else -1e9
            scores = scores + (1.0 - seen.to(scores.dtype)) * low
        weights = F.softmax(scores, -1)
        if training and self.dropout > 0:
            weights = F.dropout(weights, self.dropout, True)
        out = matmul(weights, value)
        if query_mask is not None:
            out = out * query_mask.unsqueeze(-1).to(out.dtype)
        return (out, weights) if return_attention_scores else out

    def compute_mask(self, inputs, mask=None):
        return mask[0] if isinstance(mask, (list, tuple)) else None

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], input_shape[1][-1])


def causal_mask(queries, keys, device):
    """(queries, keys): True where the key lies not after the query."""
    return arange(queries, device=device).unsqueeze(1) >= arange(keys, device=device).unsqueeze(0)


def _demand(name, inputs):
    if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
        raise ValueError(
            f"{name} layer must be called on a list of inputs, namely [query, value] or [query, value, key]."
        )


class AdditiveAttention(Attention):
    """Attention whose score is sum(scale tanh(query + key)): Bahdanau's, with a trained ``scale`` (D,).

    Source: D. Bahdanau et al., 2014; Keras' ``AdditiveAttention``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.AdditiveAttention()([np.ones((2, 3, 4)), np.ones((2, 5, 4))]).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, use_scale=True, dropout=0.0, seed=None, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, seed=seed, **kwargs)

    def build(self, input_shape):
        _demand(type(self).__name__, input_shape)
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(
                shape=(input_shape[0][-1],), name="scale", initializer="glorot_uniform"
            )

    def scores(self, query, key):
        found = (query.unsqueeze(2) + key.unsqueeze(1)).tanh()
        return (found if self.scale is None else found * self.scale).sum(-1)

    def get_config(self):
        config = super().get_config()
        config.pop("score_mode")
        return config
