"""Noise while training: Dropout, SpatialDropout1D-3D, GaussianNoise, GaussianDropout, AlphaDropout."""

import math

from minidl import rand, randn
from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described
from minidl.keras.settings import standardize_data_format
from minidl.nn import functional as F
from minidl.ops.dropout import masked_scale
from minidl.ops.generator import Generator
from minidl.ops.selection import where

__all__ = [
    "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D",
]  # fmt: skip

_SELU_LOW = -1.6732632423543772 * 1.0507009873554805  # what SELU gives far on the negative side


class Noise(Described):
    """What the layers share that draw: a rate, and a generator of their own where a seed was given."""

    takes_integers = True
    supports_masking = True
    _generator = None

    def _take(self, name, value, seed, one=True):
        if not isinstance(value, (int, float)) or value < 0 or (one and value > 1):
            raise ValueError(
                f"Invalid value received for argument `{name}`. Expected a float value between 0 and 1. "
                f"Received: {name}={value}"
            )
        self.keep(**{name: value}, seed=seed)
        self.built = True

    def generator(self):
        """The layer's own generator, or None for the program's."""
        if self.seed is not None and self._generator is None:
            object.__setattr__(self, "_generator", Generator().manual_seed(int(self.seed)))
        return self._generator

    def drawn(self, draw, x, shape=None):
        """``draw`` of ``shape`` (x's where it is not given) on x's device, in x's dtype."""
        shape = tuple(x.shape) if shape is None else shape
        own = self.generator()
        if own is None:
            return draw(shape, dtype=x.dtype, device=x.device)
        return draw(shape, dtype=x.dtype, generator=own).to(x.device)

    def compute_output_shape(self, input_shape):
        return input_shape


class Dropout(Noise):
    """Zeros a share ``rate`` of the inputs while training, and scales the others by 1 / (1 - rate).

    ``noise_shape`` says which are dropped together: 1 along a dimension for all of it, None for its own size.
    Source: N. Srivastava et al., 2014; Keras' ``Dropout``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Dropout(0.5)(np.ones((1, 2)))
    tensor([[1., 1.]])
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self._take("rate", rate, seed)
        if noise_shape is not None:
            noise_shape = tuple(noise_shape)
        self.keep(noise_shape=noise_shape)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        if self.seed is None and self.noise_shape is None:
            return F.dropout(inputs, self.rate, True)
        kept = self.drawn(rand, inputs, noise_shape_of(self.noise_shape, inputs.shape)) >= self.rate
        return masked_scale(inputs, kept, 0.0 if self.rate == 1 else 1 / (1 - self.rate))


class BaseSpatialDropout(Noise):
    """Drops whole channels: the same ones at every position of a sample."""

    rank = None

    def _set(self, rate, seed, data_format=None):
        self._take("rate", rate, seed)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.first = data_format == "channels_first"

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        n, *sizes = inputs.shape
        ones = [1] * self.rank
        shape = (n, sizes[0], *ones) if self.first else (n, *ones, sizes[-1])
        kept = self.drawn(rand, inputs, shape) >= self.rate
        return masked_scale(inputs, kept, 0.0 if self.rate == 1 else 1 / (1 - self.rate))


class SpatialDropout1D(BaseSpatialDropout):
    """Drops channels of (N, T, C), each at all steps. Source: J. Tompson et al., 2015; Keras' ``SpatialDropout1D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.SpatialDropout1D(0.5)(np.ones((1, 2, 3))).tolist()
    [[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]]
    """

    rank = 1

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self._set(rate, seed)


class SpatialDropout2D(BaseSpatialDropout):
    """Drops channels of (N, H, W, C), each at all positions. Source: Keras' ``SpatialDropout2D``."""

    rank = 2

    def __init__(self, rate, data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        data_format = standardize_data_format(data_format)
        self._set(rate, seed, data_format)
        self.keep(data_format=data_format)


class SpatialDropout3D(BaseSpatialDropout):
    """Drops channels of (N, D, H, W, C), each at all positions. Source: Keras' ``SpatialDropout3D``."""

    rank = 3

    def __init__(self, rate, data_format=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        data_format = standardize_data_format(data_format)
        self._set(rate, seed, data_format)
        self.keep(data_format=data_format)


class GaussianNoise(Noise):
    """Adds N(0, stddev^2) while training. Source: Keras' ``GaussianNoise``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.GaussianNoise(0.1)(np.ones((1, 2)), training=False)
    tensor([[1., 1.]])
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        self._take("stddev", stddev, seed)

    def call(self, inputs, training=False):
        return inputs + self.stddev * self.drawn(randn, inputs) if training and self.stddev > 0 else inputs


class GaussianDropout(Noise):
    """Multiplies by N(1, rate / (1 - rate)) while training. Source: N. Srivastava et al., 2014."""

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self._take("rate", rate, seed)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        return inputs * (1 + math.sqrt(self.rate / (1 - self.rate)) * self.drawn(randn, inputs))


class AlphaDropout(Noise):
    """Dropout that keeps mean and variance behind SELU. Source: G. Klambauer et al., 2017.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.AlphaDropout(0.1)(np.ones((1, 2)))
    tensor([[1., 1.]])
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self._take("rate", rate, seed)
        self.keep(noise_shape=noise_shape)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape = noise_shape_of(self.noise_shape, inputs.shape)
        kept = self.drawn(rand, inputs, shape) >= self.rate
        scale = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * _SELU_LOW**2))
        return where(kept, inputs, _SELU_LOW) * scale - scale * _SELU_LOW * self.rate


def noise_shape_of(noise_shape, shape):
    """``noise_shape`` with the input's sizes where it says None."""
    if noise_shape is None:
        return tuple(shape)
    return tuple(n if wanted is None else wanted for wanted, n in zip(noise_shape, shape, strict=True))
