"""Random changes of images while training: flip, rotate, zoom, shift, crop, contrast, brightness."""

import math

from minidl import rand
from minidl.keras.layers.affine import FILL_MODES, INTERPOLATIONS, affine, centred
from minidl.keras.layers.random_noise import Noise
from minidl.keras.layers.resampling import resized
from minidl.keras.layers.resizing import cropped_to_ratio, cut
from minidl.keras.settings import standardize_data_format
from minidl.ops.selection import where

__all__ = [
    "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation", "RandomTranslation",
    "RandomZoom",
]  # fmt: skip


class RandomImages(Noise):
    """What the layers share: they change (N, H, W, C) or (H, W, C) in training, each image by its own draw."""

    takes_integers = True

    def _start(self, seed, data_format):
        self.keep(data_format=standardize_data_format(data_format), seed=seed)
        self.built = True

    def call(self, data, training=True):
        if not training:
            return data
        first = self.data_format == "channels_first"
        images = data if data.ndim == 4 else data.unsqueeze(0)
        images = images.permute(0, 2, 3, 1) if first else images
        out = self.changed(images)
        out = out.permute(0, 3, 1, 2) if first else out
        return out if data.ndim == 4 else out.squeeze(0)

    def uniform(self, images, low, high):
        """A number of [low, high) an image."""
        return low + (high - low) * self.drawn(rand, images, (images.shape[0],))


def _factor(value, low=-1.0, high=1.0, symmetric=True):
    """A factor as (lower, upper). ``ValueError`` outside [low, high]."""
    if isinstance(value, (tuple, list)):
        pair = tuple(value)
    else:
        pair = (-abs(value), abs(value)) if symmetric else (0, abs(value))
    if len(pair) != 2 or pair[0] > pair[1] or pair[0] < low or pair[1] > high:
        raise ValueError(
            "The `factor` argument should be a number (or a list of two numbers) in the range "
            f"[{low}, {high}]. Received: factor={value}"
        )
    return pair


class RandomFlip(RandomImages):
    """Mirrors images at random: 'horizontal', 'vertical' or 'horizontal_and_vertical'.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomFlip("horizontal")(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(self, mode="horizontal_and_vertical", seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(
                f"Unknown `mode` argument: {mode}: one of 'horizontal', 'vertical', 'horizontal_and_vertical'"
            )
        self._start(seed, data_format)
        self.keep(mode=mode)

    def changed(self, images):
        """The images, each mirrored or not."""
        for name, axis in (("horizontal", 2), ("vertical", 1)):
            if name in self.mode:
                chosen = self.uniform(images, 0.0, 1.0) < 0.5
                images = where(chosen.reshape(-1, 1, 1, 1), images.flip(axis), images)
        return images


class Moved(RandomImages):
    """What rotation, zoom and translation share: an affine map an image."""

    def _take_borders(self, fill_mode, interpolation, fill_value):
        if fill_mode not in FILL_MODES:
            raise ValueError(f"Unknown `fill_mode` {fill_mode}. Expected of one {set(FILL_MODES)}.")
        if interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"Unknown `interpolation` {interpolation}. Expected of one {set(INTERPOLATIONS)}."
            )
        self.keep(fill_mode=fill_mode, interpolation=interpolation, fill_value=fill_value)

    def changed(self, images):
        """The images moved."""
        numbers = self.numbers(images, *images.shape[1:3])
        return affine(images, numbers, self.interpolation, self.fill_mode, self.fill_value)


class RandomRotation(Moved):
    """Turns images about their centre by an angle of 2 pi [-factor, factor], or of 2 pi ``factor`` = (lower, upper).

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomRotation(0.1)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, factor, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0, data_format=None,
        **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._start(seed, data_format)
        self.keep(factor=_factor(factor))
        self._take_borders(fill_mode, interpolation, fill_value)

    def numbers(self, images, height, width):
        """The maps: rotations about the centre."""
        angle = 2 * math.pi * self.uniform(images, *self.factor)
        sin, cos = angle.sin(), angle.cos()
        return centred(cos, -sin, sin, cos, height, width)


class RandomZoom(Moved):
    """Shows images (1 + z) times as far away, z of [-factor, factor]; height and width alike unless both are given.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomZoom(0.2)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, height_factor, width_factor=None, fill_mode="reflect", interpolation="bilinear", seed=None,
        fill_value=0.0, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._start(seed, data_format)
        self.ranges = [_factor(height_factor, -1.0, 10.0)]
        if width_factor is not None:
            self.ranges.append(_factor(width_factor, -1.0, 10.0))
        self.keep(height_factor=height_factor, width_factor=width_factor)
        self._take_borders(fill_mode, interpolation, fill_value)

    def numbers(self, images, height, width):
        """The maps: scalings about the centre."""
        high, *wide = (1 + self.uniform(images, *pair) for pair in self.ranges)
        wide = wide[0] if wide else high
        return centred(wide, wide * 0, wide * 0, high, height, width)


class RandomTranslation(Moved):
    """Shifts images down by a share of the height of [-height_factor, height_factor], and right likewise.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomTranslation(0.1, 0.1)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, height_factor, width_factor, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0,
        data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._start(seed, data_format)
        self.ranges = [_factor(height_factor), _factor(width_factor)]
        self.keep(height_factor=height_factor, width_factor=width_factor)
        self._take_borders(fill_mode, interpolation, fill_value)

    def numbers(self, images, height, width):
        """The maps: shifts."""
        down, right = (self.uniform(images, *pair) for pair in self.ranges)
        one = down * 0 + 1
        return one, one * 0, -right * width, one * 0, one, -down * height


class RandomContrast(RandomImages):
    """(x - mean) f + mean for each channel, with f of [1 - lower, 1 + upper), cut to ``value_range``."""

    def __init__(self, factor, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self._start(seed, data_format)
        self.keep(factor=_factor(factor, 0.0, 1.0, symmetric=False), value_range=tuple(value_range))

    def changed(self, images):
        """The images with another contrast."""
        lower, upper = self.factor
        f = self.uniform(images, 1 - lower, 1 + upper).reshape(-1, 1, 1, 1)
        mean = images.mean((1, 2), True)
        return ((images - mean) * f + mean).clamp(*self.value_range)


class RandomBrightness(RandomImages):
    """Adds a share of ``value_range``, of [-factor, factor], to each image, cut to the range."""

    def __init__(self, factor, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self._start(seed, data_format)
        self.keep(factor=_factor(factor), value_range=tuple(value_range))

    def changed(self, images):
        """The images brighter or darker."""
        low, high = self.value_range
        shift = self.uniform(images, *self.factor) * (high - low)
        return (images + shift.reshape(-1, 1, 1, 1)).clamp(low, high)


class RandomCrop(Noise):
    """A random (height, width) part of images in training, the middle otherwise; smaller images are enlarged.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomCrop(4, 4)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 4, 4, 3])
    """

    def __init__(self, height, width, seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.keep(data_format=standardize_data_format(data_format), height=height, width=width, seed=seed)
        self.built = True

    def first(self, ndim):
        """The dimension of the height."""
        return ndim - 2 if self.data_format == "channels_first" else ndim - 3

    def call(self, data, training=True):
        first = self.first(data.ndim)
        h, w = data.shape[first : first + 2]
        if h < self.height or w < self.width or not training:
            part = cropped_to_ratio(data, first, self.height, self.width)
            return resized(part, (self.height, self.width), "bilinear", first)
        down, right = self.drawn(rand, data, (2,)).tolist()
        top, left = int(down * (h - self.height + 1)), int(right * (w - self.width + 1))
        return cut(data, first, top, left, self.height, self.width)

    def compute_output_shape(self, input_shape):
        shape, first = list(input_shape), self.first(len(input_shape))
        shape[first : first + 2] = [self.height, self.width]
        return tuple(shape)
