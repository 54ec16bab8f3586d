"""``keras.ops.image``: functions of images (N, H, W, C) or (H, W, C)."""

import minidl
from minidl.keras.layers.resampling import METHODS, resized
from minidl.keras.ops.operation import floating, operation, tensor
from minidl.keras.settings import standardize_data_format
from minidl.nn import functional as F

__all__ = ["crop_images", "extract_patches", "pad_images", "resize", "rgb_to_grayscale"]


def _first(images, data_format):
    """The dimension of the height."""
    return images.ndim - 2 if standardize_data_format(data_format) == "channels_first" else images.ndim - 3


@operation(name="resize")
def resize(images, size, interpolation="bilinear", antialias=False, data_format=None):
    """Images in another size (height, width).

    >>> from minidl.keras import ops
    >>> ops.image.resize(ops.ones((1, 4, 4, 3)), (8, 8)).shape
    torch.Size([1, 8, 8, 3])
    """
    if interpolation not in METHODS:
        raise ValueError(
            f"Invalid `interpolation` argument. Expected of one {sorted(METHODS)}. Received: {interpolation}"
        )
    images = floating(images)
    return resized(images, tuple(size), interpolation, _first(images, data_format), antialias)


@operation
def rgb_to_grayscale(images, data_format=None):
    """0.2989 R + 0.587 G + 0.114 B, as one channel."""
    images = floating(images)
    axis = -3 if standardize_data_format(data_format) == "channels_first" else -1
    weights = minidl.tensor([0.2989, 0.5870, 0.1140], dtype=images.dtype, device=images.device)
    return (images.movedim(axis, -1) * weights).sum(-1, keepdim=True).movedim(-1, axis)


@operation
def pad_images(
    images, top_padding=None, left_padding=None, bottom_padding=None, right_padding=None, target_height=None,
    target_width=None, data_format=None,
):  # fmt: skip
    """Zeros around images: on the given sides, or up to the target's size."""
    images = tensor(images)
    first = _first(images, data_format)
    top, bottom = _sides(images.shape[first], top_padding, bottom_padding, target_height, 1)
    left, right = _sides(images.shape[first + 1], left_padding, right_padding, target_width, 1)
    widths = (left, right, top, bottom)
    return F.pad(images, widths if first == images.ndim - 2 else (0, 0, *widths))


@operation
def crop_images(
    images, top_cropping=None, left_cropping=None, bottom_cropping=None, right_cropping=None, target_height=None,
    target_width=None, data_format=None,
):  # fmt: skip
    """Images without the given sides, or cut to the target's size."""
    images = tensor(images)
    first = _first(images, data_format)
    top, bottom = _sides(images.shape[first], top_cropping, bottom_cropping, target_height, -1)
    left, right = _sides(images.shape[first + 1], left_cropping, right_cropping, target_width, -1)
    images = images.narrow(first, top, images.shape[first] - top - bottom)
    return images.narrow(first + 1, left, images.shape[first + 1] - left - right)


def _sides(size, before, after, target, sign):
    if target is None:
        return before or 0, after or 0
    both = (target - size) * sign
    if before is None:
        before = both - after if after is not None else both // 2
    return before, both - before


@operation
def extract_patches(images, size, strides=None, dilation_rate=1, padding="valid", data_format=None, **kwargs):
    """The patches of ``size`` of images: (N, rows, columns, height * width * C)."""
    images = floating(images)
    single = images.ndim == 3
    x = images.unsqueeze(0) if single else images
    if standardize_data_format(data_format) == "channels_first":
        x = x.permute(0, 2, 3, 1)
    high, wide = (size, size) if isinstance(size, int) else size
    steps = size if strides is None else strides
    down, right = (steps, steps) if isinstance(steps, int) else steps
    spread = ((high - 1) * dilation_rate + 1, (wide - 1) * dilation_rate + 1)
    if padding == "same":
        total = [max((-(-n // s) - 1) * s + k - n, 0) for n, s, k in zip(x.shape[1:3], (down, right), spread)]
        x = F.pad(x, (0, 0, total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2))
    rows, columns = (x.shape[1] - spread[0]) // down + 1, (x.shape[2] - spread[1]) // right + 1
    parts = [
        x[:, i * dilation_rate : i * dilation_rate + (rows - 1) * down + 1 : down,
          j * dilation_rate : j * dilation_rate + (columns - 1) * right + 1 : right]
        for i in range(high) for j in range(wide)
    ]  # fmt: skip
    out = minidl.cat(parts, -1)
    if standardize_data_format(data_format) == "channels_first":
        out = out.permute(0, 3, 1, 2)
    return out[0] if single else out
