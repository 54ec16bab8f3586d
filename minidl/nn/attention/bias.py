"""Masks for ``scaled_dot_product_attention`` by which a query looks back only. Source: ``torch.nn.attention.bias``.

>>> from minidl.nn.attention.bias import causal_lower_right, causal_upper_left
>>> causal_lower_right(2, 3)
tensor([[ True,  True, False],
        [ True,  True,  True]])
"""

from minidl.ops.causal_bias import CausalBias, CausalVariant, causal_bias

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


def causal_upper_left(*size):
    """The mask (L, S) by which query i looks at keys 0 .. i: what ``is_causal=True`` says.

    >>> from minidl.nn.attention.bias import causal_upper_left
    >>> causal_upper_left(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return causal_bias(CausalVariant.UPPER_LEFT, size)


def causal_lower_right(*size):
    """The mask (L, S) by which the last query looks at all keys: queries are the last L of S positions, as with a cache
    of earlier keys.
    """
    return causal_bias(CausalVariant.LOWER_RIGHT, size)
