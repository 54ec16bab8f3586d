"""Convolution in one to three dimensions: implicit GEMM and depthwise kernels. Memory format is strides: an
output is channels-last where its input is, as is an input's gradient where the output's is. Kernels of one element on
channels-last images are products of matrices."""

from math import prod

from minidl.backends.device_calls import empty_images, matmul_rounding, multiply, stream, view
from minidl.backends.geometry import conv_output

_SERVED = "fdeE"


def _served(input, *others):
    dtype = input.dtype
    return (
        3 <= input.ndim <= 5
        and dtype.char in _SERVED
        and all(other is None or other.dtype == dtype for other in others)
    )


def _as_rows(array):
    """The view of a dense channels-last array (N, C, *size) as a matrix (pixels, C), or None."""
    address, char, shape, strides = view(array)
    item, channels = array.itemsize, shape[1]
    if array.size == 0 or strides[1] != item:
        return None
    step = item * channels
    for axis in (*range(len(shape) - 1, 1, -1), 0):
        if shape[axis] != 1 and strides[axis] != step:
            return None
        step *= shape[axis]
    return address, char, (array.size // channels, channels), (item * channels, item)


def _turned(matrix):
    address, char, shape, strides = matrix
    return address, char, shape[::-1], strides[::-1]


def _pointwise(dtype, kernel, stride, padding, groups):
    """Whether every pixel is multiplied by the same matrix, in the precision that convolution has."""
    exact = dtype.char != "f" or not matmul_rounding["tf32"]
    return exact and groups == 1 and prod(kernel) == prod(stride) == 1 and not any(padding)


def _pixels_times(xp, ext, images, matrix, bias):
    """(N, K, *size) in channels-last format: every pixel of images (N, C, *size) times a matrix (C, K), or None."""
    rows = _as_rows(images)
    if rows is None or matrix[2][1] == 0:
        return None
    out = xp.empty((rows[2][0], matrix[2][1]), images.dtype)
    multiply(xp, ext, rows, matrix, out, view(bias))
    rank = images.ndim
    dense = out.reshape(images.shape[0], *images.shape[2:], matrix[2][1])
    return dense.transpose(0, rank - 1, *range(1, rank - 1))


def _as_matrix(weight):
    """The view of a weight (K, C, 1, ...) as a matrix (K, C)."""
    address, char, shape, strides = view(weight)
    return address, char, shape[:2], strides[:2]


def conv_forward(xp, ext, input, weight, bias, stride, padding, dilation, groups):
    if not _served(input, weight, bias):
        return NotImplemented
    if _pointwise(input.dtype, weight.shape[2:], stride, padding, groups):
        out = _pixels_times(xp, ext, input, _turned(_as_matrix(weight)), bias)
        if out is not None:
            return out
    size = conv_output(input.shape[2:], weight.shape[2:], stride, padding, dilation)
    out = empty_images(xp, (input.shape[0], weight.shape[0], *size), input)
    arrays = view(input), view(weight), view(bias), view(out)
    ext.conv_forward(*arrays, xp.empty, stride, padding, dilation, groups, stream(xp))
    return out


def conv_input_grad(xp, ext, g, weight, input_shape, stride, padding, dilation, groups):
    if not _served(g, weight):
        return NotImplemented
    if _pointwise(g.dtype, weight.shape[2:], stride, padding, groups):
        out = _pixels_times(xp, ext, g, _as_matrix(weight), None)
        if out is not None:
            return out
    out = empty_images(xp, input_shape, g)
    arrays = view(g), view(weight), view(out)
    ext.conv_input_grad(*arrays, xp.empty, stride, padding, dilation, groups, stream(xp))
    return out


def conv_weight_grad(xp, ext, g, input, weight_shape, stride, padding, dilation, groups):
    if not _served(g, input):
        return NotImplemented
    out = xp.empty(weight_shape, g.dtype)
    if _pointwise(g.dtype, weight_shape[2:], stride, padding, groups):
        rows, columns = _as_rows(g), _as_rows(input)
        if rows and columns:
            multiply(xp, ext, _turned(rows), columns, out.reshape(weight_shape[:2]))
            return out
    arrays = view(g), view(input), view(out)
    ext.conv_weight_grad(*arrays, xp.empty, stride, padding, dilation, groups, stream(xp))
    return out
