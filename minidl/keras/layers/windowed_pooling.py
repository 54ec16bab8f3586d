"""Pooling over windows: Max and Average, in one to three dimensions."""

from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described, per_axis
from minidl.keras.layers.windows import (
    channels_first,
    channels_last,
    pad_spatial,
    padded_sides,
    window_sizes,
)
from minidl.keras.settings import standardize_data_format
from minidl.nn import functional as F

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D", "MaxPool1D",
    "MaxPool2D", "MaxPool3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip

_MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Pooling(Described):
    """What the pooling layers share: windows of ``pool_size`` every ``strides``, 'valid' or 'same'."""

    rank = None

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        padding = str(padding).lower()
        if padding not in ("valid", "same"):
            raise ValueError(f"Invalid padding: {padding!r}. Expected 'valid' or 'same'.")
        self.keep(
            pool_size=per_axis(pool_size, self.rank, "pool_size"),
            padding=padding,
            strides=per_axis(pool_size if strides is None else strides, self.rank, "strides"),
            data_format=standardize_data_format(data_format),
        )
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs):
        x = channels_first(inputs, self.data_format)
        ones = (1,) * self.rank
        counts = window_sizes(self.padding, x.shape[2:], self.pool_size, self.strides, ones)
        self._demand_windows(inputs.shape, counts)
        sides = padded_sides(self.padding, x.shape[2:], self.pool_size, self.strides, ones)
        fitting = self._native_padding(x.shape[2:], sides, counts)
        out = self._padded(x, sides) if fitting is None else self._pooled(x, *fitting)
        return channels_last(out, self.data_format)

    def _native_padding(self, sizes, sides, counts):
        """``(padding, ceil_mode)`` with which the kernel's windows are the ones wanted, or None."""
        padding = tuple(before for before, _ in sides)
        for ceil_mode in (False, True):
            found = []
            for n, p, k, s in zip(sizes, padding, self.pool_size, self.strides, strict=True):
                room = n + 2 * p - k
                count = (-(-room // s) if ceil_mode else room // s) + 1
                if ceil_mode and (count - 1) * s >= n + p:
                    count -= 1
                found.append(count)
            if tuple(found) == counts:
                return padding, ceil_mode
        return None

    def _demand_windows(self, shape, counts):
        if any(n is not None and n <= 0 for n in counts):
            raise ValueError(
                "Computed output size would be negative or zero. Received: "
                f"inputs.shape={tuple(shape)}, pool_size={self.pool_size}, strides={self.strides} in layer "
                f"'{self.name}'{self._place()}. Hint: use padding='same' or fewer pooling layers."
            )

    def compute_output_shape(self, input_shape):
        first = self.data_format == "channels_first"
        spatial = input_shape[2:] if first else input_shape[1:-1]
        counts = window_sizes(self.padding, spatial, self.pool_size, self.strides, (1,) * self.rank)
        self._demand_windows(input_shape, counts)
        if first:
            return (*input_shape[:2], *counts)
        return (input_shape[0], *counts, input_shape[-1])


class BaseMaxPooling(Pooling):
    """The largest value of each window."""

    def _pooled(self, x, padding, ceil_mode):
        return _MAX[self.rank](x, self.pool_size, self.strides, padding, ceil_mode=ceil_mode)

    def _padded(self, x, sides):
        return _MAX[self.rank](pad_spatial(x, sides, float("-inf")), self.pool_size, self.strides)


class BaseAveragePooling(Pooling):
    """The mean of each window, over what lies inside the input."""

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def _pooled(self, x, padding, ceil_mode):
        average = _AVERAGE[self.rank]
        return average(x, self.pool_size, self.strides, padding, ceil_mode, False)

    def _padded(self, x, sides):
        average = _AVERAGE[self.rank]
        shares = pad_spatial(x[:1, :1].detach() * 0 + 1, sides)
        share = average(shares, self.pool_size, self.strides)
        return average(pad_spatial(x, sides), self.pool_size, self.strides) / share


class MaxPooling1D(BaseMaxPooling):
    """The largest of each window of (N, T, C). Source: Keras' ``MaxPooling1D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.MaxPooling1D(2)(np.ones((2, 7, 3))).shape
    torch.Size([2, 3, 3])
    """

    rank = 1


class MaxPooling2D(BaseMaxPooling):
    """The largest of each window of (N, H, W, C); ``strides`` is ``pool_size`` where it is not given.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.MaxPooling2D((2, 2), padding="same")(np.ones((2, 7, 7, 3))).shape
    torch.Size([2, 4, 4, 3])
    """

    rank = 2


class MaxPooling3D(BaseMaxPooling):
    """The largest of each window of (N, D, H, W, C). Source: Keras' ``MaxPooling3D``."""

    rank = 3


class AveragePooling1D(BaseAveragePooling):
    """The mean of each window of (N, T, C). Source: Keras' ``AveragePooling1D``."""

    rank = 1


class AveragePooling2D(BaseAveragePooling):
    """The mean of each window of (N, H, W, C); with 'same' only of what lies inside the image.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.AveragePooling2D(2)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 4, 4, 3])
    """

    rank = 2


class AveragePooling3D(BaseAveragePooling):
    """The mean of each window of (N, D, H, W, C). Source: Keras' ``AveragePooling3D``."""

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
