"""Normalisation over neighbouring channels, and pooling by a power mean."""

import functools

import numpy as np

from minidl import dtypes
from minidl.autograd import function
from minidl.ops.pool import avg_pool1d, avg_pool2d, avg_pool3d
from minidl.ops.resample import Taps, resample
from minidl.ops.selection import where
from minidl.ops.windows import refuse_dtype


@functools.lru_cache(64)
def _neighbours(channels, size):
    """The mean over ``size`` channels around each, of which those outside count as zeros."""
    parts = []
    for offset in range(-(size // 2), (size - 1) // 2 + 1):
        here = np.arange(max(0, -offset), min(channels, channels - offset))
        if len(here):
            parts.append((here + offset, np.full(len(here), 1 / size), here))
    return Taps(channels, channels, parts)


@function(faces=("functional",), method=False, tensors="input")
def local_response_norm(input, size, alpha=0.0001, beta=0.75, k=1.0):
    """y[n, c] = x[n, c] / (k + alpha / size * sum over ``size`` neighbouring channels of x^2)^beta.

    The neighbours of c are c - floor(size / 2) to c + floor((size - 1) / 2), where they exist. Shapes: input (N, C, *)
    with at least one more dimension, output as input. Floating point.

    Raises ``ValueError`` for fewer than three dimensions, ``RuntimeError`` for a size below 1.
    Source: A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural networks",
    2012; ``torch.nn.functional.local_response_norm``.

    >>> import minidl
    >>> minidl.nn.functional.local_response_norm(minidl.ones(1, 2, 1), 2, alpha=2.0, beta=1.0)
    tensor([[[0.5000],
             [0.3333]]])
    """
    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {input.ndim} dimensions)"
        )
    if size <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got kH: {size} kW: 1")
    if input.dtype is not dtypes.int64:
        refuse_dtype(input, "avg_pool2d", "biu")
    if not input.numel():
        return input
    wide = input if input.is_floating_point() else input.double()
    mean = resample(wide * wide, 1, _neighbours(input.shape[1], size))
    mean = mean if input.is_floating_point() else mean.long()
    return input / (mean * alpha + k) ** beta


def _lp(pool, input, norm_type, kernel_size, stride, ceil_mode, rank):
    if isinstance(kernel_size, (tuple, list)):
        if len(kernel_size) != rank:
            few = "not enough" if len(kernel_size) < rank else "too many"
            got = f", got {len(kernel_size)}" if len(kernel_size) < rank else ""
            raise ValueError(f"{few} values to unpack (expected {rank}{got})")
        count = int(np.prod(kernel_size))
    else:
        count = kernel_size**rank
    mean = pool(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return (where(mean != 0, mean, 0.0) * count).pow(1.0 / norm_type)  # no gradient where the mean is 0


@function(faces=("functional",), method=False, tensors="input")
def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of x^p over every window)^(1/p), p = ``norm_type``: p = 1 is the sum, large p nears the maximum.

    Shapes: input (N, C, L) or (C, L), output (N, C, M) or (C, M), M as in ``avg_pool1d``. ``stride`` is ``kernel_size``
    by default. Where the sum of a window is 0, the gradient is 0.

    Raises ``RuntimeError`` for settings that do not fit. Source: ``torch.nn.functional.lp_pool1d``.

    >>> import minidl
    >>> minidl.nn.functional.lp_pool1d(minidl.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    size = kernel_size[0] if isinstance(kernel_size, (tuple, list)) else kernel_size
    return _lp(avg_pool1d, input, norm_type, size, stride, ceil_mode, 1)


@function(faces=("functional",), method=False, tensors="input")
def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """``lp_pool1d`` of images. Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q).

    ``kernel_size`` and ``stride`` are ints or pairs. Source: ``torch.nn.functional.lp_pool2d``.

    >>> import minidl
    >>> minidl.nn.functional.lp_pool2d(minidl.ones(1, 4, 4), 2, 2)
    tensor([[[2., 2.],
             [2., 2.]]])
    """
    return _lp(avg_pool2d, input, norm_type, kernel_size, stride, ceil_mode, 2)


@function(faces=("functional",), method=False, tensors="input")
def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """``lp_pool1d`` of volumes. Shapes: input (N, C, D, H, W) or (C, D, H, W), output with the windows' sizes.

    ``kernel_size`` and ``stride`` are ints or triples. Source: ``torch.nn.functional.lp_pool3d``.

    >>> import minidl
    >>> minidl.nn.functional.lp_pool3d(minidl.ones(1, 2, 2, 2), 3, 2)
    tensor([[[[2.]]]])
    """
    return _lp(avg_pool3d, input, norm_type, kernel_size, stride, ceil_mode, 3)
