"""Rearrangements of channels: into pixels and back, and between groups."""

from minidl.autograd import function
from minidl.ops.common import as_index


def _pixels(name, input, factor, argument):
    """The factor as a positive int, for an input of at least three dimensions."""
    try:
        factor = as_index(factor, argument)
    except TypeError:
        raise TypeError(
            f"{name}(): argument '{argument}' (position 2) must be int, not {factor.__class__.__name__}"
        ) from None
    if input.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {argument}, but got {factor}")
    return factor


@function(faces=("torch", "functional"), method=False, tensors="input", shown="PixelShuffle")
def pixel_shuffle(input, upscale_factor):
    """Channels rearranged into r x r blocks of pixels, r = ``upscale_factor``.

    output[..., c, h r + i, w r + j] = input[..., c r^2 + i r + j, h, w]

    Shapes: input (..., C r^2, H, W), output (..., C, H r, W r). Any dtype. Raises ``RuntimeError`` for fewer than three
    dimensions or channels that r^2 does not divide.
    Source: W. Shi et al., "Real-time single image and video super-resolution", 2016; ``torch.pixel_shuffle``.

    >>> import minidl
    >>> minidl.pixel_shuffle(minidl.arange(4).reshape(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    r = _pixels("pixel_shuffle", input, upscale_factor, "upscale_factor")
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n = len(lead)
    blocks = input.reshape(*lead, channels // (r * r), r, r, height, width)
    moved = blocks.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return moved.reshape(*lead, channels // (r * r), height * r, width * r)


@function(faces=("torch", "functional"), method=False, tensors="input", shown="PixelUnshuffle")
def pixel_unshuffle(input, downscale_factor):
    """The inverse of ``pixel_shuffle``: r x r blocks of pixels become channels, r = ``downscale_factor``.

    Shapes: input (..., C, H r, W r), output (..., C r^2, H, W). Any dtype. Raises ``RuntimeError`` for fewer than three
    dimensions, a height or a width that r does not divide. Source: ``torch.pixel_unshuffle``.

    >>> import minidl
    >>> minidl.pixel_unshuffle(minidl.arange(4).reshape(1, 2, 2), 2).flatten()
    tensor([0, 1, 2, 3])
    """
    r = _pixels("pixel_unshuffle", input, downscale_factor, "downscale_factor")
    *lead, channels, height, width = input.shape
    for what, dim, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but input.size({dim})={size} is "
                f"not divisible by {r}"
            )
    n = len(lead)
    blocks = input.reshape(*lead, channels, height // r, r, width // r, r)
    moved = blocks.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return moved.reshape(*lead, channels * r * r, height // r, width // r)


@function(faces=("torch", "functional"), method=False, tensors="input", shown="ChannelShuffle")
def channel_shuffle(input, groups):
    """The channels of ``groups`` groups dealt out in turn.

    output[n, k groups + g] = input[n, g C / groups + k]

    Shapes: input (N, C, *), output as input. Any dtype. Raises ``RuntimeError`` for fewer than three dimensions or C
    that ``groups`` does not divide. Source: X. Zhang et al., "ShuffleNet", 2018; ``torch.channel_shuffle``.

    >>> import minidl
    >>> minidl.channel_shuffle(minidl.arange(4).reshape(1, 4, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    if input.ndim < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    samples, channels, *size = input.shape
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups."
        )
    grouped = input.reshape(samples, groups, channels // groups, *size)
    return grouped.transpose(1, 2).reshape(input.shape)
