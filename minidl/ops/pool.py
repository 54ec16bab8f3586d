"""Pooling: the maximum or the mean of windows, and of a given number of bins ("adaptive").

A pooling and its gradient are two ops that differentiate into each other: given which taps won, a maximum is linear.
"""

from math import prod

from minidl import dtypes
from minidl.autograd import Saved, function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.indexing import gather
from minidl.ops.pool_checks import check_adaptive, check_avg, check_max
from minidl.ops.shapes import reshape
from minidl.ops.windows import batched, unbatched


def _max_rule(g, offsets, input_shape, kernel_size, stride, padding, dilation):
    return max_pool_grad(g, offsets, input_shape, kernel_size, stride, padding, dilation)


def _of_rank(name, ending=""):
    """What PyTorch calls a node of that many spatial dimensions."""
    return lambda shape, kept: f"{name}{len(kept.get('kernel_size') or shape[2:])}D{ending}"


def _shown(out, name, rank, ending=""):
    """The output of a pooling, under PyTorch's name: its 1-D poolings are 2-D ones, squeezed."""
    return named(out, "SqueezeBackward1" if rank == 1 else f"{name}{rank}D{ending}")


@op(input=_max_rule, shown=_of_rank("MaxPool", "WithIndices"), faces=(), method=False)
def max_pool(input, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest value of every window; arguments are checked, one entry a spatial dimension."""
    output, offsets = of(input).max_pool(input, kernel_size, stride, padding, dilation, ceil_mode)
    return output, Saved(offsets=offsets)


def _max_and_indices_rule(g0, g1, offsets, input_shape, kernel_size, stride, padding, dilation):
    return max_pool_grad(g0, offsets, input_shape, kernel_size, stride, padding, dilation)


@op(input=_max_and_indices_rule, shown=_of_rank("MaxPool", "WithIndices"), faces=(), method=False)
def max_pool_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode):
    """As ``max_pool``, and the flat position (int64) in the input's spatial dimensions of every maximum."""
    space = of(input)
    output, offsets = space.max_pool(input, kernel_size, stride, padding, dilation, ceil_mode)
    indices = space.max_pool_indices(offsets, input.shape, kernel_size, stride, padding, dilation)
    return (output, indices), Saved(offsets=offsets)


@op(
    grad=lambda g, offsets, kernel_size, stride, padding, dilation: max_pool_gather(
        g, offsets, kernel_size, stride, padding, dilation
    ),
    constant="offsets", faces=(), method=False,
)  # fmt: skip
def max_pool_grad(grad, offsets, input_shape, kernel_size, stride, padding, dilation):
    """The gradient of ``max_pool`` by its input: ``grad`` at the taps that won, zero elsewhere."""
    return of(grad).max_pool_grad(grad, offsets, input_shape, kernel_size, stride, padding, dilation)


@op(input=_max_rule, constant="offsets", faces=(), method=False)
def max_pool_gather(input, offsets, kernel_size, stride, padding, dilation):
    """The values of ``input`` at the taps that won."""
    return of(input).max_pool_gather(input, offsets, kernel_size, stride, padding, dilation)


@op(
    input=lambda g, input_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: (
        avg_pool_grad(
            g, input_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        )
    ),
    shown=_of_rank("AvgPool"), faces=(), method=False,
)  # fmt: skip
def avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The mean of every window; arguments are checked, one entry a spatial dimension."""
    return of(input).avg_pool(
        input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@op(
    grad=lambda g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: avg_pool(
        g, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    ),
    faces=(), method=False,
)  # fmt: skip
def avg_pool_grad(
    grad, input_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
):
    """The gradient of ``avg_pool`` by its input: every window's ``grad``, spread evenly."""
    return of(grad).avg_pool_grad(
        grad, input_shape, kernel_size, stride, padding, count_include_pad, divisor_override
    )


@op(
    input=lambda g, input_shape: adaptive_avg_pool_grad(g, input_shape), shown=_of_rank("AdaptiveAvgPool"),
    faces=(), method=False,
)  # fmt: skip
def adaptive_avg_pool(input, output_size):
    """The mean of every bin; ``output_size`` is checked, one entry a spatial dimension."""
    return of(input).adaptive_avg_pool(input, output_size)


@op(grad=lambda g, grad_shape: adaptive_avg_pool(g, grad_shape[2:]), faces=(), method=False)
def adaptive_avg_pool_grad(grad, input_shape):
    """The gradient of ``adaptive_avg_pool`` by its input: every bin's ``grad``, spread evenly."""
    return of(grad).adaptive_avg_pool_grad(grad, input_shape)


@op(constant="input", faces=(), method=False)
def adaptive_max_indices(input, output_size):
    """The flat position (int64) in the spatial dimensions of the largest value of every bin."""
    return of(input).adaptive_max_pool(input, output_size)[1]


def _max(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    geometry = check_max(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    input, single = batched(input, rank)
    if return_indices:
        output, indices = max_pool_with_indices(input, *geometry, bool(ceil_mode))
        return _shown(unbatched(output, single), "MaxPool", rank, "WithIndices"), unbatched(indices, single)
    output = unbatched(max_pool(input, *geometry, bool(ceil_mode)), single)
    return _shown(output, "MaxPool", rank, "WithIndices")


@function(faces=("torch", "functional"), method=False)
def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest value of every window of ``kernel_size`` elements.

    output[n, c, i] = max over k of input[n, c, stride * i + dilation * k - padding]; padding never wins

    Shapes: input (N, C, L) or (C, L), output (N, C, M) or (C, M) with
    M = floor((L + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1, or with ceil in place of floor where
    ``ceil_mode`` holds (a last window that would start behind the input is left out). Any dtype but bool.
    ``stride`` is ``kernel_size`` by default. With ``return_indices``: also the position of every maximum in L (int64).
    The gradient goes to the first of equal values; a NaN wins over any number.

    Raises ``RuntimeError`` for shapes or settings that do not fit. Source: ``torch.nn.functional.max_pool1d``.

    >>> import minidl
    >>> minidl.max_pool1d(minidl.tensor([[1.0, 3.0, 2.0, 4.0]]), 2)
    tensor([[3., 4.]])
    """
    return _max("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@function(faces=("torch", "functional"), method=False)
def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest value of every window of an image; equation, sizes, ties and errors as in ``max_pool1d``.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q). The arguments are ints or pairs.
    ``return_indices`` gives positions in the flattened H x W. Raises ``RuntimeError`` for what does not fit.
    Source: ``torch.nn.functional.max_pool2d``.

    >>> import minidl
    >>> minidl.max_pool2d(minidl.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2)
    tensor([[[4.]]])
    """
    return _max("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@function(faces=("torch", "functional"), method=False)
def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest value of every window of a volume; equation, sizes, ties and errors as in ``max_pool1d``.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output (N, C, P, Q, R) or (C, P, Q, R). The arguments are ints or
    triples. ``return_indices`` gives positions in the flattened D x H x W. Raises ``RuntimeError`` for what does not
    fit. Source: ``torch.nn.functional.max_pool3d``.

    >>> import minidl
    >>> minidl.max_pool3d(minidl.ones(1, 4, 4, 4), 2).shape
    torch.Size([1, 2, 2, 2])
    """
    return _max("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _avg(
    name, rank, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override=None
):
    geometry = check_avg(name, rank, input, kernel_size, stride, padding, ceil_mode, divisor_override)
    input, single = batched(input, rank)
    whole = input.dtype is dtypes.int64
    values = input.double() if whole else input
    output = avg_pool(values, *geometry, bool(ceil_mode), bool(count_include_pad), divisor_override)
    return _shown(unbatched(output.to(dtypes.int64) if whole else output, single), "AvgPool", rank)


@function(faces=("torch", "functional"), method=False)
def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of every window of ``kernel_size`` elements.

    output[n, c, i] = sum over k of input[n, c, stride * i + k - padding] / count

    The padding counts as zeros; without ``count_include_pad`` it does not count. What hangs over the end with
    ``ceil_mode`` never counts.
    Shapes: input (N, C, L) or (C, L), output (N, C, M) or (C, M), M as in ``max_pool1d`` with dilation 1.
    Floating point.
    ``stride`` is ``kernel_size`` by default.

    Raises ``RuntimeError`` for shapes or settings that do not fit, ``NotImplementedError`` for integers.
    Source: ``torch.nn.functional.avg_pool1d``.

    >>> import minidl
    >>> minidl.avg_pool1d(minidl.tensor([[1.0, 3.0, 2.0, 4.0]]), 2)
    tensor([[2., 3.]])
    """
    return _avg("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


@function(faces=("functional",), method=False)
def avg_pool2d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """The mean of every window of an image; equation, sizes and errors as in ``avg_pool1d``.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q). The arguments are ints or pairs.
    ``divisor_override`` (not 0) divides the sums in place of the count. Raises ``RuntimeError`` for what does not fit.
    Source: ``torch.nn.functional.avg_pool2d``.

    >>> import minidl
    >>> minidl.nn.functional.avg_pool2d(minidl.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2)
    tensor([[[2.5000]]])
    """
    return _avg(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@function(faces=("functional",), method=False)
def avg_pool3d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """The mean of every window of a volume; equation, sizes and errors as in ``avg_pool1d``.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output (N, C, P, Q, R) or (C, P, Q, R). The arguments are ints or
    triples. ``divisor_override`` (not 0) divides the sums in place of the count. Raises ``RuntimeError`` for what does
    not fit. Source: ``torch.nn.functional.avg_pool3d``.

    >>> import minidl
    >>> minidl.nn.functional.avg_pool3d(minidl.ones(1, 4, 4, 4), 2).shape
    torch.Size([1, 2, 2, 2])
    """
    return _avg(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def _adaptive_avg(name, rank, input, output_size):
    size = check_adaptive(name, rank, input, output_size, "biu")
    input, single = batched(input, rank)
    out = unbatched(adaptive_avg_pool(input, size), single)
    if rank > 1 and all(n == 1 for n in size):
        return named(out, "MeanBackward1")
    return _shown(out, "AdaptiveAvgPool", rank)


@function(faces=("torch", "functional"), method=False)
def adaptive_avg_pool1d(input, output_size):
    """The mean of each of ``output_size`` bins into which a signal is cut.

    output[n, c, i] = mean of input[n, c, start:end], start = floor(i L / M), end = ceil((i + 1) L / M)

    Shapes: input (N, C, L) or (C, L), output (N, C, M) or (C, M), M = ``output_size`` (an int). Floating point.
    Raises ``RuntimeError`` for an empty input or a negative size. Source: ``torch.nn.functional.adaptive_avg_pool1d``.

    >>> import minidl
    >>> minidl.adaptive_avg_pool1d(minidl.tensor([[1.0, 2.0, 3.0]]), 2)
    tensor([[1.5000, 2.5000]])
    """
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


@function(faces=("functional",), method=False)
def adaptive_avg_pool2d(input, output_size):
    """The mean of each of P x Q bins into which an image is cut; bins and errors as in ``adaptive_avg_pool1d``.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q). ``output_size`` is an int (P = Q) or a
    pair; None keeps the input's size. Source: ``torch.nn.functional.adaptive_avg_pool2d``.

    >>> import minidl
    >>> minidl.nn.functional.adaptive_avg_pool2d(minidl.ones(1, 8, 6, 6), (None, 2)).shape
    torch.Size([1, 8, 6, 2])
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


@function(faces=("functional",), method=False)
def adaptive_avg_pool3d(input, output_size):
    """The mean of each of P x Q x R bins into which a volume is cut; bins and errors as in ``adaptive_avg_pool1d``.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output (N, C, P, Q, R) or (C, P, Q, R). ``output_size`` is an int or
    a triple; None keeps the input's size. Source: ``torch.nn.functional.adaptive_avg_pool3d``.

    >>> import minidl
    >>> minidl.nn.functional.adaptive_avg_pool3d(minidl.ones(1, 8, 6, 6, 6), 1).shape
    torch.Size([1, 8, 1, 1, 1])
    """
    return _adaptive_avg("adaptive_avg_pool3d", 3, input, output_size)


_WIDEST_BIN = 8  # equal bins are windows; wide ones are faster bin by bin


def _adaptive_max(name, rank, input, output_size, return_indices):
    size = check_adaptive(name, rank, input, output_size, "b")
    input, single = batched(input, rank)
    if all(
        n > 0 and m % n == 0 and m // n <= _WIDEST_BIN for m, n in zip(input.shape[2:], size, strict=True)
    ):
        window, none = tuple(m // n for m, n in zip(input.shape[2:], size, strict=True)), (0,) * rank
        geometry = window, window, none, (1,) * rank, False
        if not return_indices:
            return _shown(unbatched(max_pool(input, *geometry), single), "AdaptiveMaxPool", rank)
        output, indices = max_pool_with_indices(input, *geometry)
        return _shown(unbatched(output, single), "AdaptiveMaxPool", rank), unbatched(indices, single)
    indices = adaptive_max_indices(input, size)
    planes = tuple(input.shape[:2])
    values = gather(
        reshape(input, (*planes, prod(input.shape[2:]))), 2, reshape(indices, (*planes, prod(size)))
    )
    output = _shown(unbatched(reshape(values, indices.shape), single), "AdaptiveMaxPool", rank)
    return (output, unbatched(indices, single)) if return_indices else output


@function(faces=("functional",), method=False)
def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The largest value of each of ``output_size`` bins; bins, shapes and errors as in ``adaptive_avg_pool1d``.

    With ``return_indices``: also the position of every maximum in L (int64), the first of equal values.
    Source: ``torch.nn.functional.adaptive_max_pool1d``.

    >>> import minidl
    >>> minidl.nn.functional.adaptive_max_pool1d(minidl.tensor([[1.0, 2.0, 3.0]]), 2)
    tensor([[2., 3.]])
    """
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@function(faces=("functional",), method=False)
def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The largest value of each of P x Q bins; shapes as in ``adaptive_avg_pool2d``, indices in the flattened H x W.

    Source: ``torch.nn.functional.adaptive_max_pool2d``.

    >>> import minidl
    >>> minidl.nn.functional.adaptive_max_pool2d(minidl.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 1)
    tensor([[[4.]]])
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


@function(faces=("functional",), method=False)
def adaptive_max_pool3d(input, output_size, return_indices=False):
    """The largest value of each of P x Q x R bins; shapes as in ``adaptive_avg_pool3d``, indices in D x H x W.

    Source: ``torch.nn.functional.adaptive_max_pool3d``.

    >>> import minidl
    >>> minidl.nn.functional.adaptive_max_pool3d(minidl.ones(1, 4, 4, 4), 2).shape
    torch.Size([1, 2, 2, 2])
    """
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)
