"""Pooling over all positions: GlobalMaxPooling and GlobalAveragePooling, in one to three dimensions."""

from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.layers.arguments import Described
from minidl.keras.settings import standardize_data_format

__all__ = [
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D", "GlobalAvgPool2D",
    "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D",
]  # fmt: skip


class GlobalPooling(Described):
    """What the global pooling layers share: (N, positions..., C) to (N, C), or (N, 1..., C) with ``keepdims``."""

    rank = None

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.keep(data_format=standardize_data_format(data_format), keepdims=keepdims)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    @property
    def positions(self):
        """The dimensions of the positions."""
        first = 2 if self.data_format == "channels_first" else 1
        return tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape):
        kept = [1 if i in self.positions else n for i, n in enumerate(input_shape)]
        return tuple(n for i, n in enumerate(kept) if self.keepdims or i not in self.positions)


class BaseGlobalMax(GlobalPooling):
    """The largest value of each channel."""

    def call(self, inputs):
        return inputs.amax(self.positions, self.keepdims)


class BaseGlobalAverage(GlobalPooling):
    """The mean of each channel."""

    def call(self, inputs):
        return inputs.mean(self.positions, self.keepdims)


class GlobalMaxPooling1D(BaseGlobalMax):
    """(N, T, C) -> (N, C): the largest over the steps. Source: Keras' ``GlobalMaxPooling1D``."""

    rank = 1


class GlobalMaxPooling2D(BaseGlobalMax):
    """(N, H, W, C) -> (N, C): the largest over the positions.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.GlobalMaxPooling2D()(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 3])
    """

    rank = 2


class GlobalMaxPooling3D(BaseGlobalMax):
    """(N, D, H, W, C) -> (N, C): the largest over the positions. Source: Keras' ``GlobalMaxPooling3D``."""

    rank = 3


class GlobalAveragePooling1D(BaseGlobalAverage):
    """(N, T, C) -> (N, C): the mean over the steps, of the unmasked ones where there is a mask.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.GlobalAveragePooling1D()(np.ones((2, 8, 3))).shape
    torch.Size([2, 3])
    """

    rank = 1
    supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        axis = self.positions[0]
        weight = mask.to(inputs.dtype).unsqueeze(2 if axis == 1 else 1)
        return (inputs * weight).sum(axis, self.keepdims) / weight.sum(axis, self.keepdims)

    def compute_mask(self, inputs, mask=None):
        return None


class GlobalAveragePooling2D(BaseGlobalAverage):
    """(N, H, W, C) -> (N, C): the mean over the positions.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.GlobalAveragePooling2D(keepdims=True)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 1, 1, 3])
    """

    rank = 2


class GlobalAveragePooling3D(BaseGlobalAverage):
    """(N, D, H, W, C) -> (N, C): the mean over the positions. Source: Keras' ``GlobalAveragePooling3D``."""

    rank = 3


GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D,
)  # fmt: skip
