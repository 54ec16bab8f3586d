"""Convolution in one and two dimensions, float32 and float64, by direct kernels. One dimension is two with one row."""

from minidl.backends.device_calls import floats_alike, stream, view
from minidl.backends.geometry import conv_output


def _images(array):
    """An array (N, C, L) as images of one row (a view); images as they are."""
    return array[:, :, None] if array.ndim == 3 else array


def _pairs(stride, padding, dilation):
    """Geometry of one dimension as that of images of one row."""
    return [stride, padding, dilation] if len(stride) == 2 else [(1, *stride), (0, *padding), (1, *dilation)]


def _served(input, *others):
    return input.ndim in (3, 4) and floats_alike(input, *others)


def conv_forward(xp, ext, input, weight, bias, stride, padding, dilation, groups):
    if not _served(input, weight, bias):
        return NotImplemented
    size = conv_output(input.shape[2:], weight.shape[2:], stride, padding, dilation)
    out = xp.empty((len(input), len(weight), *size), input.dtype)
    arrays = view(_images(input)), view(_images(weight)), view(bias), view(_images(out))
    ext.conv2d_forward(*arrays, *_pairs(stride, padding, dilation), groups, stream(xp))
    return out


def conv_input_grad(xp, ext, g, weight, input_shape, stride, padding, dilation, groups):
    if not _served(g, weight):
        return NotImplemented
    out = xp.empty(input_shape, g.dtype)
    arrays = view(_images(g)), view(_images(weight)), view(_images(out))
    ext.conv2d_input_grad(*arrays, *_pairs(stride, padding, dilation), groups, stream(xp))
    return out


def conv_weight_grad(xp, ext, g, input, weight_shape, stride, padding, dilation, groups):
    if not _served(g, input):
        return NotImplemented
    out = xp.empty(weight_shape, g.dtype)
    arrays = view(_images(g)), view(_images(input)), view(_images(out))
    ext.conv2d_weight_grad(*arrays, *_pairs(stride, padding, dilation), groups, stream(xp))
    return out
