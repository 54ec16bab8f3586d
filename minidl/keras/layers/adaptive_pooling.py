"""Pooling to a given size: AdaptiveAveragePooling and AdaptiveMaxPooling, in one to three dimensions."""

from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described, per_axis
from minidl.keras.layers.windows import channels_first, channels_last
from minidl.keras.settings import standardize_data_format
from minidl.nn import functional as F

__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
]  # fmt: skip

_AVERAGE = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}


class AdaptivePooling(Described):
    """What they share: ``output_size`` windows along each dimension, window i from floor(i n/size) to
    ceil((i+1) n/size)."""

    rank = pools = None

    def __init__(self, output_size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.keep(
            output_size=per_axis(output_size, self.rank, "output_size"),
            data_format=standardize_data_format(data_format),
        )
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs):
        x = channels_first(inputs, self.data_format)
        return channels_last(self.pools[self.rank](x, self.output_size), self.data_format)

    def compute_output_shape(self, input_shape):
        if self.data_format == "channels_first":
            return (*input_shape[:2], *self.output_size)
        return (input_shape[0], *self.output_size, input_shape[-1])


class BaseAdaptiveAverage(AdaptivePooling):
    """The mean of each window."""

    pools = _AVERAGE


class BaseAdaptiveMax(AdaptivePooling):
    """The largest value of each window."""

    pools = _MAX


class AdaptiveAveragePooling1D(BaseAdaptiveAverage):
    """(N, T, C) -> (N, output_size, C): means. Source: Keras' ``AdaptiveAveragePooling1D``."""

    rank = 1


class AdaptiveAveragePooling2D(BaseAdaptiveAverage):
    """(N, H, W, C) -> (N, *output_size, C): means. Source: Keras' ``AdaptiveAveragePooling2D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.AdaptiveAveragePooling2D((2, 3))(np.ones((2, 7, 8, 4))).shape
    torch.Size([2, 2, 3, 4])
    """

    rank = 2


class AdaptiveAveragePooling3D(BaseAdaptiveAverage):
    """(N, D, H, W, C) -> (N, *output_size, C): means. Source: Keras' ``AdaptiveAveragePooling3D``."""

    rank = 3


class AdaptiveMaxPooling1D(BaseAdaptiveMax):
    """(N, T, C) -> (N, output_size, C): the largest. Source: Keras' ``AdaptiveMaxPooling1D``."""

    rank = 1


class AdaptiveMaxPooling2D(BaseAdaptiveMax):
    """(N, H, W, C) -> (N, *output_size, C): the largest. Source: Keras' ``AdaptiveMaxPooling2D``."""

    rank = 2


class AdaptiveMaxPooling3D(BaseAdaptiveMax):
    """(N, D, H, W, C) -> (N, *output_size, C): the largest. Source: Keras' ``AdaptiveMaxPooling3D``."""

    rank = 3
