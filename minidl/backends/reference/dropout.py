"""Dropout: which elements stay, and the scaling of those that do."""


def keep_mask(xp, uniform, p):
    """True where an element stays: with probability 1 - p, given uniforms in [0, 1)."""
    return uniform >= p


def masked_scale(xp, input, mask, scale):
    """input * mask * scale; the mask is boolean and broadcasts."""
    return input * (mask.astype(input.dtype) * input.dtype.type(scale))
