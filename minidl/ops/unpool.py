"""The partial inverse of maximum pooling, and poolings that always give the positions of the maxima."""

from math import prod

from minidl import dtypes
from minidl.autograd import function
from minidl.ops.common import told_later
from minidl.ops.create import zeros
from minidl.ops.pool import (
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from minidl.ops.windows import ints, refuse_dtype


def _each(value, rank, name, argument):
    found = ints(value, name, argument)
    if len(found) not in (1, rank):
        raise RuntimeError(f"{name}(): {argument} must be an int or {rank} of them, but got {list(found)}")
    return found * (1 if len(found) == rank else rank)


def _size(size, kernel_size, stride, padding, output_size):
    """The sizes of the output: the asked ones, where pooling could have come from them."""
    rank = len(size)
    least = [(n - 1) * s + k - 2 * p for n, k, s, p in zip(size, kernel_size, stride, padding, strict=True)]
    if output_size is None:
        return tuple(least)
    asked = tuple(output_size)
    if len(asked) == rank + 2:
        asked = asked[2:]
    if len(asked) != rank:
        raise ValueError(
            f"output_size should be a sequence containing {rank} or {rank + 2} elements, but it has a length of "
            f"'{len(asked)}'"
        )
    for dim, (n, low, s) in enumerate(zip(asked, least, stride, strict=True)):
        if not low - s < n < low + s:
            raise ValueError(
                f'invalid output_size "{list(asked)}" (dim {dim} must be between {low - s} and {low + s})'
            )
    return asked


def _check(input, indices, rank):
    name = f"max_unpooling{max(rank, 2)}d"
    if input.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"Input to {name} should be a {rank + 1}d or {rank + 2}d Tensor, but got a tensor with {input.ndim} "
            "dimensions."
        )
    if indices.dtype is not dtypes.int64:
        kind = dtypes.scalar_name(indices.dtype.numpy)
        raise RuntimeError(f"elements in indices should be type int64 but got: {kind}")
    if indices.shape != input.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got indices "
            f"tensor with shape: {list(indices.shape)}"
        )
    refuse_dtype(input, f"max_unpool{max(rank, 2)}d", "biu")
    for dim in range(input.ndim - rank - 1, input.ndim):
        if input.shape[dim] == 0:
            raise RuntimeError(
                f"{name}_forward_out_cpu(): Expected input to have non-zero size for non-batch dimensions, but got "
                f"{list(input.shape)} with dimension {dim} being empty."
            )


def _unpool(rank, input, indices, kernel_size, stride, padding, output_size):
    name = f"max_unpool{rank}d"
    _check(input, indices, rank)
    kernel_size = _each(kernel_size, rank, name, "kernel_size")
    stride = kernel_size if stride is None else _each(stride, rank, name, "stride")
    if min(stride) <= 0:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {list(stride)}")
    padding = _each(padding, rank, name, "padding")
    size = _size(tuple(input.shape[-rank:]), kernel_size, stride, padding, output_size)
    lead, count = tuple(input.shape[:-rank]), prod(max(n, 0) for n in size)
    flat = indices.reshape(*lead, prod(input.shape[-rank:]))
    if indices.numel() and not (count and told_later(flat._array, flat._array)):
        low, high = int(flat.min()), int(flat.max())
        if low < 0 or high >= count:
            volumes = "x".join(map(str, (*size, *((1,) if rank == 1 else ()))))
            raise RuntimeError(
                f"Found an invalid max index: {low if low < 0 else high} (output volumes are of size {volumes})"
            )
    empty = zeros((*lead, count), dtype=input.dtype, device=input.device)
    return empty.scatter(-1, flat, input.reshape(flat.shape)).reshape(*lead, *size)


@function(faces=("functional",), method=False, tensors="input indices", shown="SqueezeBackward1")
def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The values of ``input`` at the positions ``indices`` of the output, zeros elsewhere.

    output[n, c, indices[n, c, i]] = input[n, c, i]

    Shapes: input and indices (int64, as ``max_pool1d`` gives them with ``return_indices``) (N, C, L) or (C, L), output
    (N, C, M) or (C, M), M = ``output_size`` or (L - 1) stride + kernel_size - 2 padding. Floating point.

    Raises ``ValueError`` for an ``output_size`` that pooling would not have made to L, ``RuntimeError`` for indices
    outside the output or of another shape. Source: ``torch.nn.functional.max_unpool1d``.

    >>> import minidl
    >>> minidl.nn.functional.max_unpool1d(minidl.tensor([[3.0, 4.0]]), minidl.tensor([[1, 3]]), 2)
    tensor([[0., 3., 0., 4.]])
    """
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


@function(faces=("functional",), method=False, tensors="input indices", shown="MaxUnpool2D")
def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """``max_unpool1d`` of images.

    Shapes: input and indices (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q). The indices
    count in the flattened P x Q. Source: ``torch.nn.functional.max_unpool2d``.

    >>> import minidl
    >>> minidl.nn.functional.max_unpool2d(minidl.tensor([[[5.0]]]), minidl.tensor([[[2]]]), 2)
    tensor([[[0., 0.],
             [5., 0.]]])
    """
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


@function(faces=("functional",), method=False, tensors="input indices", shown="MaxUnpool3D")
def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """``max_unpool1d`` of volumes. Shapes: input and indices (N, C, D, H, W) or (C, D, H, W), output with larger sizes.

    The indices count in the flattened output. Source: ``torch.nn.functional.max_unpool3d``.

    >>> import minidl
    >>> minidl.nn.functional.max_unpool3d(minidl.ones(1, 1, 1, 1), minidl.tensor([[[[7]]]]), 2).flatten()
    tensor([0., 0., 0., 0., 0., 0., 0., 1.])
    """
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)


@function(faces=("functional",), method=False)
def max_pool1d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """``max_pool1d`` and the positions of the maxima, whatever ``return_indices`` says.

    Source: ``torch.nn.functional.max_pool1d_with_indices``.
    """
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


@function(faces=("functional",), method=False)
def max_pool2d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """``max_pool2d`` and the positions of the maxima, whatever ``return_indices`` says.

    Source: ``torch.nn.functional.max_pool2d_with_indices``.
    """
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


@function(faces=("functional",), method=False)
def max_pool3d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """``max_pool3d`` and the positions of the maxima, whatever ``return_indices`` says.

    Source: ``torch.nn.functional.max_pool3d_with_indices``.
    """
    return max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


@function(faces=("functional",), method=False)
def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    """``adaptive_max_pool1d`` and the positions of the maxima, whatever ``return_indices`` says.

    Source: ``torch.nn.functional.adaptive_max_pool1d_with_indices``.
    """
    return adaptive_max_pool1d(input, output_size, True)


@function(faces=("functional",), method=False)
def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    """``adaptive_max_pool2d`` and the positions of the maxima, whatever ``return_indices`` says.

    Source: ``torch.nn.functional.adaptive_max_pool2d_with_indices``.
    """
    return adaptive_max_pool2d(input, output_size, True)


@function(faces=("functional",), method=False)
def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    """``adaptive_max_pool3d`` and the positions of the maxima, whatever ``return_indices`` says.

    Source: ``torch.nn.functional.adaptive_max_pool3d_with_indices``.
    """
    return adaptive_max_pool3d(input, output_size, True)
