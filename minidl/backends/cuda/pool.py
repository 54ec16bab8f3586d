"""Pooling in one to three dimensions. Memory format is strides: an output is channels-last where its input is, as is
an input's gradient where the offsets (of a maximum) or the output's gradient (of a mean) are."""

from math import prod

from minidl.backends.device_calls import empty_images, stream, view
from minidl.backends.geometry import pool_output

_SERVED = "fdeE"


def _served(array):
    return 3 <= array.ndim <= 5 and array.dtype.char in _SERVED


def _bins_served(array, size, out):
    """Whether the kernels' 32-bit arithmetic finds the bins."""
    return _served(array) and all((n + 1) * (m + 1) < 1 << 31 for n, m in zip(size, out, strict=True))


def max_pool(xp, ext, input, kernel_size, stride_, padding, dilation, ceil_mode):
    if not _served(input):
        return NotImplemented
    size = pool_output(input.shape[2:], kernel_size, stride_, padding, dilation, ceil_mode)
    out = empty_images(xp, (*input.shape[:2], *size), input)
    offsets = empty_images(xp, out.shape, input, "uint8" if prod(kernel_size) <= 256 else "int32")
    ext.max_pool(view(input), view(out), view(offsets), kernel_size, stride_, padding, dilation, stream(xp))
    return out, offsets


def max_pool_grad(xp, ext, g, offsets, input_shape, kernel_size, stride_, padding, dilation):
    if not _served(g):
        return NotImplemented
    out = empty_images(xp, input_shape, offsets, g.dtype)
    ext.max_pool_grad(view(g), view(offsets), view(out), kernel_size, stride_, padding, dilation, stream(xp))
    return out


def max_pool_gather(xp, ext, input, offsets, kernel_size, stride_, padding, dilation):
    if not _served(input):
        return NotImplemented
    out = empty_images(xp, offsets.shape, offsets, input.dtype)
    arrays = view(input), view(offsets), view(out)
    ext.max_pool_gather(*arrays, kernel_size, stride_, padding, dilation, stream(xp))
    return out


def max_pool_indices(xp, ext, offsets, input_shape, kernel_size, stride_, padding, dilation):
    if offsets.dtype.char not in "Bi":
        return NotImplemented
    out = empty_images(xp, offsets.shape, offsets, "int64")
    geometry = kernel_size, stride_, padding, dilation
    ext.max_pool_indices(view(offsets), view(out), input_shape[2:], *geometry, stream(xp))
    return out


def avg_pool(xp, ext, input, kernel_size, stride_, padding, ceil_mode, count_include_pad, divisor_override):
    if not _served(input):
        return NotImplemented
    ones = (1,) * len(kernel_size)
    size = pool_output(input.shape[2:], kernel_size, stride_, padding, ones, ceil_mode)
    out = empty_images(xp, (*input.shape[:2], *size), input)
    windows = kernel_size, stride_, padding, count_include_pad, divisor_override
    ext.avg_pool(view(input), view(out), *windows, stream(xp))
    return out


def avg_pool_grad(
    xp, ext, g, input_shape, kernel_size, stride_, padding, count_include_pad, divisor_override
):
    if not _served(g):
        return NotImplemented
    out = empty_images(xp, input_shape, g)
    windows = kernel_size, stride_, padding, count_include_pad, divisor_override
    ext.avg_pool_grad(view(g), view(out), *windows, stream(xp))
    return out


def adaptive_avg_pool(xp, ext, input, output_size):
    if not _bins_served(input, input.shape[2:], output_size):
        return NotImplemented
    out = empty_images(xp, (*input.shape[:2], *output_size), input)
    ext.adaptive_avg_pool(view(input), view(out), stream(xp))
    return out


def adaptive_avg_pool_grad(xp, ext, g, input_shape):
    if not _bins_served(g, input_shape[2:], g.shape[2:]):
        return NotImplemented
    out = empty_images(xp, input_shape, g)
    ext.adaptive_avg_pool_grad(view(g), view(out), stream(xp))
    return out


def adaptive_max_pool(xp, ext, input, output_size):
    if not _bins_served(input, input.shape[2:], output_size):
        return NotImplemented
    out = empty_images(xp, (*input.shape[:2], *output_size), input)
    indices = empty_images(xp, out.shape, input, "int64")
    ext.adaptive_max_pool(view(input), view(out), view(indices), stream(xp))
    return out, indices
