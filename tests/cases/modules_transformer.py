"""Rows of the transformers and of their layers."""

import numpy as np

from .case import constant, normal, values
from .modules import ModuleCase

PADDED = values([[False, False, True], [False, True, False]])
CAUSAL = values(np.triu(np.ones((3, 3), bool), 1))
X, Y = normal(3, 2, 4), normal(2, 2, 4)
SMALL = (4, 2, 3, 0.0)  # d_model, nhead, dim_feedforward, no dropout


def _stack(nn, **options):
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(*SMALL, **options), 2, enable_nested_tensor=False)


def _decoder(nn):
    return nn.TransformerDecoder(nn.TransformerDecoderLayer(*SMALL, nn.functional.silu), 1, nn.LayerNorm(4))


def _with_module(nn):
    return nn.TransformerDecoderLayer(*SMALL, nn.SiLU())


def encoder_layer(id, kwargs=None, x=X, **call):
    return ModuleCase("TransformerEncoderLayer", SMALL, kwargs or {}, (x,), call=call, id=id)


def decoder_layer(id, kwargs=None, inputs=(), **call):
    return ModuleCase("TransformerDecoderLayer", SMALL, kwargs or {}, inputs or (Y, X), call=call, id=id)


MODULE_CASES = [
    encoder_layer(""),
    encoder_layer("masks", src_mask=CAUSAL, src_key_padding_mask=PADDED),
    encoder_layer("float-mask", {"activation": "gelu"}, src_mask=constant(normal(4, 3, 3))),
    encoder_layer("causal", {"norm_first": True}, src_mask=CAUSAL, is_causal=True),
    encoder_layer("no-bias", {"bias": False, "batch_first": True}, normal(2, 3, 4), src_key_padding_mask=PADDED),
    encoder_layer("single", {"layer_norm_eps": 1e-3}, normal(3, 4)),
    ModuleCase("TransformerEncoderLayer", (4, 2), {"dim_feedforward": 3}, (X,), id="dropout", random=True),
    decoder_layer(""),
    decoder_layer("masks", memory_key_padding_mask=PADDED, memory_mask=values(np.eye(2, 3, 1) > 0)),
    decoder_layer(
        "norm-first", {"norm_first": True, "activation": "gelu", "batch_first": True},
        (normal(2, 3, 4), normal(2, 2, 4)), tgt_mask=CAUSAL, tgt_is_causal=True,
    ),
    decoder_layer("single", {"bias": False}, (normal(2, 4), normal(3, 4))),
    ModuleCase(_with_module, inputs=(Y, X), id="TransformerDecoderLayer-module"),
    ModuleCase(_stack, inputs=(X,), call={"mask": CAUSAL, "src_key_padding_mask": PADDED}, id="TransformerEncoder"),
    ModuleCase(_stack, inputs=(X,), call={"mask": CAUSAL}, id="TransformerEncoder-causal"),
    ModuleCase(_decoder, inputs=(X, X), call={"tgt_mask": CAUSAL}, id="TransformerDecoder"),
    ModuleCase(
        "Transformer", (4, 2, 1, 1, 3), {"dropout": 0.0}, (X, Y),
        call={"src_key_padding_mask": PADDED, "memory_key_padding_mask": PADDED},
    ),
    ModuleCase(
        "Transformer", (4, 2, 1, 1, 3), {"dropout": 0.0, "norm_first": True, "batch_first": True},
        (normal(2, 2, 4), normal(2, 3, 4)), call={"tgt_mask": CAUSAL}, id="batch-first",
    ),
]  # fmt: skip
