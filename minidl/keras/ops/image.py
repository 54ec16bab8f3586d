"""``keras.ops.image``: functions of images (N, H, W, C) or (H, W, C)."""

import minidl
from minidl.keras.layers.affine import FILL_MODES, INTERPOLATIONS, affine, homography, projected
from minidl.keras.layers.colors import blurred, gaussian_kernel, grayscale
from minidl.keras.layers.colors import hsv_to_rgb as hsv_to_rgb_values
from minidl.keras.layers.colors import rgb_to_hsv as rgb_to_hsv_values
from minidl.keras.layers.resampling import METHODS, resized
from minidl.keras.layers.resizing import cropped_to_ratio, padded_to_ratio
from minidl.keras.ops.operation import floating, operation, tensor
from minidl.keras.settings import standardize_data_format
from minidl.nn import functional as F

__all__ = [
    "affine_transform", "crop_images", "extract_patches", "gaussian_blur", "hsv_to_rgb", "pad_images",
    "perspective_transform", "resize", "rgb_to_grayscale", "rgb_to_hsv",
]  # fmt: skip


def _first(images, data_format):
    """The dimension of the height."""
    return images.ndim - 2 if standardize_data_format(data_format) == "channels_first" else images.ndim - 3


@operation(name="resize")
def resize(
    images, size, interpolation="bilinear", antialias=False, crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
    fill_mode="constant", fill_value=0.0, data_format=None,
):  # fmt: skip
    """Images in another size (height, width); ``crop_to_aspect_ratio`` cuts what does not fit, ``pad_...`` adds to it.

    >>> from minidl.keras import ops
    >>> ops.image.resize(ops.ones((1, 4, 4, 3)), (8, 8)).shape
    torch.Size([1, 8, 8, 3])
    """
    if interpolation not in METHODS:
        raise ValueError(
            f"Invalid `interpolation` argument. Expected of one {sorted(METHODS)}. Received: {interpolation}"
        )
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError("Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`.")
    if fill_mode != "constant":
        raise ValueError(
            f"Invalid `fill_mode` argument. Only `'constant'` is supported. Received: {fill_mode}"
        )
    images, size = floating(images), tuple(size)
    first = _first(images, data_format)
    if crop_to_aspect_ratio:
        images = cropped_to_ratio(images, first, *size)
    elif pad_to_aspect_ratio:
        images = padded_to_ratio(images, first, *size, fill_value)
    return resized(images, size, interpolation, first, antialias)


@operation
def rgb_to_grayscale(images, data_format=None):
    """0.2989 R + 0.587 G + 0.114 B, as one channel; images of one channel as they are."""
    return _recoloured(grayscale, floating(images), data_format, (1, 3))


def _recoloured(change, images, data_format, channels=(3,)):
    axis = -3 if standardize_data_format(data_format) == "channels_first" else -1
    if images.ndim not in (3, 4):
        raise ValueError(
            "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). Received input with "
            f"shape: images.shape={tuple(images.shape)}"
        )
    if images.shape[axis] not in channels:
        raise ValueError(
            "Invalid channel size: expected 3 (RGB)"
            f"{' or 1 (Grayscale)' if 1 in channels else ''}. Received input with shape: "
            f"images.shape={tuple(images.shape)}"
        )
    return change(images.movedim(axis, -1)).movedim(-1, axis)


@operation
def rgb_to_hsv(images, data_format=None):
    """Hue and saturation in [0, 1], and the value, of red, green and blue.

    >>> from minidl.keras import ops
    >>> ops.image.rgb_to_hsv(ops.array([[[0.0, 1.0, 0.0]]])).tolist()
    [[[0.3333333432674408, 1.0, 1.0]]]
    """
    return _recoloured(rgb_to_hsv_values, _real(images), data_format)


@operation
def hsv_to_rgb(images, data_format=None):
    """Red, green and blue of hue, saturation and value."""
    return _recoloured(hsv_to_rgb_values, _real(images), data_format)


def _real(images):
    images = tensor(images)
    if not images.is_floating_point():
        raise ValueError(
            f"Invalid images dtype: expected float dtype. Received: images.dtype={images.dtype.name}"
        )
    return images


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


def _moved(images, data_format, move):
    """``move`` of (N, H, W, C) images, put back in their own layout."""
    images = floating(images)
    if images.ndim not in (3, 4):
        raise ValueError(
            "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). Received input with "
            f"shape: images.shape={tuple(images.shape)}"
        )
    single, first = images.ndim == 3, standardize_data_format(data_format) == "channels_first"
    x = images.unsqueeze(0) if single else images
    x = move(x.permute(0, 2, 3, 1) if first else x)
    x = x.permute(0, 3, 1, 2) if first else x
    return x.squeeze(0) if single else x


def _known(name, value, names):
    if value not in names:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected of one {set(names)}. Received: {name}={value}"
        )


@operation
def affine_transform(
    images, transform, interpolation="bilinear", fill_mode="constant", fill_value=0, data_format=None
):  # fmt: skip
    """Images whose pixel (x, y) is the input's at (a x + b y + e, c x + d y + f) / (g x + h y + 1).

    ``transform`` (8,) or (N, 8) holds a, b, e, c, d, f, g, h; g and h are not read, as in Keras.
    """
    _known("interpolation", interpolation, INTERPOLATIONS)
    _known("fill_mode", fill_mode, FILL_MODES)
    numbers = floating(transform)
    numbers = numbers.unsqueeze(0) if numbers.ndim == 1 else numbers

    def move(x):
        each = numbers.to(x.dtype).expand(x.shape[0], 8)
        return affine(x, [each[:, i] for i in range(6)], interpolation, fill_mode, fill_value)

    return _moved(images, data_format, move)


@operation
def perspective_transform(
    images, start_points, end_points, interpolation="bilinear", fill_value=0, data_format=None
):  # fmt: skip
    """Images moved so that the four ``start_points`` come to ``end_points``, (4, 2) or (N, 4, 2), x before y."""
    _known("interpolation", interpolation, INTERPOLATIONS)
    start, end = (floating(points) for points in (start_points, end_points))
    if start.shape != end.shape or tuple(start.shape[-2:]) != (4, 2) or start.ndim not in (2, 3):
        raise ValueError(
            "Invalid start_points shape: expected (4,2) for a single image or (N,4,2) for a batch, and the same for "
            f"end_points. Received shapes: {tuple(start.shape)}, {tuple(end.shape)}"
        )
    start, end = (p.unsqueeze(0) if p.ndim == 2 else p for p in (start, end))

    def move(x):
        points = (p.to(x.dtype).expand(x.shape[0], 4, 2) for p in (start, end))
        return projected(x, homography(*points), interpolation, "constant", fill_value)

    return _moved(images, data_format, move)


@operation
def gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    """Images weighted by a Gaussian of ``kernel_size`` and widths ``sigma``, each (x, y), with zeros around."""
    widths = floating(sigma)
    return _moved(images, data_format, lambda x: blurred(x, gaussian_kernel(tuple(kernel_size), widths, x)))
