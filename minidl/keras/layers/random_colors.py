"""Random changes of colours while training: contrast, brightness, hue, saturation, grey, negatives, few levels."""

from minidl import randint
from minidl.keras.layers.colors import equalized, grayscale, hsv_to_rgb, rescaled, rgb_to_hsv
from minidl.keras.layers.image_changes import RandomImages, range_of, value_range_of
from minidl.keras.settings import epsilon
from minidl.ops.create import full
from minidl.ops.joining import stack
from minidl.ops.selection import where

__all__ = [
    "AutoContrast", "Equalization", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter",
    "RandomContrast", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPosterization", "RandomSaturation",
    "Solarization",
]  # fmt: skip

BYTES = (0, 255)


def _spread(numbers):
    """A number an image, (N, 1, 1, 1)."""
    return numbers.reshape(-1, 1, 1, 1)


class RandomContrast(RandomImages):
    """(x - mean) f + mean for each channel, with f of [1 - lower, 1 + upper), cut to ``value_range``."""

    def __init__(self, factor, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(factor=range_of(factor, 0, 1), value_range=tuple(value_range))

    def draw(self, images):
        """The factors."""
        return _spread(self.uniform(images, 1 - self.factor[0], 1 + self.factor[1]))

    def changed(self, images, drawn):
        """The images with another contrast."""
        mean = images.mean((1, 2), True)
        return ((images - mean) * drawn + mean).clamp(*self.value_range)


class RandomBrightness(RandomImages):
    """Adds a share of ``value_range``, of [-factor, factor], to each image, cut to the range."""

    def __init__(self, factor, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(factor=range_of(factor), value_range=tuple(value_range))

    def draw(self, images):
        """What is added."""
        low, high = self.value_range
        return _spread(self.uniform(images, *self.factor) * (high - low))

    def changed(self, images, drawn):
        """The images brighter or darker."""
        return (images + drawn).clamp(*self.value_range)


class RandomHue(RandomImages):
    """Turns the hue by f / 2 of a turn to either side, f of ``factor``, (0, factor) for a number.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomHue((1.0, 1.0))(np.array([[[255.0, 0.0, 0.0]]])).tolist()  # red, to cyan
    [[[0.0, 255.0, 255.0]]]
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(factor=range_of(factor, 0, 1), value_range=value_range)

    def draw(self, images):
        """The turns."""
        side = where(self.uniform(images, 0.0, 1.0) > 0.5, -0.5, 0.5).to(images.dtype)
        return side * self.uniform(images, *self.factor)

    def changed(self, images, drawn):
        """The images with other hues."""
        hue, *others = rgb_to_hsv(rescaled(images, self.value_range, (0, 1))).unbind(-1)
        turned = stack((hue + drawn.reshape(-1, 1, 1), *others), -1)
        return rescaled(hsv_to_rgb(turned).clamp(0, 1), (0, 1), self.value_range)


class RandomSaturation(RandomImages):
    """Multiplies the saturation by f / (1 - f), f of ``factor``: 0.5 changes nothing, 0 leaves grey.

    As Keras does, the product is cut to ``value_range`` and not to 1, so values may leave the range.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomSaturation((0.0, 0.0))(np.array([[[255.0, 0.0, 0.0]]])).tolist()
    [[[255.0, 255.0, 255.0]]]
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(factor=range_of(factor), value_range=value_range_of(value_range))

    def draw(self, images):
        """The factors."""
        f = self.uniform(images, *self.factor)
        return (f / (1 - f + epsilon())).reshape(-1, 1, 1)

    def changed(self, images, drawn):
        """The images with other saturations."""
        hue, saturation, value = rgb_to_hsv(images).unbind(-1)
        return hsv_to_rgb(stack((hue, (saturation * drawn).clamp(*self.value_range), value), -1))


class RandomColorJitter(RandomImages):
    """Changes brightness, contrast, saturation and hue, each where its factor is given, in this order.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomColorJitter(brightness_factor=0.2, hue_factor=0.1)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, value_range=(0, 255), brightness_factor=None, contrast_factor=None, saturation_factor=None,
        hue_factor=None, seed=None, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.start(seed, data_format)
        factors = {
            "brightness": brightness_factor, "contrast": contrast_factor, "saturation": saturation_factor,
            "hue": hue_factor,
        }  # fmt: skip
        self.keep(value_range=value_range, **{f"{name}_factor": factor for name, factor in factors.items()})
        kinds = (RandomBrightness, RandomContrast, RandomSaturation, RandomHue)
        made = [
            kind(factor, value_range, dtype=self.dtype_policy).draws_from(self)
            for kind, factor in zip(kinds, factors.values())
            if factor is not None
        ]
        object.__setattr__(self, "steps", made)

    def draw(self, images):
        """What the steps draw."""
        return [step.draw(images) for step in self.steps]

    def changed(self, images, drawn):
        """The images after the steps."""
        for step, of_step in zip(self.steps, drawn, strict=True):
            images = step.changed(images, of_step)
        return images


class RandomGrayscale(RandomImages):
    """Makes an image grey with the probability ``factor``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomGrayscale(1.0)(np.array([[[100.0, 0.0, 0.0]]]))
    tensor([[[29.8900, 29.8900, 29.8900]]])
    """

    def __init__(self, factor=0.5, data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if factor < 0 or factor > 1:
            raise ValueError(f"`factor` should be between 0 and 1. Received: factor={factor}")
        self.start(seed, data_format)
        self.keep(factor=factor)

    def draw(self, images):
        """Which images become grey."""
        return _spread(self.uniform(images, 0.0, 1.0) < self.factor)

    def changed(self, images, drawn):
        """The images, each grey or not."""
        return where(drawn, grayscale(images), images)


class RandomColorDegeneration(RandomImages):
    """x + f (grey - x), f of ``factor``, cut to ``value_range``: 1 leaves grey, 0 changes nothing."""

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(factor=range_of(factor), value_range=value_range_of(value_range))

    def draw(self, images):
        """The factors."""
        return _spread(self.uniform(images, *self.factor))

    def changed(self, images, drawn):
        """The images, each nearer to grey."""
        return (images + drawn * (grayscale(images) - images)).clamp(*self.value_range)


class RandomInvert(RandomImages):
    """Makes negatives, ``value_range[1]`` - x, with a probability drawn of ``factor``, (0, factor) for a number."""

    def __init__(self, factor=1.0, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(factor=range_of(factor, 0, 1), value_range=value_range)

    def draw(self, images):
        """Which images become negatives."""
        return self.chosen(images, self.factor)

    def changed(self, images, drawn):
        """The images, each a negative or not."""
        return where(drawn, self.value_range[1] - images, images)


class RandomPosterization(RandomImages):
    """Keeps the first bits of each value: as many as ``factor``, drawn below the upper number of two.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomPosterization((2, 2))(np.array([[[10.0, 100.0, 200.0]]])).tolist()
    [[[0.0, 64.0, 192.0]]]
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(factor=range_of(factor, 1, 8), value_range=value_range_of(value_range))

    def draw(self, images):
        """The sizes of the steps."""
        low, high = (int(v) for v in self.factor)
        n = images.shape[0]
        bits = full((n,), low) if low == high else randint(low, high, (n,), generator=self.generator())
        return _spread(2.0 ** (8 - bits.to(images.dtype))).to(images.device)

    def changed(self, images, drawn):
        """The images with fewer levels."""
        whole = rescaled(images, self.value_range, BYTES).trunc() % 256
        return rescaled((whole / drawn).floor() * drawn, BYTES, self.value_range)


def _share(value, name):
    """A share f of [0, 1] as (0, f), two as they are."""
    pair = value if isinstance(value, (tuple, list)) else (0, value)
    if len(pair) != 2 or not all(isinstance(v, (int, float)) and 0 <= v <= 1 for v in pair):
        raise ValueError(
            "The `addition_factor` and `threshold_factor` arguments should be a number (or a list of two numbers) in "
            f"the range [0, 1]. Received: {name}={value}"
        )
    return tuple(sorted(pair))


class Solarization(RandomImages):
    """Adds a number and then makes a negative of every value that is not below a threshold.

    Both numbers are drawn from their factor's lower number up to 255 times the upper one, (0, factor) for a number,
    of values in [0, 255].

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Solarization()(np.array([[[10.0, 100.0, 200.0]]])).tolist()
    [[[245.0, 155.0, 55.0]]]
    """

    def __init__(
        self, addition_factor=0.0, threshold_factor=0.0, value_range=(0, 255), seed=None, data_format=None, **kwargs
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(
            addition_factor=_share(addition_factor, "addition_factor"),
            threshold_factor=_share(threshold_factor, "threshold_factor"),
            value_range=value_range_of(value_range),
        )

    def draw(self, images):
        """What is added, and the thresholds."""
        factors = self.addition_factor, self.threshold_factor
        return [_spread(self.uniform(images, low, high * 255)) for low, high in factors]

    def changed(self, images, drawn):
        """The images, in part negatives."""
        added, threshold = drawn
        sums = (rescaled(images, self.value_range, BYTES) + added).clamp(0, 255)
        return rescaled(where(sums < threshold, sums, 255 - sums), BYTES, self.value_range)


class AutoContrast(RandomImages):
    """Spreads each channel of each image over ``value_range``, outside training too; one of one value stays.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.AutoContrast()(np.array([[[[100.0]], [[110.0]]]])).ravel().tolist()
    [0.0, 255.0]
    """

    always = True

    def __init__(self, value_range=(0, 255), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.start(None, data_format)
        self.keep(value_range=value_range_of(value_range))
        self._kept.remove("seed")

    def changed(self, images, drawn):
        """The images with all the contrast there is."""
        x = rescaled(images, self.value_range, BYTES)
        low, high = x.amin((1, 2), keepdim=True), x.amax((1, 2), keepdim=True)
        flat = high == low
        scale = 255 / where(flat, 1.0, high - low)
        spread = rescaled((x * scale - low * scale).clamp(0, 255), BYTES, self.value_range)
        return where(flat, images, spread)


class Equalization(RandomImages):
    """Spreads the values of each channel evenly over ``value_range``, by the batch's histogram of ``bins``."""

    def __init__(self, value_range=(0, 255), bins=256, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.start(None, data_format)
        self.keep(value_range=value_range_of(value_range), bins=bins)
        self._kept.remove("seed")

    def changed(self, images, drawn):
        """The images with even histograms."""
        low, high = self.value_range
        if (low, high) == BYTES:
            return equalized(images, self.bins)
        there, back = 255 / (high - low), (high - low) / 255
        return (equalized(images * there - low * there, self.bins)) * back + low
