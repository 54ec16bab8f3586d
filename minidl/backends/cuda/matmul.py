"""Matrix products of floating-point arrays; a transpose is a matter of strides."""

from math import prod

from minidl.backends.device_calls import multiply, product, view


def matmul(xp, ext, input, other):
    return product(xp, ext, input, other)


def linear(xp, ext, input, weight, bias):
    """input[..., K] times weight[O, K] transposed, plus bias[O] or None, in one launch."""
    dtype, shape = input.dtype, input.shape
    if dtype.char not in "fdeE" or weight.dtype != dtype or not shape or weight.ndim != 2:
        return NotImplemented
    outputs, size = weight.shape
    if shape[-1] != size or (bias is not None and (bias.dtype != dtype or bias.shape != (outputs,))):
        return NotImplemented
    rows = input if len(shape) == 2 else input.reshape(prod(shape[:-1]), size)
    out = xp.empty((*shape[:-1], outputs), dtype)
    flat = out if len(shape) == 2 else out.reshape(rows.shape[0], outputs)
    pointer, char, sizes, strides = view(weight)
    multiply(xp, ext, view(rows), (pointer, char, sizes[::-1], strides[::-1]), flat, view(bias))
    return out
