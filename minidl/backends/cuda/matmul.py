"""Matrix products of float32 and float64 arrays; a transpose is a matter of strides."""

from math import prod

from minidl.backends.device_calls import floats_alike, product, stream, view


def matmul(xp, ext, input, other):
    return product(xp, ext, input, other)


def linear(xp, ext, input, weight, bias):
    """input[..., K] times weight[O, K] transposed, plus bias[O] or None."""
    if input.ndim == 0 or weight.ndim != 2 or not floats_alike(input, weight, bias):
        return NotImplemented
    rows = input.reshape(prod(input.shape[:-1]), input.shape[-1])
    out = product(xp, ext, rows, weight.T)
    if out is NotImplemented or (bias is not None and bias.shape != weight.shape[:1]):
        return NotImplemented
    if bias is not None:
        ext.add(view(out), view(bias), view(out), stream(xp))
    return out.reshape(*input.shape[:-1], weight.shape[0])
