"""Windows of images as columns and back, and pooling to a size: ``unfold``, ``fold``, ``adaptive_average_pool``."""

from minidl.keras.ops.operation import floating, operation
from minidl.keras.settings import standardize_data_format
from minidl.nn import functional as F

_AVERAGE = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
_MAX = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)


@operation
def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of (N, C, H, W) as columns: (N, C kernel height kernel width, windows)."""
    return F.unfold(floating(x), kernel_size, dilation, padding, stride)


@operation
def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The sums of columns (N, C kernel height kernel width, windows) at their places, (N, C, *output_size)."""
    return F.fold(floating(x), output_size, kernel_size, dilation, padding, stride)


def _pooled(functions, inputs, output_size, data_format):
    x = floating(inputs)
    rank = x.ndim - 2
    if not 1 <= rank <= 3:
        raise ValueError(f"inputs must have 3, 4 or 5 dimensions, but got shape {tuple(x.shape)}")
    last = standardize_data_format(data_format) == "channels_last"
    size = (output_size,) * rank if isinstance(output_size, int) else tuple(output_size)
    x = functions[rank - 1](x.movedim(-1, 1) if last else x, size)
    return x.movedim(1, -1) if last else x


@operation
def adaptive_average_pool(inputs, output_size, data_format=None):
    """The means of ``output_size`` nearly equal parts of each spatial dimension.

    >>> from minidl.keras import ops
    >>> ops.adaptive_average_pool(ops.ones((2, 5, 3)), 2).shape
    torch.Size([2, 2, 3])
    """
    return _pooled(_AVERAGE, inputs, output_size, data_format)


@operation
def adaptive_max_pool(inputs, output_size, data_format=None):
    """The maxima of ``output_size`` nearly equal parts of each spatial dimension."""
    return _pooled(_MAX, inputs, output_size, data_format)
