"""Dropout: which elements stay, and the scaling of those that do."""

import numpy as np

from minidl.backends.reference.random import philox_uniform


def dropout(xp, input, p, scale, seed, offset):
    """``input`` with elements set to zero with probability p and the others scaled, and the mask of those.

    The draw is one float32 uniform an element of the stream (seed, offset), in C order.
    """
    mask = keep_mask(xp, philox_uniform(xp, input.shape, np.float32, seed, offset), p)
    return masked_scale(xp, input, mask, scale), mask


def keep_mask(xp, uniform, p):
    """True where an element stays: with probability 1 - p, given uniforms in [0, 1)."""
    return uniform >= p


def masked_scale(xp, input, mask, scale):
    """input * mask * scale; the mask is boolean and broadcasts."""
    return input * (mask.astype(input.dtype) * input.dtype.type(scale))
