"""Convolution layers: ``Conv1d``, ``Conv2d``, ``Conv3d``."""

import math

from minidl.nn import init
from minidl.nn.module import Module
from minidl.nn.parameter import Parameter
from minidl.ops.conv import conv1d, conv2d, conv3d
from minidl.ops.conv_checks import per_dimension
from minidl.ops.create import empty
from minidl.ops.pad import pad

__all__ = ["Conv1d", "Conv2d", "Conv3d"]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class ConvBase(Module):
    """What convolutions and transposed convolutions share: arguments, weight, bias, repr."""

    rank = None  # number of spatial dimensions
    transposed = False

    def __init__(
        self, in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
        padding_mode, device, dtype,
    ):  # fmt: skip
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = self._each(kernel_size, "kernel_size")
        self.stride = self._each(stride, "stride")
        self.padding = padding if isinstance(padding, str) else self._each(padding, "padding")
        self.dilation = self._each(dilation, "dilation")
        self.output_padding = self._each(output_padding, "output_padding")
        self.groups = groups
        self.padding_mode = padding_mode
        self._check_arguments()
        ends = (out_channels, in_channels) if not self.transposed else (in_channels, out_channels)
        shape = (ends[0], ends[1] // groups, *self.kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty((out_channels,), device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _each(self, value, argument):
        return per_dimension(value, self.rank, self.__class__.__name__, argument)

    def _check_arguments(self):
        if self.groups <= 0:
            raise ValueError("groups must be a positive integer")
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ValueError(
                    f"{name} must be divisible by groups, got {getattr(self, name)} and {self.groups}"
                )
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(
                    f"Invalid padding string {self.padding!r}, should be one of {{'same', 'valid'}}"
                )
            if self.padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{self.padding_mode}'"
            )

    def reset_parameters(self):
        """Draws weight and bias anew, both from U(-b, b) with b = 1 / sqrt(weight.shape[1] * prod(kernel_size))."""
        if self.weight.numel() == 0:
            return
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self):
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        ]
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * self.rank:
                parts.append(f"{name}={value}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Conv(ConvBase):
    convolve = None

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
        padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip
        self._border = self._border_widths()

    def _border_widths(self):
        """What ``pad`` is called with before the convolution: nothing where zeros do."""
        if self.padding_mode == "zeros" or self.padding == "valid":
            return None
        if self.padding == "same":
            total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            sides = [(t // 2, t - t // 2) for t in total]
        else:
            sides = [(p, p) for p in self.padding]
        return tuple(width for side in reversed(sides) for width in side)

    def forward(self, input):
        padding = self.padding
        if self._border is not None:
            input = pad(input, self._border, self.padding_mode)
            padding = 0
        convolve = self.__class__.convolve
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """A 1-D convolution with a trained weight and bias; the equation is that of ``nn.functional.conv1d``.

    Shapes: input (N, in_channels, L) or (in_channels, L), output (N, out_channels, M) or (out_channels, M),
    ``weight`` (out_channels, in_channels / groups, kernel_size), ``bias`` (out_channels) or None. Both start from
    U(-b, b), b = 1 / sqrt(in_channels / groups * kernel_size).
    ``padding`` is an int, 'same' or 'valid'; ``padding_mode`` is 'zeros', 'reflect', 'replicate' or 'circular'.

    Raises ``ValueError`` for arguments that do not fit together, ``RuntimeError`` for inputs that do not fit them.
    Source: PyTorch's ``torch.nn.Conv1d``.

    >>> import minidl
    >>> layer = minidl.nn.Conv1d(16, 33, 3, stride=2)
    >>> layer(minidl.ones(20, 16, 50)).shape
    torch.Size([20, 33, 24])
    """

    rank = 1
    convolve = conv1d


class Conv2d(_Conv):
    """A 2-D convolution with a trained weight and bias; the equation is that of ``nn.functional.conv2d``.

    Shapes: input (N, in_channels, H, W) or (in_channels, H, W), output (N, out_channels, P, Q) or
    (out_channels, P, Q), ``weight`` (out_channels, in_channels / groups, *kernel_size), ``bias`` (out_channels).
    The arguments are ints or pairs; initial values, padding and errors are as in ``Conv1d``.
    Source: PyTorch's ``torch.nn.Conv2d``.

    >>> import minidl
    >>> minidl.nn.Conv2d(3, 8, (3, 5), padding="same")
    Conv2d(3, 8, kernel_size=(3, 5), stride=(1, 1), padding=same)
    """

    rank = 2
    convolve = conv2d


class Conv3d(_Conv):
    """A 3-D convolution with a trained weight and bias; the equation is that of ``nn.functional.conv3d``.

    Shapes: input (N, in_channels, D, H, W) or (in_channels, D, H, W), output (N, out_channels, P, Q, R) or
    (out_channels, P, Q, R), ``weight`` (out_channels, in_channels / groups, *kernel_size), ``bias`` (out_channels) or
    None. The arguments are ints or triples; initial values, padding and errors are as in ``Conv1d``.
    Source: PyTorch's ``torch.nn.Conv3d``.

    >>> import minidl
    >>> minidl.nn.Conv3d(2, 4, 3)(minidl.ones(1, 2, 5, 5, 5)).shape
    torch.Size([1, 4, 3, 3, 3])
    """

    rank = 3
    convolve = conv3d
