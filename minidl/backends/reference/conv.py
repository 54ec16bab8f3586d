"""Convolution as a matrix product over unrolled windows ("im2col"), in one, two or three spatial dimensions.

Arrays: input (N, C, *size), weight (O, C / groups, *kernel), output (N, O, *out). The windows of an image
make a matrix of C / groups * prod(kernel) rows and prod(out) columns a group; forward multiplies it by the
weight, the gradient by the weight multiplies it by the output's gradient, the gradient by the input scatters
a matrix of that shape back. float16 and bfloat16 are computed in float32.
"""

import itertools
from math import prod

from minidl.backends.geometry import conv_output

# Images are unrolled a few at a time: about this many elements, so that a big batch needs no big buffer.
_CHUNK = 1 << 21


def _wide(array):
    """The array in the dtype that sums are kept in."""
    return array.astype("float32") if array.dtype.itemsize == 2 and array.dtype.kind not in "iu" else array


def _pad(xp, input, padding):
    if not any(padding):
        return input
    size = tuple(n + 2 * p for n, p in zip(input.shape[2:], padding, strict=True))
    padded = xp.zeros(input.shape[:2] + size, input.dtype)
    inside = tuple(slice(p, p + n) for n, p in zip(input.shape[2:], padding, strict=True))
    padded[(slice(None), slice(None), *inside)] = input
    return padded


def _unroll(xp, padded, kernel, out, stride, dilation, groups):
    """The windows of padded (N, C, *size) as (groups, C / groups * prod(kernel), N * prod(out))."""
    n, c = padded.shape[:2]
    steps = padded.strides[2:]
    taps = tuple(s * d for s, d in zip(steps, dilation, strict=True))
    hops = tuple(s * h for s, h in zip(steps, stride, strict=True))
    shape = (c, *kernel, n, *out)
    strides = (padded.strides[1], *taps, padded.strides[0], *hops)
    windows = xp.lib.stride_tricks.as_strided(padded, shape, strides)
    return windows.reshape(groups, c // groups * prod(kernel), n * prod(out))


def _by_group(xp, array, groups):
    """(N, O, *out) as (groups, O / groups, N * prod(out))."""
    n, o = array.shape[:2]
    points = prod(array.shape[2:])
    split = array.reshape(n, groups, o // groups, points)
    return split.transpose(1, 2, 0, 3).reshape(groups, o // groups, n * points)


def _chunks(n, per_image):
    """Slices of the batch, each of about ``_CHUNK`` unrolled elements."""
    step = max(1, _CHUNK // max(1, per_image))
    return [slice(first, min(n, first + step)) for first in range(0, n, step)]


def conv_forward(xp, input, weight, bias, stride, padding, dilation, groups):
    """The convolution (cross-correlation) of input with weight, plus bias.

    output[n, o, p] = bias[o] + sum over c and k of
    weight[o, c, k] * input[n, first channel of o's group + c, stride p + dilation k - padding].
    """
    n, o, kernel = input.shape[0], weight.shape[0], weight.shape[2:]
    out = conv_output(input.shape[2:], kernel, stride, padding, dilation)
    output = xp.empty((n, o, *out), input.dtype)
    rows = prod(weight.shape[1:])
    matrix = _wide(weight).reshape(groups, o // groups, rows)
    for images in _chunks(n, rows * groups * prod(out)):
        padded = _pad(xp, _wide(input[images]), padding)
        columns = _unroll(xp, padded, kernel, out, stride, dilation, groups)
        product = xp.matmul(matrix, columns).reshape(o, len(padded), *out)
        if bias is not None:
            product += _wide(bias).reshape(o, *[1] * (1 + len(kernel)))
        output[images] = product.swapaxes(0, 1)
    return output


def conv_input_grad(xp, g, weight, input_shape, stride, padding, dilation, groups):
    """The gradient of ``conv_forward`` by its input (a transposed convolution), for g (N, O, *out)."""
    n, c, *size = input_shape
    o, kernel, out = weight.shape[0], weight.shape[2:], g.shape[2:]
    rows = prod(weight.shape[1:])
    matrix = _wide(weight).reshape(groups, o // groups, rows).swapaxes(1, 2)
    padded_size = tuple(s + 2 * p for s, p in zip(size, padding, strict=True))
    inside = tuple(slice(p, p + s) for s, p in zip(size, padding, strict=True))
    result = xp.empty(input_shape, g.dtype)
    for images in _chunks(n, rows * groups * prod(out)):
        part = _wide(g[images])
        columns = xp.matmul(matrix, _by_group(xp, part, groups)).reshape(c, *kernel, len(part), *out)
        padded = xp.zeros((c, len(part), *padded_size), part.dtype)
        for tap in itertools.product(*map(range, kernel)):
            padded[(slice(None), slice(None), *_reach(tap, out, stride, dilation))] += columns[
                (slice(None), *tap)
            ]
        result[images] = padded[(slice(None), slice(None), *inside)].swapaxes(0, 1)
    return result


def conv_weight_grad(xp, g, input, weight_shape, stride, padding, dilation, groups):
    """The gradient of ``conv_forward`` by its weight, for g (N, O, *out)."""
    o, kernel, out = weight_shape[0], weight_shape[2:], g.shape[2:]
    rows = prod(weight_shape[1:])
    total = xp.zeros((groups, o // groups, rows), _wide(g[:0]).dtype)
    for images in _chunks(len(input), rows * groups * prod(out)):
        padded = _pad(xp, _wide(input[images]), padding)
        columns = _unroll(xp, padded, kernel, out, stride, dilation, groups)
        total += xp.matmul(_by_group(xp, _wide(g[images]), groups), columns.swapaxes(1, 2))
    return total.reshape(weight_shape).astype(g.dtype, copy=False)


def _reach(tap, out, stride, dilation):
    """Where tap ``tap`` of every window lies in the padded input."""
    return tuple(
        slice(t * d, t * d + (o - 1) * s + 1, s)
        for t, o, s, d in zip(tap, out, stride, dilation, strict=True)
    )
