"""Dropout: draws and applies a mask in one pass; the backward pass reads the mask."""

from minidl.backends.device_calls import stream, view

_FLOATS = frozenset("feEd")
_NO_WORD = 0


def dropout(xp, ext, input, p, scale, seed, offset):
    if input.dtype.char not in _FLOATS:
        return NotImplemented
    out, mask = xp.empty(input.shape, input.dtype), xp.empty(input.shape, "bool")
    ext.dropout(view(input), p, scale, seed, offset, _NO_WORD, view(out), view(mask), stream(xp))
    return out, mask


def masked_scale(xp, ext, input, mask, scale):
    shape, rank = input.shape, input.ndim
    if input.dtype.char not in _FLOATS or mask.dtype.char != "?" or mask.ndim > rank:
        return NotImplemented
    for wanted, size in zip(reversed(shape), reversed(mask.shape), strict=False):
        if size not in (wanted, 1):
            return NotImplemented
    out = xp.empty(shape, input.dtype)
    ext.masked_scale(view(input), view(mask), scale, view(out), stream(xp))
    return out
