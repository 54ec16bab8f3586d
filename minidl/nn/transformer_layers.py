"""The layers of transformers: ``TransformerEncoderLayer`` and ``TransformerDecoderLayer``."""

from minidl.nn.attention import MultiheadAttention
from minidl.nn.dropout import Dropout
from minidl.nn.linear import Linear
from minidl.nn.module import Module
from minidl.nn.norm import LayerNorm
from minidl.ops.activations import gelu
from minidl.ops.multi_head_attention import canonical_mask
from minidl.ops.pointwise import relu

__all__ = ["TransformerDecoderLayer", "TransformerEncoderLayer"]

_ACTIVATIONS = {"relu": relu, "gelu": gelu}


def _activation(activation):
    """A callable as it is, a name as the function it names. Raises ``RuntimeError`` for other names."""
    if not isinstance(activation, str):
        return activation
    if activation not in _ACTIVATIONS:
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return _ACTIVATIONS[activation]


class _Layer(Module):
    """What both layers have: self-attention and two linear maps, each with a residual, a norm and dropout.

    ``_build`` makes the parts in PyTorch's order, which is that of the parameters in ``state_dict``.
    """

    def _build(
        self, attentions, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
        norm_first, bias, device, dtype,
    ):  # fmt: skip
        own = {"device": device, "dtype": dtype}
        for name in attentions:
            attention = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **own)
            self.add_module(name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **own)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **own)
        self.norm_first = norm_first
        count = len(attentions) + 1
        for i in range(1, count + 1):
            self.add_module(f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, **own))
        for i in range(1, count + 1):
            self.add_module(f"dropout{i}", Dropout(dropout))
        self.activation = _activation(activation)

    def _residual(self, x, norm, block, *args):
        """One block with its residual: x + block(norm(x)) with ``norm_first``, norm(x + block(x)) without."""
        return x + block(norm(x), *args) if self.norm_first else norm(x + block(x, *args))

    def _sa_block(self, x, attn_mask, key_padding_mask, is_causal=False):
        """Self-attention, with dropout."""
        return self.dropout1(
            self.self_attn(
                x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False,
                is_causal=is_causal,
            )[0]
        )  # fmt: skip

    def _feed_forward(self, x):
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention and a network of two linear layers, each added to its input and normalized::

        x = norm1(x + dropout1(self_attn(x)))
        x = norm2(x + dropout2(linear2(dropout(activation(linear1(x))))))

    and with ``norm_first`` x + dropout1(self_attn(norm1(x))) and so on.

    Shapes, for S steps, N samples, E = ``d_model``: src (S, N, E), with ``batch_first`` (N, S, E), or (S, E) -> the
    same. ``src_mask`` (S, S) or (N nhead, S, S) and ``src_key_padding_mask`` (N, S) are bool, True where nobody looks,
    or added to the scores; ``is_causal`` is a hint that ``src_mask`` is the causal one. ``activation`` is "relu",
    "gelu" or a callable. Parts: ``self_attn``, ``linear1`` (dim_feedforward, E), ``linear2``, ``norm1``, ``norm2``.

    Raises ``RuntimeError`` for another ``activation``, ``AssertionError`` for sizes that do not fit.
    Source: A. Vaswani et al., "Attention is all you need", 2017; R. Xiong et al., "On layer normalization in the
    Transformer architecture", 2020 (``norm_first``); PyTorch's ``torch.nn.TransformerEncoderLayer``.

    >>> import minidl
    >>> layer = minidl.nn.TransformerEncoderLayer(d_model=8, nhead=2, dim_feedforward=16)
    >>> layer(minidl.ones(5, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(
        self,
        d_model,
        nhead,
        dim_feedforward=2048,
        dropout=0.1,
        activation=relu,
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self._build(
            ("self_attn",), d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        padding = canonical_mask(
            src_key_padding_mask, "src_key_padding_mask", src.dtype, src_mask, "src_mask"
        )
        mask = canonical_mask(src_mask, "src_mask", src.dtype)
        x = self._residual(src, self.norm1, self._sa_block, mask, padding, is_causal)
        return self._residual(x, self.norm2, self._ff_block)

    def _ff_block(self, x):
        """The two linear layers, with dropout."""
        return self.dropout2(self._feed_forward(x))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to ``memory`` and a network of two linear layers, each added and normalized::

        x = norm1(x + dropout1(self_attn(x)))
        x = norm2(x + dropout2(multihead_attn(x, memory, memory)))
        x = norm3(x + dropout3(linear2(dropout(activation(linear1(x))))))

    and with ``norm_first`` x + dropout1(self_attn(norm1(x))) and so on.

    Shapes, for T and S steps, N samples, E = ``d_model``: tgt (T, N, E), memory (S, N, E), with ``batch_first`` the
    samples first, or both without N -> as tgt. ``tgt_mask`` (T, T), ``memory_mask`` (T, S), ``tgt_key_padding_mask``
    (N, T) and ``memory_key_padding_mask`` (N, S) are bool, True where nobody looks, or added to the scores;
    ``tgt_is_causal`` and ``memory_is_causal`` are hints that a mask is the causal one. Arguments, errors and source as
    those of ``TransformerEncoderLayer``.

    >>> import minidl
    >>> layer = minidl.nn.TransformerDecoderLayer(d_model=8, nhead=2, dim_feedforward=16)
    >>> layer(minidl.ones(4, 3, 8), minidl.ones(5, 3, 8)).shape
    torch.Size([4, 3, 8])
    """

    def __init__(
        self,
        d_model,
        nhead,
        dim_feedforward=2048,
        dropout=0.1,
        activation=relu,
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self._build(
            ("self_attn", "multihead_attn"), d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps,
            batch_first, norm_first, bias, device, dtype,
        )  # fmt: skip

    def forward(
        self,
        tgt,
        memory,
        tgt_mask=None,
        memory_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        tgt_is_causal=False,
        memory_is_causal=False,
    ):
        x = self._residual(tgt, self.norm1, self._sa_block, tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        x = self._residual(
            x, self.norm2, self._mha_block, memory, memory_mask, memory_key_padding_mask, memory_is_causal
        )
        return self._residual(x, self.norm3, self._ff_block)

    def _mha_block(self, x, mem, attn_mask, key_padding_mask, is_causal=False):
        """Attention to the encoder's output, with dropout."""
        return self.dropout2(
            self.multihead_attn(
                x, mem, mem, attn_mask=attn_mask, key_padding_mask=key_padding_mask, is_causal=is_causal,
                need_weights=False,
            )[0]
        )  # fmt: skip

    def _ff_block(self, x):
        """The two linear layers, with dropout."""
        return self.dropout3(self._feed_forward(x))
