"""Transformers: stacks of encoder and decoder layers, and both in one."""

import copy
import math

from minidl.nn import init
from minidl.nn.containers import ModuleList
from minidl.nn.module import Module
from minidl.nn.norm import LayerNorm
from minidl.nn.transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer
from minidl.ops.create import full
from minidl.ops.joining import triu
from minidl.ops.multi_head_attention import canonical_mask
from minidl.ops.pointwise import relu

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


def _causal_mask(size, device=None, dtype=None):
    """(size, size): -inf above the diagonal, 0 elsewhere."""
    return triu(full((size, size), -math.inf, dtype=dtype, device=device), 1)


def _is_causal(mask, hint, sequence, batch_first):
    """Whether a mask is the causal one: what ``hint`` says, or where it is None, what the mask's values say."""
    if hint is not None or mask is None:
        return hint is True
    size = sequence.shape[1 if batch_first and sequence.ndim == 3 else 0]
    if tuple(mask.shape) != (size, size):
        return False
    return bool((mask == _causal_mask(size, mask.device, mask.dtype)).all())


def _copies(layer, count):
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


class TransformerEncoder(Module):
    """``num_layers`` copies of an encoder layer, one after the other, then ``norm`` where it is given.

    Shapes: src (S, N, E), (N, S, E) or (S, E) as of the layer -> the same; ``mask`` (S, S) or (N nhead, S, S) and
    ``src_key_padding_mask`` (N, S) as of ``TransformerEncoderLayer``. ``is_causal`` None looks whether ``mask`` is the
    causal one. All copies start from the layer's weights. ``enable_nested_tensor`` and ``mask_check`` are taken and
    change nothing: there are no nested tensors, so padded steps hold numbers of no meaning, and never zeros.

    Source: A. Vaswani et al., "Attention is all you need", 2017; PyTorch's ``torch.nn.TransformerEncoder``.

    >>> import minidl
    >>> from minidl import nn
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), num_layers=2)
    >>> encoder(minidl.ones(5, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(self, encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True):
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
        padding = canonical_mask(src_key_padding_mask, "src_key_padding_mask", src.dtype, mask, "mask")
        mask = canonical_mask(mask, "mask", src.dtype)
        if mask is not None:
            is_causal = _is_causal(mask, is_causal, src, self.layers[0].self_attn.batch_first)
        output = src
        for layer in self.layers:
            output = layer(output, src_mask=mask, src_key_padding_mask=padding, is_causal=bool(is_causal))
        return output if self.norm is None else self.norm(output)


class TransformerDecoder(Module):
    """``num_layers`` copies of a decoder layer, one after the other, then ``norm`` where it is given.

    Shapes: tgt (T, N, E), memory (S, N, E), or as of the layer -> as tgt; the masks are those of
    ``TransformerDecoderLayer``. ``tgt_is_causal`` None looks whether ``tgt_mask`` is the causal one. All copies start
    from the layer's weights, and keep its activation (PyTorch's copies take relu where that is a Module).

    Source: A. Vaswani et al., "Attention is all you need", 2017; PyTorch's ``torch.nn.TransformerDecoder``.

    >>> import minidl
    >>> from minidl import nn
    >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), num_layers=2)
    >>> decoder(minidl.ones(4, 3, 8), minidl.ones(5, 3, 8)).shape
    torch.Size([4, 3, 8])
    """

    def __init__(self, decoder_layer, num_layers, norm=None):
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt,
        memory,
        tgt_mask=None,
        memory_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        tgt_is_causal=None,
        memory_is_causal=False,
    ):
        additive = canonical_mask(tgt_mask, "tgt_mask", tgt.dtype)
        if additive is not None:
            tgt_is_causal = _is_causal(additive, tgt_is_causal, tgt, self.layers[0].self_attn.batch_first)
        output = tgt
        for layer in self.layers:
            output = layer(
                output,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """An encoder and a decoder that attends to what it gives: decoder(tgt, encoder(src)).

    Shapes, for S and T steps, N samples, E = ``d_model``: src (S, N, E), tgt (T, N, E), with ``batch_first`` the
    samples first, or both without N -> as tgt. Masks: ``src_mask`` (S, S), ``tgt_mask`` (T, T), ``memory_mask``
    (T, S), ``src_key_padding_mask`` and ``memory_key_padding_mask`` (N, S), ``tgt_key_padding_mask`` (N, T); bool, True
    where nobody looks, or added to the scores. Matrices start from Xavier's uniform distribution. ``custom_encoder``
    and ``custom_decoder`` stand for the stacks, each of which ends in a LayerNorm.

    Raises ``RuntimeError`` where the batches differ or the features are not ``d_model``.
    Source: A. Vaswani et al., "Attention is all you need", 2017; PyTorch's ``torch.nn.Transformer``.

    >>> import minidl
    >>> net = minidl.nn.Transformer(8, 2, 1, 1, dim_feedforward=16)
    >>> mask = net.generate_square_subsequent_mask(4)
    >>> net(minidl.ones(5, 3, 8), minidl.ones(4, 3, 8), tgt_mask=mask).shape
    torch.Size([4, 3, 8])
    """

    def __init__(
        self,
        d_model=512,
        nhead=8,
        num_encoder_layers=6,
        num_decoder_layers=6,
        dim_feedforward=2048,
        dropout=0.1,
        activation=relu,
        custom_encoder=None,
        custom_decoder=None,
        layer_norm_eps=1e-5,
        batch_first=False,
        norm_first=False,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        own = {"device": device, "dtype": dtype}
        options = (dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        if custom_encoder is None:
            layer = TransformerEncoderLayer(d_model, nhead, *options, **own)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **own)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            layer = TransformerDecoderLayer(d_model, nhead, *options, **own)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **own)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self):
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src,
        tgt,
        src_mask=None,
        tgt_mask=None,
        memory_mask=None,
        src_key_padding_mask=None,
        tgt_key_padding_mask=None,
        memory_key_padding_mask=None,
        src_is_causal=None,
        tgt_is_causal=None,
        memory_is_causal=False,
    ):
        samples = 0 if self.batch_first else 1
        if src.ndim == 3 and tgt.ndim == 3 and src.shape[samples] != tgt.shape[samples]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz, device=None, dtype=None):
        """The causal mask (sz, sz): -inf above the diagonal, where a step would look ahead, and 0 elsewhere.

        >>> import minidl
        >>> minidl.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return _causal_mask(sz, device, dtype)
