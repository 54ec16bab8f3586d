"""Convolutions: Conv1D, Conv2D, Conv3D."""

from minidl import nn
from minidl.keras.engine import layout
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
    "Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D",
]  # fmt: skip

MODULES = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class ConvLayer(Described):
    """What all convolutions share: windows, data format, channels, the sizes of the output."""

    rank = None
    paddings = ("valid", "same")
    takes_integers = True

    def set_windows(self, kernel_size, strides, padding, data_format, dilation_rate):
        """Checks and keeps the arguments that place the windows."""
        rank = self.rank
        padding = str(padding).lower()
        if padding not in self.paddings:
            raise ValueError(
                f"Invalid padding: {padding!r}. Expected one of {', '.join(map(repr, self.paddings))} "
                f"for {type(self).__name__}."
            )
        self.keep(
            kernel_size=per_axis(kernel_size, rank, "kernel_size"),
            strides=per_axis(strides, rank, "strides"),
            padding=padding,
            data_format=standardize_data_format(data_format),
            dilation_rate=per_axis(dilation_rate, rank, "dilation_rate"),
        )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.input_spec = InputSpec(ndim=rank + 2)

    @property
    def channel_axis(self):
        """The dimension of the channels."""
        return 1 if self.data_format == "channels_first" else -1

    def channels(self, input_shape):
        """The number of the input's channels, which the layer demands from now on."""
        axis = self.channel_axis
        size = input_shape[axis]
        if size is None:
            raise ValueError(
                "The channel dimension of the inputs should be defined. "
                f"The input_shape received is {tuple(input_shape)}, where axis {axis} (0-based) is the channel "
                "dimension, which found to be `None`."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: size})
        return size

    def spatial(self, shape):
        """The spatial sizes in a shape."""
        return tuple(shape[2:] if self.data_format == "channels_first" else shape[1:-1])

    def shaped(self, batch, spatial, channels):
        """A shape in the layer's data format."""
        if self.data_format == "channels_first":
            return (batch, channels, *spatial)
        return (batch, *spatial, channels)

    def convolved(self, x, weight, bias, groups):
        """``conv(x) + bias`` on a channels-first x, with this layer's windows."""
        sides = padded_sides(self.padding, x.shape[2:], self.kernel_size, self.strides, self.dilation_rate)
        padding = tuple(before for before, _ in sides)
        if any(before != after for before, after in sides):
            x, padding = pad_spatial(x, sides), 0
        return CONVOLVE[self.rank](x, weight, bias, self.strides, padding, self.dilation_rate, groups)

    def finished(self, x):
        """The output of a channels-first result: in the layer's data format, activated."""
        return self.activated(self.activation, channels_last(x, self.data_format))

    def window_counts(self, input_shape):
        """Spatial sizes of the output. ``ValueError`` where the kernel is larger than the input."""
        found = window_sizes(
            self.padding, self.spatial(input_shape), self.kernel_size, self.strides, self.dilation_rate
        )
        if any(n is not None and n <= 0 for n in found):
            raise ValueError(
                "Computed output size would be negative or zero. Received: "
                f"inputs.shape={tuple(input_shape)}, kernel_size={self.kernel_size}, strides={self.strides}, "
                f"dilation_rate={self.dilation_rate} in layer '{self.name}'{self._place()}. "
                "Hint: use padding='same' or a smaller kernel."
            )
        return found

    def expose_bias(self, module):
        """Declares the bias of ``module`` where the layer has one."""
        if self.use_bias:
            self.expose(
                "bias", module, "bias", None, self.bias_initializer, self.bias_regularizer, self.bias_constraint
            )  # fmt: skip


class BaseConv(ConvLayer):
    """Convolution of any rank; ``kernel`` is (k..., in / groups, filters) and ``bias`` (filters,)."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1,
        activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        positive("filters", filters)
        positive("groups", groups)
        if filters % groups:
            raise ValueError(
                f"The number of filters must be evenly divisible by the number of groups. Received: groups={groups}, "
                f"filters={filters}."
            )
        self.keep(filters=int(filters))
        self.set_windows(kernel_size, strides, padding, data_format, dilation_rate)
        self.keep(
            groups=groups, activation=activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, input_shape):
        size = self.channels(input_shape)
        if size % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. Received groups="
                f"{self.groups}, but the input has {size} channels (full input shape is {tuple(input_shape)})."
            )
        self.core = MODULES[self.rank](
            size, self.filters, self.kernel_size, groups=self.groups, bias=self.use_bias,
            dtype=self.dtype_of_weights(),
        )  # fmt: skip
        self.expose(
            "kernel", self.core, "weight", layout.CONV[self.rank], self.kernel_initializer, self.kernel_regularizer,
            self.kernel_constraint,
        )  # fmt: skip
        self.expose_bias(self.core)

    def call(self, inputs):
        if self.padding == "valid":
            self.window_counts(inputs.shape)
        x = channels_first(inputs, self.data_format)
        return self.finished(self.convolved(x, self.core.weight, self.core.bias, self.groups))

    def compute_output_shape(self, input_shape):
        return self.shaped(input_shape[0], self.window_counts(input_shape), self.filters)


def positive(name, value):
    """Raises ``ValueError`` where an argument is not a positive integer."""
    if isinstance(value, bool) or int(value) != value or value <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive value. Received {name}={value}."
        )


class Conv1D(BaseConv):
    """Convolution along one dimension: activation(conv(x, kernel) + bias).

    Shapes: inputs (N, T, C), with ``data_format="channels_first"`` (N, C, T); output (N, T', filters); ``kernel``
    (k, C / groups, filters). ``padding`` is 'valid', 'same' (T' = ceil(T / stride)) or 'causal'.
    Source: Keras' ``Conv1D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Conv1D(4, 3, padding="causal")(np.ones((2, 8, 3))).shape
    torch.Size([2, 8, 4])
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(BaseConv):
    """Convolution of images: activation(conv(x, kernel) + bias).

    Shapes: inputs (N, H, W, C), with ``data_format="channels_first"`` (N, C, H, W); output (N, H', W', filters);
    ``kernel`` (kh, kw, C / groups, filters). ``padding`` is 'valid' or 'same' (H' = ceil(H / stride), an odd zero
    at the end). Source: Keras' ``Conv2D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Conv2D(8, 3, activation="relu")(np.ones((2, 28, 28, 1))).shape
    torch.Size([2, 26, 26, 8])
    """

    rank = 2


class Conv3D(BaseConv):
    """Convolution of volumes (N, D, H, W, C): activation(conv(x, kernel) + bias); ``kernel`` (kd, kh, kw, C, filters).

    Source: Keras' ``Conv3D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Conv3D(2, 3, padding="same")(np.ones((1, 4, 4, 4, 1))).shape
    torch.Size([1, 4, 4, 4, 2])
    """

    rank = 3


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
