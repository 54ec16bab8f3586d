"""Masks by which a query looks back only, for queries and keys of different numbers."""

import enum

from minidl import dtypes
from minidl.autograd import Tensor
from minidl.autograd.tensor import make
from minidl.ops.create import ones
from minidl.ops.joining import tril


class CausalVariant(enum.IntEnum):
    """Which corner of the mask its triangle starts from. Source: ``torch.nn.attention.bias.CausalVariant``."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A bool mask (L, S) that ``scaled_dot_product_attention`` takes on any device, unread where ``is_causal`` says it.

    Source: ``torch.nn.attention.bias.CausalBias``, whose shape and dtype are others than those of what it prints.
    """

    __slots__ = ()

    def options(self, query, is_causal):
        """``(attn_mask, is_causal)`` that say the same. Raises ``ValueError`` where ``is_causal`` is given besides."""
        if is_causal:
            raise ValueError("CausalBias should not be used with causal=True")
        if self.variant == CausalVariant.UPPER_LEFT or self.seq_len_q == self.seq_len_kv:
            return None, True
        return self.to(query.device), False


def causal_bias(variant, size):
    """The mask of a variant. Raises ``AssertionError`` where ``size`` is not (L, S)."""
    if len(size) != 2:
        raise AssertionError(f"causal_{variant.name.lower()} only supports 2D tensors")
    queries, keys = size
    shift = keys - queries if variant == CausalVariant.LOWER_RIGHT else 0
    mask = make(tril(ones(queries, keys, dtype=dtypes.bool_), shift)._array, None, CausalBias)
    mask.variant, mask.seq_len_q, mask.seq_len_kv = variant, queries, keys
    return mask
