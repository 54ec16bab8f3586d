"""Layers that repeat positions: UpSampling1D, UpSampling2D, UpSampling3D."""

from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described, per_axis
from minidl.keras.layers.resampling import METHODS, resized
from minidl.keras.settings import standardize_data_format

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


def repeated(x, axis, times):
    """x with every position along ``axis`` ``times`` times."""
    if times == 1:
        return x
    shape = x.shape
    spread = x.unsqueeze(axis + 1).expand(*shape[: axis + 1], times, *shape[axis + 1 :])
    return spread.reshape(*shape[:axis], shape[axis] * times, *shape[axis + 1 :])


class UpSampling(Described):
    """What they share: ``size`` times as many positions along each spatial dimension."""

    rank = None
    data_format = "channels_last"

    @property
    def factors(self):
        """``size``, one a dimension."""
        return per_axis(self.size, self.rank, "size")

    def _start(self):
        self.first = 2 if self.data_format == "channels_first" else 1
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs):
        for i, times in enumerate(self.factors):
            inputs = repeated(inputs, self.first + i, times)
        return inputs

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        for i, times in enumerate(self.factors):
            n = shape[self.first + i]
            shape[self.first + i] = None if n is None else n * times
        return tuple(shape)


class UpSampling1D(UpSampling):
    """Every step of (N, T, C) ``size`` times.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.UpSampling1D(2)(np.array([[[1.0], [2.0]]])).flatten().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    rank = 1

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.keep(size=int(size))
        self._start()


class UpSampling2D(UpSampling):
    """(N, H, W, C) as (N, H size, W size, C): 'nearest' repeats, 'bilinear' and 'bicubic' interpolate.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.UpSampling2D((2, 3))(np.ones((1, 4, 4, 3))).shape
    torch.Size([1, 8, 12, 3])
    """

    rank = 2

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(**kwargs)
        if interpolation not in METHODS:
            raise ValueError(f"interpolation must be one of {sorted(METHODS)}, but got {interpolation!r}")
        self.keep(
            size=per_axis(size, 2, "size"),
            data_format=standardize_data_format(data_format),
            interpolation=interpolation,
        )
        self._start()

    def call(self, inputs):
        if self.interpolation == "nearest":
            return super().call(inputs)
        first = self.first
        sizes = [n * times for n, times in zip(inputs.shape[first : first + 2], self.size, strict=True)]
        return resized(inputs, sizes, self.interpolation, first)


class UpSampling3D(UpSampling):
    """(N, D, H, W, C) with every position ``size`` times. Source: Keras' ``UpSampling3D``."""

    rank = 3

    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.keep(size=per_axis(size, 3, "size"), data_format=standardize_data_format(data_format))
        self._start()
