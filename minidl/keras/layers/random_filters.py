"""Random sharpness, blur and erased rectangles of images while training."""

from minidl import rand, randn
from minidl.keras.layers.colors import blurred, gaussian_kernel
from minidl.keras.layers.image_changes import RandomImages, range_of, value_range_of
from minidl.ops.create import arange, as_tensor
from minidl.ops.selection import where

__all__ = ["RandomErasing", "RandomGaussianBlur", "RandomSharpness"]


class RandomSharpness(RandomImages):
    """x + (1 - 2 f) (smooth - x), f of ``factor``, cut to ``value_range``: 0.5 changes nothing, 0 smooths.

    ``smooth`` is the mean of the 3 x 3 pixels around, the middle one weighing as five.
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(factor=range_of(factor, 0, 1), value_range=value_range_of(value_range))

    def draw(self, images):
        """The factors."""
        return 2 * self.uniform(images, *self.factor).reshape(-1, 1, 1, 1)

    def changed(self, images, drawn):
        """The images smoother or sharper."""
        weights = [[1, 1, 1], [1, 5, 1], [1, 1, 1]]
        smooth = blurred(images, as_tensor(weights, dtype=images.dtype, device=images.device) / 13)
        return (images + (1 - drawn) * (smooth - images)).clamp(*self.value_range)


class RandomGaussianBlur(RandomImages):
    """Blurs by a Gaussian of ``kernel_size`` (x, y), with widths drawn of ``sigma`` for the batch.

    An image changes with a probability that is drawn of ``factor``; a number f stands for (0, f) in both.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.RandomGaussianBlur(kernel_size=5)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, factor=1.0, kernel_size=3, sigma=1.0, value_range=(0, 255), data_format=None, seed=None, **kwargs
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.start(seed, data_format)
        self.keep(
            factor=range_of(factor, 0, 1), kernel_size=_odd(kernel_size), sigma=range_of(sigma, 0, 1, "sigma"),
            value_range=value_range,
        )  # fmt: skip

    def draw(self, images):
        """Which images are blurred, and the two widths."""
        low, high = self.sigma
        return self.chosen(images, self.factor), low + (high - low) * self.drawn(rand, images, (2,)) + 1e-6

    def changed(self, images, drawn):
        """The images, each blurred or not."""
        chosen, sigma = drawn
        soft = blurred(images, gaussian_kernel(self.kernel_size, sigma, images))
        return where(chosen, soft, images).clamp(*self.value_range)


def _odd(value):
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2:
        raise ValueError(
            f"The `kernel_size` argument should be a number (or a list of two numbers) Received: kernel_size={value}"
        )
    if not all(isinstance(v, int) and v % 2 for v in pair):
        raise ValueError(f"kernel_size must be an odd number. Received: kernel_size={value}")
    return pair


def boxes(images, shares, starts):
    """A rectangle an image: which pixels lie in it, (N, H, W, 1), and its sides (N, 2), columns first.

    The sides are ``shares`` (N, 2) of the image's, and ``starts`` (N, 2) of [0, 1) places them.
    """
    inside, sides = True, []
    for i, axis in enumerate((2, 1)):
        size = images.shape[axis]
        length = shares[:, i] * size
        first = (starts[:, i] * (size - length)).reshape(-1, 1)
        at = arange(size, dtype=images.dtype, device=images.device).reshape(1, -1)
        part = (at >= first) & (at < first + length.reshape(-1, 1))
        inside = inside & (part.unsqueeze(1) if axis == 2 else part.unsqueeze(2))
        sides.append(length)
    return inside.unsqueeze(3), sides


class RandomErasing(RandomImages):
    """Covers a rectangle of an image with ``fill_value``: a number, three, or None for noise.

    Each side is the root of a number of ``scale`` times the image's; an image changes with a probability that is
    drawn of ``factor``, (0, factor) for a number. Source: Z. Zhong et al., 2017.

    >>> import numpy as np
    >>> from minidl import keras
    >>> layer = keras.layers.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0.0)
    >>> float(layer(np.ones((1, 8, 8, 1))).sum()) < 64
    True
    """

    def __init__(
        self, factor=1.0, scale=(0.02, 0.33), fill_value=None, value_range=(0, 255), seed=None, data_format=None,
        **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.start(seed, data_format)
        three = isinstance(fill_value, (tuple, list)) and len(fill_value) == 3
        if not (fill_value is None or three or isinstance(fill_value, (int, float))):
            raise ValueError("The `fill_value` argument should be a number (or a list of three numbers) ")
        self.keep(
            factor=range_of(factor, 0, 1), scale=range_of(scale, 0, 1, "scale"), fill_value=fill_value,
            value_range=value_range,
        )  # fmt: skip

    def draw(self, images):
        """Which images lose a part, which pixels, and what comes there."""
        n, (low, high) = images.shape[0], self.scale
        shares = (low + (high - low) * self.drawn(rand, images, (n, 2))).sqrt()
        inside, _ = boxes(images, shares, self.drawn(rand, images, (n, 2)))
        if self.fill_value is None:
            fill = self.drawn(randn, images) * self.value_range[1]
        else:
            fill = as_tensor(self.fill_value, dtype=images.dtype, device=images.device)
        return self.chosen(images, self.factor) & inside, fill.clamp(*self.value_range)

    def changed(self, images, drawn):
        """The images, each with a part covered or not."""
        return where(drawn[0], drawn[1], images)
