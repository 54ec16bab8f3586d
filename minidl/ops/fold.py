"""Windows of images as columns, and columns summed back into images."""

import functools

import numpy as np

from minidl.autograd import function
from minidl.ops.joining import constant_pad
from minidl.ops.resample import Taps, resample
from minidl.ops.windows import ints, is_tensor, refuse_dtype


def _pairs(name, **settings):
    """Every setting as two ints. Raises ``RuntimeError`` for another count, or values out of range."""
    found = {}
    for argument, value in settings.items():
        pair = ints(value, name, argument)
        if isinstance(value, (tuple, list)) and len(pair) != 2:
            raise RuntimeError(f"It is expected {argument} equals to 2, but got size {len(pair)}")
        found[argument] = pair * (1 if len(pair) == 2 else 2)
    for argument, said, short in (
        ("kernel_size", "kernel size", "kernel"), ("dilation", "dilation", "dilation"), ("stride", "stride", "stride"),
    ):  # fmt: skip
        height, width = found[argument]
        if min(height, width) <= 0:
            raise RuntimeError(
                f"{said} should be greater than zero, but got {short}_height: {height} {short}_width: {width}"
            )
    height, width = found["padding"]
    if min(height, width) < 0:
        raise RuntimeError(f"padding should be non-negative, but got pad_height: {height} pad_width: {width}")
    return found


def _blocks(size, kernel_size, dilation, padding, stride):
    """How many windows lie along each dimension."""
    every = zip(size, kernel_size, dilation, padding, stride, strict=True)
    return tuple(max((n + 2 * p - d * (k - 1) - 1) // s + 1, 0) for n, k, d, p, s in every)


@functools.lru_cache(256)
def _columns(n, kernel, dilation, padding, stride, blocks):
    """The table of all windows along one dimension: the places of the first tap, of the second, and so on."""
    at = (np.arange(blocks) * stride + np.arange(kernel)[:, None] * dilation).reshape(-1)
    return Taps(len(at), n + 2 * padding, ((at, None, None),))


def _tables(size, blocks, kernel_size, dilation, padding, stride):
    every = zip(size, kernel_size, dilation, padding, stride, blocks, strict=True)
    return [_columns(*settings) for settings in every]


def _around(ndim, padding, sign=1):
    """The padding as what ``constant_pad`` adds, or with sign -1 takes away."""
    return ((0, 0),) * (ndim - 2) + tuple((sign * p, sign * p) for p in padding)


@function(faces=("functional",), method=False, shown="Im2Col")
def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of an image as the columns of a matrix.

    output[n, (c kH + i) kW + j, y oW + x] = input[n, c, y s - p + i d, x s - p + j d], zero in the padding

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C kH kW, oH oW) or (C kH kW, oH oW) with
    oH = floor((H + 2 padding - dilation (kH - 1) - 1) / stride) + 1. The arguments are ints or pairs. Floating point.

    Raises ``RuntimeError`` for settings that do not fit, ``NotImplementedError`` for integers.
    Source: ``torch.nn.functional.unfold``.

    >>> import minidl
    >>> minidl.nn.functional.unfold(minidl.tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
    tensor([[1., 2.],
            [2., 3.]])
    """
    is_tensor(input, "unfold", "input", 1)
    settings = _pairs("im2col", kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    shape = tuple(input.shape)
    if input.ndim not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(shape)}"
        )
    refuse_dtype(input, "im2col_out_cpu", "iu")
    size = shape[-2:]
    blocks = _blocks(size, **settings)
    if min(blocks) < 1:
        kernel, dilated, padded = (settings[name] for name in ("kernel_size", "dilation", "padding"))
        raise RuntimeError(
            f"Given input with spatial size {size}, kernel_size={kernel}, dilation={dilated}, padding={padded}, "
            f"calculated shape of the array of sliding blocks as {blocks}, but its components must be at least one."
        )
    rows, columns = _tables(size, blocks, **settings)
    lead, (kh, kw) = shape[:-2], settings["kernel_size"]
    padded = constant_pad(input, _around(input.ndim, settings["padding"]), 0)
    taken = resample(resample(padded, input.ndim - 2, rows), input.ndim - 1, columns)
    split = taken.reshape(*lead, kh, blocks[0], kw, blocks[1]).transpose(-3, -2)
    return split.reshape(*lead[:-1], lead[-1] * kh * kw, blocks[0] * blocks[1])


def _check_columns(input, output_size, blocks, kernel_size, dilation, padding, stride):
    shape = tuple(input.shape)
    if input.ndim not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(shape)}"
        )
    dim = input.ndim - 2
    if shape[dim] % (kernel_size[0] * kernel_size[1]):
        raise RuntimeError(
            f"Expected size of input's dimension {dim} to be divisible by the product of kernel_size, but got "
            f"input.size({dim})={shape[dim]} and kernel_size={kernel_size}."
        )
    if shape[-1] != blocks[0] * blocks[1]:
        raise RuntimeError(
            f"Given output_size={output_size}, kernel_size={kernel_size}, dilation={dilation}, padding={padding}, "
            f"stride={stride}, expected size of input's dimension {dim + 1} to match the calculated number of sliding "
            f"blocks {blocks[0]} * {blocks[1]} = {blocks[0] * blocks[1]}, but got input.size({dim + 1})={shape[-1]}."
        )


@function(faces=("functional",), method=False, shown="Col2Im")
def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The transpose of ``unfold``: columns put back where their windows lie, and summed where they overlap.

    Shapes: input (N, C kH kW, oH oW) or (C kH kW, oH oW), output (N, C, H, W) or (C, H, W) with (H, W) =
    ``output_size``; oH and oW are those of ``unfold``. The arguments are ints or pairs. Floating point.

    Raises ``RuntimeError`` for settings that do not fit, ``NotImplementedError`` for integers.
    Source: ``torch.nn.functional.fold``.

    >>> import minidl
    >>> minidl.nn.functional.fold(minidl.tensor([[1.0, 2.0], [2.0, 3.0]]), (1, 3), (1, 2))
    tensor([[[1., 4., 3.]]])
    """
    is_tensor(input, "fold", "input", 1)
    settings = _pairs(
        "col2im", output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
    )  # fmt: skip
    size = settings.pop("output_size")
    blocks = _blocks(size, **settings)
    _check_columns(input, size, blocks, **settings)
    refuse_dtype(input, "col2im_out_cpu", "biu")
    rows, columns = _tables(size, blocks, **settings)
    kh, kw = settings["kernel_size"]
    lead = (*input.shape[:-2], input.shape[-2] // (kh * kw))
    split = input.reshape(*lead, kh, kw, *blocks).transpose(-3, -2)
    taken = split.reshape(*lead, kh * blocks[0], kw * blocks[1])
    dims = taken.ndim - 2, taken.ndim - 1
    padded = resample(resample(taken, dims[1], columns.transposed), dims[0], rows.transposed)
    return constant_pad(padded, _around(taken.ndim, settings["padding"], -1), 0)
