"""Normalisations with the statistics that they used, and padding: PyTorch's kernels under their own names."""

from minidl.autograd import function
from minidl.ops.arithmetic import add
from minidl.ops.create import empty
from minidl.ops.moments import var
from minidl.ops.norm import batch_norm, group_norm, layer_norm
from minidl.ops.pad import pad as padded
from minidl.ops.pointwise import rsqrt
from minidl.ops.reductions import mean


def _statistics(input, dims, eps, keepdim):
    """The mean and 1 / sqrt(variance + eps)."""
    spread = var(input, dims, keepdim=keepdim, correction=0)
    return mean(input, dims, keepdim), rsqrt(add(spread, eps))


@function(method=False, tensors="input")
def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """``layer_norm``, with the mean and 1 / sqrt(variance + eps) of each row, which carry no gradient.

    Source: ``torch.native_layer_norm``.

    >>> import minidl
    >>> minidl.native_layer_norm(minidl.tensor([[1.0, 3.0]]), (2,), None, None, 0.0)[1]
    tensor([[2.]])
    """
    out = layer_norm(input, tuple(normalized_shape), weight, bias, eps)
    dims = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    return (out, *_statistics(input.detach(), dims, eps, True))


@function(method=False, tensors="input", shown="NativeGroupNorm")
def native_group_norm(input, weight, bias, N, C, HxW, group, eps):
    """``group_norm``, with the mean and 1 / sqrt(variance + eps) of each group, (N, group).

    ``N``, ``C`` and ``HxW`` are the sizes of the input (N, C, *). Source: ``torch.native_group_norm``.

    >>> import minidl
    >>> minidl.native_group_norm(minidl.tensor([[1.0, 3.0]]), None, None, 1, 2, 1, 1, 0.0)[1]
    tensor([[2.]])
    """
    if input.numel() != N * C * HxW:
        raise RuntimeError(f"Expected N * C * HxW elements, but got {N} * {C} * {HxW} and {input.numel()}")
    out = group_norm(input, group, weight, bias, eps)
    groups = input.reshape(N, group, C // group * HxW)
    return (out, *_statistics(groups, 2, eps, False))


@function(method=False, tensors="input")
def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """``batch_norm``, with the mean and 1 / sqrt(variance + eps) of each channel in training, else two empty tensors.

    Source: ``torch.native_batch_norm``.

    >>> import minidl
    >>> x = minidl.tensor([[1.0], [3.0]])
    >>> minidl.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)[1]
    tensor([2.])
    """
    out = batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if not training:
        return out, *(empty(0, dtype=input.dtype, device=input.device) for _ in range(2))
    return (out, *_statistics(input.detach(), (0, *range(2, input.ndim)), eps, False))


@function(tensors="input", method=False)
def constant_pad_nd(input, pad, value=0):
    """``nn.functional.pad`` with a constant. Source: ``torch.constant_pad_nd``.

    >>> import minidl
    >>> minidl.constant_pad_nd(minidl.ones(1), (1, 0), 2)
    tensor([2., 1.])
    """
    return padded(input, pad, "constant", value)
