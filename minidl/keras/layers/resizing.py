"""Layers that give images another size: Resizing, CenterCrop."""

from minidl.keras.layers.arguments import Described
from minidl.keras.layers.resampling import METHODS, resized
from minidl.keras.settings import standardize_data_format
from minidl.nn import functional as F

__all__ = ["CenterCrop", "Resizing"]


class ImageLayer(Described):
    """What layers of images share: (N, H, W, C) or (H, W, C), or channels first."""

    takes_integers = True

    def set_format(self, data_format):
        """Keeps the data format."""
        self.keep(data_format=standardize_data_format(data_format))
        self.built = True

    def first(self, ndim):
        """The dimension of the height; the width's is the next."""
        return ndim - 2 if self.data_format == "channels_first" else ndim - 3

    def compute_output_shape(self, input_shape):
        shape, first = list(input_shape), self.first(len(input_shape))
        shape[first : first + 2] = [self.height, self.width]
        return tuple(shape)


def cut(x, first, top, left, height, width):
    """The part of the images that begins at (top, left)."""
    return x.narrow(first, top, height).narrow(first + 1, left, width)


def cropped_to_ratio(x, first, height, width):
    """The largest part, in the middle, with the sides' ratio height to width."""
    h, w = x.shape[first : first + 2]
    high = min(int(w * height / width), h) or h
    wide = min(int(h * width / height), w) or w
    return cut(x, first, int((h - high) / 2), int((w - wide) / 2), high, wide)


def padded_to_ratio(x, first, height, width, fill_value):
    """The images with ``fill_value`` around, up to the sides' ratio height to width."""
    h, w = x.shape[first : first + 2]
    high, wide = max(int(w * height / width), h), max(int(h * width / height), w)
    top, left = int((high - h) / 2), int((wide - w) / 2)
    widths = (left, left, top, top)  # Keras' borders are alike, an odd pixel is not added
    return F.pad(x, widths if first == x.ndim - 2 else (0, 0, *widths), value=fill_value)


class Resizing(ImageLayer):
    """Images in the size (height, width): 'bilinear', 'nearest', 'bicubic', 'lanczos3' or 'lanczos5'.

    ``crop_to_aspect_ratio`` cuts the sides off that do not fit, ``pad_to_aspect_ratio`` adds ``fill_value`` around;
    otherwise the image is distorted. ``antialias`` smooths when it shrinks. Source: Keras' ``Resizing``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Resizing(4, 6)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 4, 6, 3])
    """

    def __init__(
        self, height, width, interpolation="bilinear", crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
        fill_mode="constant", fill_value=0.0, antialias=False, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if interpolation not in METHODS:
            raise ValueError(f"interpolation must be one of {sorted(METHODS)}, but got {interpolation!r}")
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError("Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be `True`.")
        if fill_mode != "constant":
            raise ValueError(f"Only fill_mode='constant' is supported, but got {fill_mode!r}")
        self.set_format(data_format)
        self.keep(
            height=height, width=width, interpolation=interpolation, crop_to_aspect_ratio=crop_to_aspect_ratio,
            pad_to_aspect_ratio=pad_to_aspect_ratio, fill_mode=fill_mode, fill_value=fill_value,
            antialias=antialias,
        )  # fmt: skip

    def call(self, data, training=True):
        first = self.first(data.ndim)
        if self.crop_to_aspect_ratio:
            data = cropped_to_ratio(data, first, self.height, self.width)
        elif self.pad_to_aspect_ratio:
            data = padded_to_ratio(data, first, self.height, self.width, self.fill_value)
        return resized(data, (self.height, self.width), self.interpolation, first, self.antialias)


class CenterCrop(ImageLayer):
    """The middle (height, width) of images; smaller ones are resized to it, keeping the sides' ratio.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.CenterCrop(4, 6)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 4, 6, 3])
    """

    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.set_format(data_format)
        self.keep(height=height, width=width)

    def call(self, inputs):
        first = self.first(inputs.ndim)
        h, w = inputs.shape[first : first + 2]
        if h >= self.height and w >= self.width:
            return cut(inputs, first, (h - self.height) // 2, (w - self.width) // 2, self.height, self.width)
        part = cropped_to_ratio(inputs, first, self.height, self.width)
        return resized(part, (self.height, self.width), "bilinear", first)
