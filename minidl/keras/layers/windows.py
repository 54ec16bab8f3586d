"""Windows as Keras places them: uneven padding of 'same', 'causal', sizes of outputs, channels first or last."""

from minidl.nn import functional as F

__all__ = ["channels_first", "channels_last", "pad_spatial", "padded_sides", "window_sizes"]


def padded_sides(padding, sizes, kernel, stride, dilation):
    """Zeros ``(before, after)`` on each spatial dimension: for 'same' the odd one lies after."""
    sides = []
    for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
        if padding == "same":
            total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            sides.append((total // 2, total - total // 2))
        elif padding == "causal":
            sides.append(((k - 1) * d, 0))
        else:
            sides.append((0, 0))
    return sides


def window_sizes(padding, sizes, kernel, stride, dilation):
    """Numbers of windows along each dimension (None where the size is unknown)."""
    found = []
    for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
        if n is None:
            found.append(None)
        elif padding in ("same", "causal"):
            found.append(-(-n // s))
        else:
            found.append((n - (k - 1) * d - 1) // s + 1)
    return tuple(found)


def pad_spatial(x, sides, value=0.0):
    """Pads the last dimensions of x by ``sides``, one (before, after) each."""
    widths = tuple(width for side in reversed(sides) for width in side)
    return F.pad(x, widths, value=value) if any(widths) else x


def channels_first(x, data_format):
    """A (N, spatial..., C) tensor as a (N, C, spatial...) view; one that is channels first already as it is."""
    if data_format == "channels_first":
        return x
    return x.permute(0, x.ndim - 1, *range(1, x.ndim - 1))


def channels_last(x, data_format):
    """The way back from ``channels_first``."""
    if data_format == "channels_first":
        return x
    return x.permute(0, *range(2, x.ndim), 1)
