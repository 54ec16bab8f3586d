"""Max pooling in one and two dimensions, float32 and float64. One dimension is two with one row."""

from math import prod

from minidl.backends.device_calls import floats_alike, stream, view
from minidl.backends.geometry import pool_output


def _images(array):
    """An array (N, C, L) as images of one row (a view); images as they are."""
    return array[:, :, None] if array.ndim == 3 else array


def _pairs(*geometry):
    """Geometry of one dimension as that of images of one row: of its four entries, only padding is 0 there."""
    if len(geometry[0]) == 2:
        return geometry
    kernel_size, stride, padding, dilation = geometry
    return (1, *kernel_size), (1, *stride), (0, *padding), (1, *dilation)


def max_pool(xp, ext, input, kernel_size, stride, padding, dilation, ceil_mode):
    if input.ndim not in (3, 4) or not floats_alike(input):
        return NotImplemented
    size = pool_output(input.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    out = xp.empty((*input.shape[:2], *size), input.dtype)
    offsets = xp.empty(out.shape, "uint8" if prod(kernel_size) <= 256 else "int32")
    arrays = view(_images(input)), view(_images(out)), view(_images(offsets))
    ext.max_pool2d(*arrays, *_pairs(kernel_size, stride, padding, dilation), stream(xp))
    return out, offsets


def max_pool_grad(xp, ext, g, offsets, input_shape, kernel_size, stride, padding, dilation):
    if g.ndim not in (3, 4) or not floats_alike(g):
        return NotImplemented
    out = xp.empty(input_shape, g.dtype)
    arrays = view(_images(g)), view(_images(offsets)), view(_images(out))
    ext.max_pool2d_grad(*arrays, *_pairs(kernel_size, stride, padding, dilation), stream(xp))
    return out
