"""Random moves of images while training: flip, rotate, zoom, shift, shear, perspective, crop."""

import math

from minidl import rand
from minidl.keras.layers.affine import FILL_MODES, INTERPOLATIONS, affine, centred, homography, projected
from minidl.keras.layers.image_changes import RandomImages, range_of
from minidl.keras.layers.random_noise import Noise
from minidl.keras.layers.resampling import resized
from minidl.keras.layers.resizing import cropped_to_ratio, cut
from minidl.keras.settings import standardize_data_format
from minidl.ops.create import as_tensor
from minidl.ops.selection import where

__all__ = [
    "RandomCrop", "RandomFlip", "RandomPerspective", "RandomRotation", "RandomShear", "RandomTranslation",
    "RandomZoom",
]  # fmt: skip


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
        self.start(seed, data_format)
        self.keep(mode=mode)

    def draw(self, images):
        """Which images are mirrored, by dimension."""
        axes = [axis for name, axis in (("horizontal", 2), ("vertical", 1)) if name in self.mode]
        return {axis: (self.uniform(images, 0.0, 1.0) < 0.5).reshape(-1, 1, 1, 1) for axis in axes}

    def changed(self, images, drawn):
        """The images, each mirrored or not."""
        for axis, chosen in drawn.items():
            images = where(chosen, images.flip(axis), images)
        return images

    changed_masks = changed


class Moved(RandomImages):
    """What rotation, zoom and translation share: an affine map an image."""

    def _take_borders(self, fill_mode, interpolation, fill_value):
        for name, value, known in (
            ("fill_mode", fill_mode, FILL_MODES),
            ("interpolation", interpolation, INTERPOLATIONS),
        ):
            if value not in known:
                raise NotImplementedError(f"Unknown `{name}` {value}. Expected of one {known}.")
        self.keep(fill_mode=fill_mode, interpolation=interpolation, fill_value=fill_value)

    def draw(self, images):
        """The six numbers of each image's map."""
        return self.numbers(images, *images.shape[1:3])

    def changed(self, images, drawn, interpolation=None):
        """The images moved."""
        return affine(images, drawn, interpolation or self.interpolation, self.fill_mode, self.fill_value)

    def changed_masks(self, masks, drawn):
        """The masks moved, with no values between theirs."""
        return self.changed(masks, drawn, "nearest")


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
        self.start(seed, data_format)
        self.keep(factor=range_of(factor))
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
        self.start(seed, data_format)
        self.ranges = [range_of(height_factor, -1, 10, "height_factor")]
        if width_factor is not None:
            self.ranges.append(range_of(width_factor, -1, 10, "width_factor"))
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
        self.start(seed, data_format)
        self.ranges = [
            range_of(height_factor, name="height_factor"),
            range_of(width_factor, name="width_factor"),
        ]
        self.keep(height_factor=height_factor, width_factor=width_factor)
        self._take_borders(fill_mode, interpolation, fill_value)

    def numbers(self, images, height, width):
        """The maps: shifts."""
        down, right = (self.uniform(images, *pair) for pair in self.ranges)
        one = down * 0 + 1
        return one, one * 0, -right * width, one * 0, one, -down * height


class RandomShear(Moved):
    """Slants images: x + s y and y + t x, with s of ``x_factor``, t of ``y_factor``, to either side.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomShear(0.2, 0.2)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, x_factor=0.0, y_factor=0.0, interpolation="bilinear", fill_mode="reflect", fill_value=0.0,
        data_format=None, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(x_factor=_slant(x_factor, "x_factor"), y_factor=_slant(y_factor, "y_factor"))
        self._take_borders(fill_mode, interpolation, fill_value)

    def numbers(self, images, height, width):
        """The maps: slants, of both axes to the same side."""
        side = where(self.uniform(images, 0.0, 1.0) > 0.5, -1.0, 1.0).to(images.dtype)
        s, t = (side * self.uniform(images, *pair) for pair in (self.x_factor, self.y_factor))
        return s * 0 + 1, s, s * 0, t, s * 0 + 1, s * 0

    def get_config(self):
        config = super().get_config()
        for name in ("x_factor", "y_factor"):  # Keras refuses the pair that it makes of a number
            low, high = config[name]
            config[name] = high if low == -high else (low, high)
        return config


def _slant(value, name):
    pair = value if isinstance(value, (tuple, list)) else (0, value)
    whole = len(pair) == 2 and all(isinstance(v, (int, float)) for v in pair)
    fits = whole and all(0 <= v <= 1 for v in pair)
    if not fits and not (whole and pair[0] == -pair[1] and 0 <= pair[1] <= 1):  # a config's pair of a number
        raise ValueError(
            "The `factor` argument should be a number (or a list of two numbers) in the range [0, 1.0]. "
            f"Received: {name}={value}"
        )
    return tuple(sorted(pair)) if isinstance(value, (tuple, list)) else (-value, value)


class RandomPerspective(RandomImages):
    """Shows images from another side: each corner moves by a share of ``scale`` / 2 of its coordinates at most.

    An image changes with a probability that is drawn of ``factor``, (0, factor) for a number.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomPerspective(scale=0.2)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, factor=1.0, scale=1.0, interpolation="bilinear", fill_value=0.0, seed=None, data_format=None, **kwargs
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.start(seed, data_format)
        if not 0 <= scale <= 1:
            raise ValueError(
                f"The `scale` argument should be a number in the range [0,1]. Received: scale={scale}"
            )
        if interpolation not in INTERPOLATIONS:
            raise NotImplementedError(
                f"Unknown `interpolation` {interpolation}. Expected of one {INTERPOLATIONS}."
            )
        self.keep(
            factor=range_of(factor, 0, 1), scale=scale, interpolation=interpolation, fill_value=fill_value
        )

    def draw(self, images):
        """Which images change, and the numbers of each one's map."""
        chosen = self.chosen(images, self.factor)
        n, height, width = images.shape[:3]
        corners = [[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]
        start = as_tensor(corners, dtype=images.dtype, device=images.device).unsqueeze(0)
        moved = start * (1 + self.scale * (self.drawn(rand, images, (n, 4, 2)) - 0.5))
        return chosen, homography(start.expand(n, 4, 2), moved)

    def changed(self, images, drawn, interpolation=None):
        """The images, each moved or not."""
        chosen, numbers = drawn
        moved = projected(images, numbers, interpolation or self.interpolation, "constant", self.fill_value)
        return where(chosen, moved, images)

    def changed_masks(self, masks, drawn):
        """The masks moved, with no values between theirs."""
        return self.changed(masks, drawn, "nearest")


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
