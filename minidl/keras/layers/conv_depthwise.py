"""Convolutions a channel at a time: DepthwiseConv1D/2D, and SeparableConv1D/2D that mix the channels afterwards."""

from minidl.keras.engine import layout
from minidl.keras.layers.conv import CONVOLVE, MODULES, ConvLayer, positive
from minidl.keras.layers.windows import channels_first

__all__ = [
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D",
    "SeparableConvolution2D",
]  # fmt: skip


class DepthwiseLayout:
    """(C multiplier, 1, k...) of a grouped convolution as Keras' (k..., C, multiplier)."""

    def __init__(self, multiplier):
        self.multiplier = multiplier

    def to_keras(self, weight):
        """The weight in Keras layout."""
        split = weight.reshape(-1, self.multiplier, *weight.shape[2:])
        return split.permute(*range(2, split.ndim), 0, 1)

    def from_keras(self, kernel):
        """PyTorch's weight of Keras' kernel."""
        moved = kernel.permute(kernel.ndim - 2, kernel.ndim - 1, *range(kernel.ndim - 2))
        return [moved.reshape(-1, 1, *moved.shape[2:])]


class BaseDepthwiseConv(ConvLayer):
    """Depthwise convolution of any rank: ``kernel`` (k..., C, multiplier), ``bias`` (C multiplier,)."""

    def __init__(
        self, kernel_size, strides=1, padding="valid", depth_multiplier=1, data_format=None, dilation_rate=1,
        activation=None, use_bias=True, depthwise_initializer="glorot_uniform", bias_initializer="zeros",
        depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        positive("depth_multiplier", depth_multiplier)
        self.keep(depth_multiplier=depth_multiplier)
        self.set_windows(kernel_size, strides, padding, data_format, dilation_rate)
        self.keep(
            activation=activation, use_bias=use_bias, depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer, depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, input_shape):
        size = self.channels(input_shape)
        self.core = MODULES[self.rank](
            size, size * self.depth_multiplier, self.kernel_size, groups=size, bias=self.use_bias,
            dtype=self.dtype_of_weights(),
        )  # fmt: skip
        self.expose(
            "kernel", self.core, "weight", DepthwiseLayout(self.depth_multiplier), self.depthwise_initializer,
            self.depthwise_regularizer, self.depthwise_constraint,
        )  # fmt: skip
        self.expose_bias(self.core)

    def call(self, inputs):
        x = channels_first(inputs, self.data_format)
        return self.finished(self.convolved(x, self.core.weight, self.core.bias, x.shape[1]))

    def compute_output_shape(self, input_shape):
        channels = input_shape[self.channel_axis] * self.depth_multiplier
        return self.shaped(input_shape[0], self.window_counts(input_shape), channels)


class DepthwiseConv1D(BaseDepthwiseConv):
    """Convolves each channel of (N, T, C) with its own ``depth_multiplier`` kernels.

    Source: Keras' ``DepthwiseConv1D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.DepthwiseConv1D(3, depth_multiplier=2)(np.ones((2, 8, 3))).shape
    torch.Size([2, 6, 6])
    """

    rank = 1


class DepthwiseConv2D(BaseDepthwiseConv):
    """Convolves each channel of (N, H, W, C) with its own ``depth_multiplier`` kernels.

    ``kernel`` is (kh, kw, C, depth_multiplier); the output's channel c depth_multiplier + m is of channel c.
    Source: Keras' ``DepthwiseConv2D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.DepthwiseConv2D(3, padding="same")(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 3])
    """

    rank = 2


class BaseSeparableConv(ConvLayer):
    """Depthwise convolution, then a 1x1 convolution over the channels."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1,
        depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform", bias_initializer="zeros", depthwise_regularizer=None,
        pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
        pointwise_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        positive("filters", filters)
        positive("depth_multiplier", depth_multiplier)
        self.keep(depth_multiplier=depth_multiplier, filters=int(filters))
        self.set_windows(kernel_size, strides, padding, data_format, dilation_rate)
        self.keep(
            activation=activation, use_bias=use_bias, depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer, bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer, pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint, pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, input_shape):
        size = self.channels(input_shape)
        convolution, multiplier = MODULES[self.rank], self.depth_multiplier
        dtype = self.dtype_of_weights()
        self.depthwise = convolution(
            size, size * multiplier, self.kernel_size, groups=size, bias=False, dtype=dtype
        )
        self.pointwise = convolution(size * multiplier, self.filters, 1, bias=self.use_bias, dtype=dtype)
        self.expose(
            "depthwise_kernel", self.depthwise, "weight", DepthwiseLayout(multiplier), self.depthwise_initializer,
            self.depthwise_regularizer, self.depthwise_constraint,
        )  # fmt: skip
        self.expose(
            "pointwise_kernel", self.pointwise, "weight", layout.CONV[self.rank], self.pointwise_initializer,
            self.pointwise_regularizer, self.pointwise_constraint,
        )  # fmt: skip
        self.expose_bias(self.pointwise)

    def call(self, inputs):
        x = channels_first(inputs, self.data_format)
        x = self.convolved(x, self.depthwise.weight, None, x.shape[1])
        return self.finished(CONVOLVE[self.rank](x, self.pointwise.weight, self.pointwise.bias))

    def compute_output_shape(self, input_shape):
        return self.shaped(input_shape[0], self.window_counts(input_shape), self.filters)


class SeparableConv1D(BaseSeparableConv):
    """Depthwise, then pointwise convolution of (N, T, C). Source: Keras' ``SeparableConv1D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.SeparableConv1D(4, 3)(np.ones((2, 8, 3))).shape
    torch.Size([2, 6, 4])
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class SeparableConv2D(BaseSeparableConv):
    """Depthwise, then pointwise convolution of (N, H, W, C).

    Weights: ``depthwise_kernel`` (kh, kw, C, m), ``pointwise_kernel`` (1, 1, C m, filters), ``bias`` (filters,).
    Source: F. Chollet, "Xception", 2017; Keras' ``SeparableConv2D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.SeparableConv2D(4, 3)(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 6, 6, 4])
    """

    rank = 2


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
