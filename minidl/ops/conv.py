"""Convolution and its transpose. Three ops that differentiate into each other, so every order of gradient works.

With y = conv(x, w), for any g of y's shape: <g, conv(x, w)> = <input_grad(g, w), x> = <weight_grad(g, x), w>. Each of
the three is linear in both of its arguments, and each argument's gradient is another of the three.
"""

from minidl.autograd import function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.backends.memory_order import is_laid, suggested
from minidl.layouts import contiguous_format
from minidl.ops.arithmetic import add
from minidl.ops.conv_checks import check_conv, check_transposed, per_dimension
from minidl.ops.joining import constant_pad
from minidl.ops.memory_formats import clone
from minidl.ops.reductions import sum
from minidl.ops.shapes import reshape
from minidl.ops.windows import batched, is_tensor, unbatched


def _laid(g, shape, strides):
    """``g`` in the memory format of images of this shape and strides: kernels are at their best with one format."""
    memory_format = suggested(shape, strides)
    if memory_format == contiguous_format or is_laid(getattr(g, "_array", g), memory_format):
        return g
    return clone(g, memory_format=memory_format)


def _bias_grad(g, input_shape):
    return sum(g, (0, *range(2, len(input_shape))))


@op(
    input=lambda g, input_shape, input_strides, weight, stride, padding, dilation, groups: conv_input_grad(
        _laid(g, input_shape, input_strides), weight, input_shape, stride, padding, dilation, groups
    ),
    weight=lambda g, input, input_strides, weight_shape, stride, padding, dilation, groups: conv_weight_grad(
        _laid(g, input.shape, input_strides), input, weight_shape, stride, padding, dilation, groups
    ),
    bias=_bias_grad, faces=(), method=False,
)  # fmt: skip
def convolution(input, weight, bias=None, stride=(1,), padding=(0,), dilation=(1,), groups=1):
    """The convolution of checked arguments, each a tuple with one entry a spatial dimension."""
    return of(input).conv_forward(input, weight, bias, stride, padding, dilation, groups)


@op(
    grad=lambda g, weight, stride, padding, dilation, groups: convolution(
        g, weight, None, stride, padding, dilation, groups
    ),
    weight=lambda g, grad, weight_shape, stride, padding, dilation, groups: conv_weight_grad(
        grad, g, weight_shape, stride, padding, dilation, groups
    ),
    shown="Convolution", faces=(), method=False,
)  # fmt: skip
def conv_input_grad(grad, weight, input_shape, stride, padding, dilation, groups):
    """The gradient of ``convolution`` by its input of shape ``input_shape``: the transposed convolution of ``grad``."""
    return of(grad).conv_input_grad(grad, weight, input_shape, stride, padding, dilation, groups)


@op(
    grad=lambda g, input, stride, padding, dilation, groups: convolution(
        input, g, None, stride, padding, dilation, groups
    ),
    input=lambda g, grad, input_shape, stride, padding, dilation, groups: conv_input_grad(
        grad, g, input_shape, stride, padding, dilation, groups
    ),
    faces=(), method=False,
)  # fmt: skip
def conv_weight_grad(grad, input, weight_shape, stride, padding, dilation, groups):
    """The gradient of ``convolution`` by its weight of shape ``weight_shape``."""
    return of(grad).conv_weight_grad(grad, input, weight_shape, stride, padding, dilation, groups)


def _conv(name, rank, input, weight, bias, stride, padding, dilation, groups):
    is_tensor(input, name, "input", 1)
    is_tensor(weight, name, "weight", 2)
    stride = per_dimension(stride, rank, name, "stride")
    dilation = per_dimension(dilation, rank, name, "dilation")
    extra = (0,) * rank
    if isinstance(padding, str):
        padding, extra = _named_padding(padding, weight, stride, dilation)
    else:
        padding = per_dimension(padding, rank, name, "padding")
    check_conv(name, input, weight, bias, stride, padding, extra, dilation, groups)
    input, single = batched(input, rank)
    if any(extra):
        input = constant_pad(input, ((0, 0), (0, 0), *((0, e) for e in extra)), 0)
    return unbatched(convolution(input, weight, bias, stride, padding, dilation, groups), single)


def _named_padding(padding, weight, stride, dilation):
    """Padding 'valid' or 'same' as numbers: on both sides, and on the right besides where the sides differ."""
    none = (0,) * len(stride)
    if padding == "valid":
        return none, none
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'. Hint: use 'same', 'valid' or ints.")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    total = [d * (k - 1) for k, d in zip(weight.shape[2:], dilation, strict=False)]
    return tuple(t // 2 for t in total), tuple(t % 2 for t in total)


@function(faces=("torch", "functional"), method=False)
def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A 1-D convolution (cross-correlation) of signals with several channels.

    output[n, o, i] = bias[o] + sum over c, k of weight[o, c, k] * input[n, c, stride * i + dilation * k - padding]

    Shapes: input (N, C, L) or (C, L), weight (O, C / groups, K), bias (O), output (N, O, M) or (O, M) with
    M = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1. All in one dtype.
    ``padding`` is an int, 'valid' (none) or 'same' (M = L; stride 1 only). ``groups`` > 1 splits the channels: output
    channels of a group see that group's input channels only.

    Raises ``RuntimeError`` for shapes, dtypes or settings that do not fit. Source: ``torch.nn.functional.conv1d``.

    >>> import minidl
    >>> minidl.conv1d(minidl.tensor([[1.0, 2.0, 4.0]]), minidl.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2.]])
    """
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@function(faces=("torch", "functional"), method=False)
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A 2-D convolution (cross-correlation) of images with several channels.

    output[n, o, i, j] = bias[o] + sum over c, k, l of
    weight[o, c, k, l] * input[n, c, stride * i + dilation * k - padding, stride * j + dilation * l - padding]

    Shapes: input (N, C, H, W) or (C, H, W), weight (O, C / groups, K, L), bias (O), output (N, O, P, Q) or (O, P, Q)
    with P = floor((H + 2 padding - dilation (K - 1) - 1) / stride) + 1, Q likewise from W. All in one dtype.
    ``stride``, ``padding`` and ``dilation`` are an int or a pair; ``padding`` may be 'valid' (none) or 'same' (output
    as large as the input; stride 1 only). ``groups`` > 1 splits the channels, as in ``conv1d``.

    Raises ``RuntimeError`` for shapes, dtypes or settings that do not fit.
    Source: LeCun et al., "Gradient-based learning applied to document recognition" (1998);
    ``torch.nn.functional.conv2d``.

    >>> import minidl
    >>> minidl.conv2d(minidl.ones(1, 1, 3, 3), minidl.ones(1, 1, 2, 2), padding=1).shape
    torch.Size([1, 1, 4, 4])
    """
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@function(faces=("torch", "functional"), method=False)
def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A 3-D convolution (cross-correlation) of volumes with several channels: ``conv2d``'s equation with a depth.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), weight (O, C / groups, K, L, M), bias (O), output (N, O, P, Q, R)
    or (O, P, Q, R), each size as in ``conv1d``. Arguments as in ``conv2d``, an int or a triple.

    Raises ``RuntimeError`` for shapes, dtypes or settings that do not fit. Source: ``torch.nn.functional.conv3d``.

    >>> import minidl
    >>> minidl.conv3d(minidl.ones(1, 1, 3, 3, 3), minidl.ones(4, 1, 2, 2, 2)).shape
    torch.Size([1, 4, 2, 2, 2])
    """
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _conv_transpose(name, rank, input, weight, bias, stride, padding, output_padding, groups, dilation):
    is_tensor(input, name, "input", 1)
    is_tensor(weight, name, "weight", 2)
    stride = per_dimension(stride, rank, name, "stride")
    padding = per_dimension(padding, rank, name, "padding")
    output_padding = per_dimension(output_padding, rank, name, "output_padding")
    dilation = per_dimension(dilation, rank, name, "dilation")
    out = check_transposed(name, input, weight, bias, stride, padding, output_padding, groups, dilation)
    input, single = batched(input, rank)
    # Output padding of a stride or more: as many zeros more at the input's end give the same output.
    extra = tuple(o // s for o, s in zip(output_padding, stride, strict=True))
    if any(extra):
        input = constant_pad(input, ((0, 0), (0, 0), *((0, e) for e in extra)), 0)
    shape = (input.shape[0], weight.shape[1] * groups, *out)
    output = conv_input_grad(input, weight, shape, stride, padding, dilation, groups)
    if bias is not None:
        output = add(output, reshape(bias, (-1, *[1] * rank)))
    return unbatched(named(output, "Convolution"), single)


@function(faces=("torch", "functional"), method=False)
def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of ``conv1d``: what its gradient does to the input, used as a layer that makes signals longer.

    output[n, o, stride * i + dilation * k - padding] += weight[c, o, k] * input[n, c, i], plus bias[o]

    Shapes: input (N, C, L) or (C, L), weight (C, O / groups, K), bias (O), output (N, O, M) or (O, M) with
    M = (L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1. ``output_padding`` must be smaller than
    stride or dilation: it chooses between the lengths that ``conv1d`` maps to the same L.

    Raises ``RuntimeError`` for shapes, dtypes or settings that do not fit.
    Source: Zeiler et al., "Deconvolutional networks" (2010); ``torch.nn.functional.conv_transpose1d``.

    >>> import minidl
    >>> minidl.conv_transpose1d(minidl.tensor([[1.0, 2.0]]), minidl.tensor([[[1.0, 1.0]]]), stride=2)
    tensor([[1., 1., 2., 2.]])
    """
    return _conv_transpose(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@function(faces=("torch", "functional"), method=False)
def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of ``conv2d``; equation, sizes and errors as in ``conv_transpose1d``, for each dimension.

    Shapes: input (N, C, H, W) or (C, H, W), weight (C, O / groups, K, L), bias (O), output (N, O, P, Q) or (O, P, Q).
    Raises ``RuntimeError`` for shapes, dtypes or settings that do not fit.
    Source: ``torch.nn.functional.conv_transpose2d``.

    >>> import minidl
    >>> minidl.conv_transpose2d(minidl.ones(1, 3, 4, 4), minidl.ones(3, 2, 2, 2), stride=2).shape
    torch.Size([1, 2, 8, 8])
    """
    return _conv_transpose(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


@function(faces=("torch", "functional"), method=False)
def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of ``conv3d``; equation, sizes and errors as in ``conv_transpose1d``, for each dimension.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), weight (C, O / groups, K, L, M), bias (O), output (N, O, P, Q, R)
    or (O, P, Q, R). Raises ``RuntimeError`` for shapes, dtypes or settings that do not fit.
    Source: ``torch.nn.functional.conv_transpose3d``.

    >>> import minidl
    >>> minidl.conv_transpose3d(minidl.ones(1, 1, 2, 2, 2), minidl.ones(1, 1, 2, 2, 2), stride=2).shape
    torch.Size([1, 1, 4, 4, 4])
    """
    return _conv_transpose(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )
