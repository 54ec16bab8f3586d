"""Convolution in one to three dimensions: implicit GEMM and depthwise kernels. Memory format is strides: an
output is channels-last where its input is, as is an input's gradient where the output's is."""

from minidl.backends.device_calls import stream, view
from minidl.backends.geometry import conv_output

_SERVED = "fdeE"


def _served(input, *others):
    dtype = input.dtype
    return (
        3 <= input.ndim <= 5
        and dtype.char in _SERVED
        and all(other is None or other.dtype == dtype for other in others)
    )


def _channels_last(array):
    """Whether neighbours in memory are channels, and not pixels as well."""
    strides = array.strides
    return array.shape[1] > 1 and strides[1] == array.itemsize and strides[-1] > strides[1]


def _empty(xp, shape, like):
    """An array (N, C, *size) in the format of ``like``."""
    if not _channels_last(like):
        return xp.empty(shape, like.dtype)
    rank = len(shape)
    return xp.empty((shape[0], *shape[2:], shape[1]), like.dtype).transpose(0, rank - 1, *range(1, rank - 1))


def conv_forward(xp, ext, input, weight, bias, stride, padding, dilation, groups):
    if not _served(input, weight, bias):
        return NotImplemented
    size = conv_output(input.shape[2:], weight.shape[2:], stride, padding, dilation)
    out = _empty(xp, (input.shape[0], weight.shape[0], *size), input)
    arrays = view(input), view(weight), view(bias), view(out)
    ext.conv_forward(*arrays, xp.empty, stride, padding, dilation, groups, stream(xp))
    return out


def conv_input_grad(xp, ext, g, weight, input_shape, stride, padding, dilation, groups):
    if not _served(g, weight):
        return NotImplemented
    out = _empty(xp, input_shape, g)
    arrays = view(g), view(weight), view(out)
    ext.conv_input_grad(*arrays, xp.empty, stride, padding, dilation, groups, stream(xp))
    return out


def conv_weight_grad(xp, ext, g, input, weight_shape, stride, padding, dilation, groups):
    if not _served(g, input):
        return NotImplemented
    out = xp.empty(weight_shape, g.dtype)
    arrays = view(g), view(input), view(out)
    ext.conv_weight_grad(*arrays, xp.empty, stride, padding, dilation, groups, stream(xp))
    return out
