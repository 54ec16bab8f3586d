"""Transposed convolution layers: ``ConvTranspose1d``, ``ConvTranspose2d``, ``ConvTranspose3d``."""

from minidl.backends.geometry import span
from minidl.nn.conv import ConvBase
from minidl.ops.conv import conv_transpose1d, conv_transpose2d, conv_transpose3d

__all__ = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


class _ConvTranspose(ConvBase):
    transposed = True
    convolve = None

    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True,
        dilation=1, padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {self.__class__.__name__}')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def _output_padding_for(self, input, output_size):
        """The output padding that gives ``output_size``, with or without its batch and channel dimensions."""
        if output_size is None:
            return self.output_padding
        rank, extra = self.rank, input.ndim - self.rank
        size = tuple(output_size)
        if len(size) == rank + extra:
            size = size[extra:]
        if len(size) != rank:
            raise ValueError(
                f"ConvTranspose{rank}D: for {input.ndim}D input, output_size must have {rank} or {rank + extra} "
                f"elements (got {len(size)})"
            )
        steps = zip(
            input.shape[extra:], self.kernel_size, self.stride, self.padding, self.dilation, strict=True
        )
        least = [(n - 1) * s - 2 * p + span(k, d) for n, k, s, p, d in steps]
        most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
        if any(not low <= n <= high for n, low, high in zip(size, least, most, strict=True)):
            raise ValueError(
                f"requested an output size of {list(size)}, but valid sizes range from {least} to {most} "
                f"(for an input of {list(input.shape[extra:])})"
            )
        return tuple(n - low for n, low in zip(size, least, strict=True))

    def forward(self, input, output_size=None):
        output_padding = self._output_padding_for(input, output_size)
        convolve = self.__class__.convolve
        return convolve(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            output_padding,
            self.groups,
            self.dilation,
        )


class ConvTranspose1d(_ConvTranspose):
    """The transpose of ``Conv1d`` with a trained weight and bias; the equation is that of ``conv_transpose1d``.

    Shapes: input (N, in_channels, L) or (in_channels, L), output (N, out_channels, M) or (out_channels, M) with
    M = (L - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1, ``weight``
    (in_channels, out_channels / groups, kernel_size), ``bias`` (out_channels) or None. Both start from U(-b, b),
    b = 1 / sqrt(out_channels / groups * kernel_size). A call may name the ``output_size`` that it wants in place of
    ``output_padding``.

    Raises ``ValueError`` for arguments that do not fit together or an ``output_size`` out of reach,
    ``RuntimeError`` for inputs that do not fit the layer. Source: PyTorch's ``torch.nn.ConvTranspose1d``.

    >>> import minidl
    >>> layer = minidl.nn.ConvTranspose1d(4, 2, 3, stride=2)
    >>> layer(minidl.ones(1, 4, 5)).shape, layer(minidl.ones(1, 4, 5), output_size=(12,)).shape
    (torch.Size([1, 2, 11]), torch.Size([1, 2, 12]))
    """

    rank = 1
    convolve = conv_transpose1d


class ConvTranspose2d(_ConvTranspose):
    """The transpose of ``Conv2d`` with a trained weight and bias; sizes, values and errors as in ``ConvTranspose1d``.

    Shapes: input (N, in_channels, H, W) or (in_channels, H, W), output (N, out_channels, P, Q) or (out_channels, P, Q),
    ``weight`` (in_channels, out_channels / groups, *kernel_size). Source: PyTorch's ``torch.nn.ConvTranspose2d``.

    >>> import minidl
    >>> minidl.nn.ConvTranspose2d(4, 2, 2, stride=2)(minidl.ones(1, 4, 5, 5)).shape
    torch.Size([1, 2, 10, 10])
    """

    rank = 2
    convolve = conv_transpose2d


class ConvTranspose3d(_ConvTranspose):
    """The transpose of ``Conv3d`` with a trained weight and bias; sizes, values and errors as in ``ConvTranspose1d``.

    Shapes: input (N, in_channels, D, H, W) or (in_channels, D, H, W), output (N, out_channels, P, Q, R) or
    (out_channels, P, Q, R), ``weight`` (in_channels, out_channels / groups, *kernel_size).
    Source: PyTorch's ``torch.nn.ConvTranspose3d``.

    >>> import minidl
    >>> minidl.nn.ConvTranspose3d(4, 2, 2, stride=2)(minidl.ones(1, 4, 3, 3, 3)).shape
    torch.Size([1, 2, 6, 6, 6])
    """

    rank = 3
    convolve = conv_transpose3d
