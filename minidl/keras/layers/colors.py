"""Colours of images (..., 3): grey, hue-saturation-value and back, equalised, smoothed."""

from minidl import finfo
from minidl.nn import functional as F
from minidl.ops.create import arange, as_tensor
from minidl.ops.joining import stack
from minidl.ops.search import bincount
from minidl.ops.selection import where

__all__ = ["blurred", "equalized", "gaussian_kernel", "grayscale", "hsv_to_rgb", "rescaled", "rgb_to_hsv"]


def rescaled(images, source, target):
    """Values of the range ``source`` brought to the range ``target``."""
    if tuple(source) == tuple(target):
        return images
    return (images - source[0]) / (source[1] - source[0]) * (target[1] - target[0]) + target[0]


def grayscale(images):
    """0.2989 R + 0.587 G + 0.114 B, (..., 1); images of one channel as they are."""
    if images.shape[-1] == 1:
        return images
    weights = as_tensor([0.2989, 0.5870, 0.1140], dtype=images.dtype, device=images.device)
    return (images * weights).sum(-1, keepdim=True)


def rgb_to_hsv(images):
    """Hue and saturation in [0, 1], and the value, the greatest of the three, in the range of the images."""
    images = where(images.abs() < finfo(images.dtype).eps, images * 0, images)
    red, green, blue = images.unbind(-1)
    value, low = images.amax(-1), images.amin(-1)
    spread = value - low
    saturation = where(value > 0, spread / where(value > 0, value, 1.0), 0.0)
    sixth = 1 / (6 * where(spread > 0, spread, 1.0))
    hue = where(value == green, sixth * (blue - red) + 1 / 3, sixth * (red - green) + 2 / 3)
    hue = where(value == red, sixth * (green - blue), hue)
    hue = where(spread > 0, hue, 0.0)
    return stack((where(hue < 0, hue + 1, hue), saturation, value), -1)


def hsv_to_rgb(images):
    """Red, green and blue of hue, which goes round at 1, saturation and value."""
    hue, saturation, value = images.unbind(-1)
    around = hue % 1 * 6
    shares = ((around - 3).abs() - 1, 2 - (around - 2).abs(), 2 - (around - 4).abs())
    return stack([value * (1 - saturation + saturation * share.clamp(0, 1)) for share in shares], -1)


def equalized(images, bins):
    """Images (N, H, W, C) of [0, 255] whose values are spread evenly: each channel by its histogram in the batch.

    A value becomes its share of the values that are not below it; a channel of one value stays. Source: R. Hummel,
    "Image enhancement by histogram transformation", 1977.
    """
    channels = images.shape[-1]
    apart = arange(channels, device=images.device) * bins
    counted = (images * (bins - 1) / 255).long().clamp(0, bins - 1) + apart
    counts = bincount(counted.reshape(-1), minlength=bins * channels).reshape(channels, bins)
    total = counts.cumsum(1)
    least = where(total > 0, total, total[:, -1:]).amin(1, keepdim=True)
    below = total[:, -1:] - least
    table = ((total - least).to(images.dtype) * 255 / where(below == 0, 1, below).to(images.dtype)).round()
    place = (images / 255 * (bins - 1)).clamp(0, bins - 1).long() + apart
    spread = table.clamp(0, 255).reshape(-1)[place.reshape(-1)].reshape(images.shape)
    return where((counts > 0).sum(1) <= 1, images, spread)


def gaussian_kernel(sizes, sigmas, like):
    """The weights (rows, columns) of a Gaussian of ``sigmas``, each axis of (x, y), with sum 1."""
    parts = []
    for size, sigma in zip(sizes, sigmas):
        x = arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
        weights = (-0.5 * (x / sigma).square()).exp()
        parts.append(weights / weights.sum())
    return parts[1].unsqueeze(1) * parts[0].unsqueeze(0)


def blurred(images, kernel):
    """Images (N, H, W, C), every channel weighted by ``kernel`` (rows, columns), with zeros around."""
    channels = images.shape[-1]
    rows, columns = kernel.shape
    weight = kernel.reshape(1, 1, rows, columns).expand(channels, 1, rows, columns)
    moved = images.permute(0, 3, 1, 2)
    return F.conv2d(moved, weight, padding=(rows // 2, columns // 2), groups=channels).permute(0, 2, 3, 1)
