"""Rows of MultiheadAttention."""

import numpy as np

from .case import constant, normal, values
from .modules import ModuleCase

PADDED = values([[False, False, True, False], [False, True, False, False]])  # (N, S): the first key is seen
CAUSAL = values(np.triu(np.ones((4, 4), bool), 1))
X = normal(4, 2, 6)
INPUTS = (normal(3, 2, 6), X, X)


def attention(id, args=(), kwargs=None, inputs=INPUTS, **call):
    return ModuleCase("MultiheadAttention", (6, 2, *args), kwargs or {}, inputs, call=call, id=id)


def _self(need_weights, **options):
    """A layer that attends to its own input."""

    def build(nn):
        class SelfAttention(nn.Module):
            def __init__(self):
                super().__init__()
                self.attention = nn.MultiheadAttention(6, 2, **options)

            def forward(self, x, **masks):
                return self.attention(x, x, x, need_weights=need_weights, **masks)

        return SelfAttention()

    return build


MODULE_CASES = [
    attention(""),
    attention("no-weights", need_weights=False),
    attention("no-bias", (0.0, False), average_attn_weights=False),
    attention("padded", key_padding_mask=PADDED),
    attention("padded-no-weights", key_padding_mask=PADDED, need_weights=False),
    attention("masked", attn_mask=constant(normal(3, 4)), key_padding_mask=constant(normal(2, 4))),
    attention("masked-by-head", attn_mask=constant(normal(4, 3, 4)), need_weights=False),
    attention("bias-kv", kwargs={"add_bias_kv": True}, key_padding_mask=PADDED),
    attention("zero", kwargs={"add_zero_attn": True}, attn_mask=constant(normal(3, 4))),
    attention("both", kwargs={"add_bias_kv": True, "add_zero_attn": True}, need_weights=False),
    attention(
        "sizes", kwargs={"kdim": 3, "vdim": 5, "batch_first": True},
        inputs=(normal(2, 3, 6), normal(2, 4, 3), normal(2, 4, 5)), key_padding_mask=PADDED,
    ),
    attention("single", inputs=(normal(3, 6), normal(4, 6), normal(4, 6))),
    attention("single-no-weights", inputs=(normal(3, 6), normal(4, 6), normal(4, 6)), need_weights=False),
    ModuleCase(_self(True), inputs=(X,), call={"attn_mask": CAUSAL, "is_causal": True}, id="SelfAttention"),
    ModuleCase(
        _self(False, batch_first=True), inputs=(normal(2, 4, 6),), call={"attn_mask": CAUSAL, "is_causal": True},
        id="SelfAttention-causal",
    ),
]  # fmt: skip
