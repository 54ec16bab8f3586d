"""Pooling layers: the maximum or the mean of windows, and of a given number of bins."""

from minidl.nn.module import Module
from minidl.ops.pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]


class _MaxPool(Module):
    pool = None

    def __init__(
        self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input):
        pool = self.__class__.pool
        return pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest value of every window of a signal, as ``nn.functional.max_pool1d`` defines it.

    Shapes: input (N, C, L) or (C, L), output (N, C, M) or (C, M).
    ``stride`` is ``kernel_size`` by default. With ``return_indices`` the layer returns the positions of the maxima too.
    Source: PyTorch's ``torch.nn.MaxPool1d``.

    >>> import minidl
    >>> minidl.nn.MaxPool1d(3, stride=2)(minidl.ones(20, 16, 50)).shape
    torch.Size([20, 16, 24])
    """

    pool = max_pool1d


class MaxPool2d(_MaxPool):
    """The largest value of every window of an image, as ``nn.functional.max_pool2d`` defines it.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q).
    ``stride`` is ``kernel_size`` by default. With ``return_indices`` the layer returns the positions of the maxima too.
    Source: PyTorch's ``torch.nn.MaxPool2d``.

    >>> import minidl
    >>> minidl.nn.MaxPool2d(3, stride=2)(minidl.ones(20, 16, 50, 32)).shape
    torch.Size([20, 16, 24, 15])
    """

    pool = max_pool2d


class MaxPool3d(_MaxPool):
    """The largest value of every window of a volume, as ``nn.functional.max_pool3d`` defines it.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output (N, C, P, Q, R) or (C, P, Q, R).
    ``stride`` is ``kernel_size`` by default. With ``return_indices`` the layer returns the positions of the maxima too.
    Source: PyTorch's ``torch.nn.MaxPool3d``.

    >>> import minidl
    >>> minidl.nn.MaxPool3d(2)(minidl.ones(2, 4, 8, 8, 8)).shape
    torch.Size([2, 4, 4, 4, 4])
    """

    pool = max_pool3d


class _AvgPool(Module):
    pool = None

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=True,
        divisor_override=None,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input):
        pool = self.__class__.pool
        return pool(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of every window of a signal, as ``nn.functional.avg_pool1d`` defines it.

    Shapes: input (N, C, L) or (C, L), output (N, C, M) or (C, M). ``stride`` is ``kernel_size`` by default.
    Source: PyTorch's ``torch.nn.AvgPool1d``.

    >>> import minidl
    >>> minidl.nn.AvgPool1d(3, stride=2)(minidl.tensor([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]]]))
    tensor([[[2., 4., 6.]]])
    """

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        stride = kernel_size if stride is None else stride
        settings = (_single(value) for value in (kernel_size, stride, padding))
        super().__init__(*settings, ceil_mode, count_include_pad)

    def forward(self, input):
        return avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


def _single(value):
    """One int as a tuple of one, which is how PyTorch keeps it."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


class AvgPool2d(_AvgPool):
    """The mean of every window of an image, as ``nn.functional.avg_pool2d`` defines it.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q). ``stride`` is ``kernel_size`` by default.
    Source: PyTorch's ``torch.nn.AvgPool2d``.

    >>> import minidl
    >>> minidl.nn.AvgPool2d(3, stride=2)(minidl.ones(20, 16, 50, 32)).shape
    torch.Size([20, 16, 24, 15])
    """

    pool = avg_pool2d


class AvgPool3d(_AvgPool):
    """The mean of every window of a volume, as ``nn.functional.avg_pool3d`` defines it.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output (N, C, P, Q, R) or (C, P, Q, R).
    ``stride`` is ``kernel_size`` by default.
    Source: PyTorch's ``torch.nn.AvgPool3d``.

    >>> import minidl
    >>> minidl.nn.AvgPool3d(2)(minidl.ones(2, 4, 8, 8, 8)).shape
    torch.Size([2, 4, 4, 4, 4])
    """

    pool = avg_pool3d


class _AdaptiveAvgPool(Module):
    pool = None

    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def forward(self, input):
        pool = self.__class__.pool
        return pool(input, self.output_size)

    def extra_repr(self):
        return f"output_size={self.output_size}"


class _AdaptiveMaxPool(_AdaptiveAvgPool):
    def __init__(self, output_size, return_indices=False):
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input):
        pool = self.__class__.pool
        return pool(input, self.output_size, self.return_indices)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The mean of each of ``output_size`` bins of a signal; see ``adaptive_avg_pool1d``.

    Shapes: input (N, C, L) or (C, L), output (N, C, M) or (C, M).
    Source: PyTorch's ``torch.nn.AdaptiveAvgPool1d``.

    >>> import minidl
    >>> minidl.nn.AdaptiveAvgPool1d(5)(minidl.ones(20, 16, 50)).shape
    torch.Size([20, 16, 5])
    """

    pool = adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The mean of each of ``output_size`` bins of an image; see ``adaptive_avg_pool2d``.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q).
    None in ``output_size`` keeps the input's size.
    Source: PyTorch's ``torch.nn.AdaptiveAvgPool2d``.

    >>> import minidl
    >>> minidl.nn.AdaptiveAvgPool2d((None, 7))(minidl.ones(20, 16, 50, 32)).shape
    torch.Size([20, 16, 50, 7])
    """

    pool = adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The mean of each of ``output_size`` bins of a volume; see ``adaptive_avg_pool3d``.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output (N, C, P, Q, R) or (C, P, Q, R).
    None in ``output_size`` keeps the input's size.
    Source: PyTorch's ``torch.nn.AdaptiveAvgPool3d``.

    >>> import minidl
    >>> minidl.nn.AdaptiveAvgPool3d(1)(minidl.ones(2, 4, 8, 8, 8)).shape
    torch.Size([2, 4, 1, 1, 1])
    """

    pool = adaptive_avg_pool3d


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest value of each of ``output_size`` bins of a signal; see ``adaptive_max_pool1d``.

    Shapes: input (N, C, L) or (C, L), output (N, C, M) or (C, M).
    Source: PyTorch's ``torch.nn.AdaptiveMaxPool1d``.

    >>> import minidl
    >>> minidl.nn.AdaptiveMaxPool1d(5)(minidl.ones(20, 16, 50)).shape
    torch.Size([20, 16, 5])
    """

    pool = adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest value of each of ``output_size`` bins of an image; see ``adaptive_max_pool2d``.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q).
    None in ``output_size`` keeps the input's size.
    Source: PyTorch's ``torch.nn.AdaptiveMaxPool2d``.

    >>> import minidl
    >>> minidl.nn.AdaptiveMaxPool2d((None, 7))(minidl.ones(20, 16, 50, 32)).shape
    torch.Size([20, 16, 50, 7])
    """

    pool = adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest value of each of ``output_size`` bins of a volume; see ``adaptive_max_pool3d``.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output (N, C, P, Q, R) or (C, P, Q, R).
    None in ``output_size`` keeps the input's size.
    Source: PyTorch's ``torch.nn.AdaptiveMaxPool3d``.

    >>> import minidl
    >>> minidl.nn.AdaptiveMaxPool3d(1)(minidl.ones(2, 4, 8, 8, 8)).shape
    torch.Size([2, 4, 1, 1, 1])
    """

    pool = adaptive_max_pool3d
