"""Layers that rearrange: pixels, channels, and windows of images."""

from minidl.nn.module import Module
from minidl.ops.fold import fold, unfold
from minidl.ops.shuffles import channel_shuffle, pixel_shuffle, pixel_unshuffle

__all__ = ["ChannelShuffle", "Fold", "PixelShuffle", "PixelUnshuffle", "Unfold"]


class PixelShuffle(Module):
    """Channels rearranged into r x r blocks of pixels, r = ``upscale_factor``, as ``nn.functional.pixel_shuffle`` does.

    Shapes: input (..., C r^2, H, W), output (..., C, H r, W r). Source: PyTorch's ``torch.nn.PixelShuffle``.

    >>> import minidl
    >>> minidl.nn.PixelShuffle(3)(minidl.ones(1, 9, 4, 4)).shape
    torch.Size([1, 1, 12, 12])
    """

    def __init__(self, upscale_factor):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input):
        return pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self):
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """The inverse of ``PixelShuffle``: r x r blocks of pixels become channels, r = ``downscale_factor``.

    Shapes: input (..., C, H r, W r), output (..., C r^2, H, W). Source: PyTorch's ``torch.nn.PixelUnshuffle``.

    >>> import minidl
    >>> minidl.nn.PixelUnshuffle(3)(minidl.ones(1, 1, 12, 12)).shape
    torch.Size([1, 9, 4, 4])
    """

    def __init__(self, downscale_factor):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input):
        return pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self):
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels of ``groups`` groups dealt out in turn, as ``nn.functional.channel_shuffle`` does.

    Shapes: input (N, C, *), output as input. Source: PyTorch's ``torch.nn.ChannelShuffle``.

    >>> import minidl
    >>> minidl.nn.ChannelShuffle(2)(minidl.arange(4).reshape(1, 4, 1, 1)).flatten()
    tensor([0, 2, 1, 3])
    """

    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, input):
        return channel_shuffle(input, self.groups)

    def extra_repr(self):
        return f"groups={self.groups}"


class Unfold(Module):
    """The windows of an image as the columns of a matrix; see ``nn.functional.unfold``.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C kH kW, oH oW) or (C kH kW, oH oW).
    Source: PyTorch's ``torch.nn.Unfold``.

    >>> import minidl
    >>> minidl.nn.Unfold(kernel_size=(2, 3))(minidl.ones(2, 5, 3, 4)).shape
    torch.Size([2, 30, 4])
    """

    def __init__(self, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input):
        return unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """Columns put back where their windows lie, and summed where they overlap; see ``nn.functional.fold``.

    Shapes: input (N, C kH kW, oH oW) or (C kH kW, oH oW), output (N, C, H, W) or (C, H, W).
    Source: PyTorch's ``torch.nn.Fold``.

    >>> import minidl
    >>> minidl.nn.Fold(output_size=(4, 5), kernel_size=(2, 2))(minidl.ones(1, 3 * 2 * 2, 12)).shape
    torch.Size([1, 3, 4, 5])
    """

    def __init__(self, output_size, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input):
        return fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self):
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
