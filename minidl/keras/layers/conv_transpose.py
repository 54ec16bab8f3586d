"""Transposed convolutions: Conv1DTranspose, Conv2DTranspose, Conv3DTranspose."""

from minidl import nn
from minidl.keras.engine import layout
from minidl.keras.layers.arguments import per_axis
from minidl.keras.layers.conv import ConvLayer, positive
from minidl.keras.layers.windows import channels_first, pad_spatial
from minidl.nn import functional as F

__all__ = [
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Convolution1DTranspose", "Convolution2DTranspose",
    "Convolution3DTranspose",
]  # fmt: skip

_MODULES = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_CONVOLVE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


class BaseConvTranspose(ConvLayer):
    """Transposed convolution of any rank: ``kernel`` (k..., filters, in), ``bias`` (filters,)."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", output_padding=None, data_format=None,
        dilation_rate=1, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
        bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
        kernel_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        positive("filters", filters)
        self.keep(filters=int(filters))
        self.set_windows(kernel_size, strides, padding, data_format, dilation_rate)
        if output_padding is not None:
            output_padding = per_axis(output_padding, self.rank, "output_padding", zero=True)
            for extra, stride in zip(output_padding, self.strides, strict=True):
                if extra >= stride:
                    raise ValueError(
                        f"`output_padding` ({output_padding}) must be smaller than `strides` ({self.strides})."
                    )
        self.keep(
            output_padding=output_padding, activation=activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, input_shape):
        size = self.channels(input_shape)
        self.core = _MODULES[self.rank](
            size, self.filters, self.kernel_size, bias=self.use_bias, dtype=self.dtype_of_weights()
        )
        self.expose(
            "kernel", self.core, "weight", layout.CONV[self.rank], self.kernel_initializer, self.kernel_regularizer,
            self.kernel_constraint,
        )  # fmt: skip
        self.expose_bias(self.core)

    def call(self, inputs):
        x = channels_first(inputs, self.data_format)
        sizes = x.shape[2:]
        crops = [self._cropped(n, i) for i, n in enumerate(sizes)]
        x = _CONVOLVE[self.rank](
            x, self.core.weight, self.core.bias, self.strides, tuple(crops), 0, 1, self.dilation_rate
        )
        wanted = [self._size(n, i) for i, n in enumerate(sizes)]
        missing = [(0, w - n) for w, n in zip(wanted, x.shape[2:], strict=True)]
        if any(more > 0 for _, more in missing):
            x = self._extended(x, [max(more, 0) for _, more in missing])
        if any(more < 0 for _, more in missing):
            x = x[(slice(None), slice(None), *(slice(0, w) for w in wanted))]
        return self.finished(x)

    def _extended(self, x, more):
        """x with positions that no input reaches, which hold the bias only."""
        if self.core.bias is None:
            return pad_spatial(x, [(0, m) for m in more])
        bias = self.core.bias.reshape(-1, *[1] * self.rank)
        return pad_spatial(x - bias, [(0, m) for m in more]) + bias

    def _extent(self, axis):
        return (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1

    def _cropped(self, n, axis):
        """How much is cut off before the output's first position: half of what is too much, for 'same'."""
        if self.padding == "valid":
            return 0
        full = (n - 1) * self.strides[axis] + self._extent(axis)
        return max(full - self._size(n, axis), 0) // 2

    def _size(self, n, axis):
        """The output's size of an input's."""
        if n is None:
            return None
        k, s = self._extent(axis), self.strides[axis]
        if self.output_padding is None:
            return n * s if self.padding == "same" else n * s + max(k - s, 0)
        full = (n - 1) * s + k + self.output_padding[axis]
        return full if self.padding == "valid" else full - 2 * (k // 2)

    def compute_output_shape(self, input_shape):
        spatial = [self._size(n, i) for i, n in enumerate(self.spatial(input_shape))]
        return self.shaped(input_shape[0], spatial, self.filters)


class Conv1DTranspose(BaseConvTranspose):
    """The transposed convolution of (N, T, C): T' = T stride for 'same'. Source: Keras' ``Conv1DTranspose``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Conv1DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 8, 3))).shape
    torch.Size([2, 16, 4])
    """

    rank = 1


class Conv2DTranspose(BaseConvTranspose):
    """The transposed convolution of (N, H, W, C): the gradient of a convolution, which upsamples.

    ``kernel`` is (kh, kw, filters, C). 'same' gives H' = H stride, 'valid' H' = H stride + max(kh - stride, 0).
    Source: Keras' ``Conv2DTranspose``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 7, 7, 3))).shape
    torch.Size([2, 14, 14, 4])
    """

    rank = 2


class Conv3DTranspose(BaseConvTranspose):
    """The transposed convolution of (N, D, H, W, C). Source: Keras' ``Conv3DTranspose``."""

    rank = 3

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, output_padding=None, *args, **kwargs
    ):  # fmt: skip
        # the one whose data_format comes before its output_padding
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, *args, **kwargs)


Convolution1DTranspose, Convolution2DTranspose, Convolution3DTranspose = (
    Conv1DTranspose, Conv2DTranspose, Conv3DTranspose,
)  # fmt: skip
