"""Normalisation: batch, layer, group and RMS norm.

y = (x - mean) / sqrt(var + eps) * weight + bias, with the biased variance. The families differ in the axes over which
mean and variance are taken. The backward is one fused rule; ``create_graph`` differentiates the composed definitions.
"""

import math

from minidl import dtypes
from minidl.autograd import Saved, joint, op
from minidl.autograd.size import Size
from minidl.backends import of
from minidl.ops.arithmetic import add, mul, sub
from minidl.ops.common import require_floating
from minidl.ops.pointwise import rsqrt, square
from minidl.ops.reductions import mean
from minidl.ops.shapes import reshape

_FUNCTIONAL = {"faces": ("functional",), "method": False}


def _standardized(input, dims, eps):
    centered = sub(input, mean(input, dims, True))
    return mul(centered, rsqrt(add(mean(square(centered), dims, True), eps)))


def _scaled_and_shifted(x_hat, weight, bias, shape):
    out = x_hat if weight is None else mul(x_hat, reshape(weight, shape))
    return out if bias is None else add(out, reshape(bias, shape))


def _channel_shape(ndim):
    return (1, -1, *(1 for _ in range(ndim - 2))) if ndim > 1 else (-1,)


def _check_channels(input, *vectors):
    """Running mean, running variance, weight and bias have one element a channel."""
    channels = input.shape[1] if input.ndim > 1 else 0
    for name, vector in zip(("running_mean", "running_var", "weight", "bias"), vectors, strict=True):
        if vector is not None and vector.shape != (channels,):
            raise RuntimeError(f"{name} should contain {channels} elements not {vector.size}")


def _batch_norm_rule(g, input, weight, center, inv_std, training, needs):
    if tuple(g.shape) == (0,):
        return g, g, g
    return of(g).batch_norm_backward(g, input, weight, center, inv_std, bool(training), needs)


def _batch_norm_composed(input, weight, bias, center, inv_std, training, eps):
    shape = _channel_shape(input.ndim)
    if training:
        x_hat = _standardized(input, (0, *range(2, input.ndim)), eps)
    else:
        x_hat = mul(sub(input, reshape(center, shape)), reshape(inv_std, shape))
    return _scaled_and_shifted(x_hat, weight, bias, shape)


@op(
    joint("input weight bias", _batch_norm_rule),
    constant="running_mean running_var",
    composed=_batch_norm_composed,
    shown="NativeBatchNorm",
    **_FUNCTIONAL,
)
def batch_norm(
    input,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    training=False,
    momentum=0.1,
    eps=1e-05,
):
    """Batch normalisation of each channel over the batch and all positions.

    Shapes: input (N, C, *), running_mean, running_var, weight, bias (C,) or None, output (N, C, *). In training, the
    statistics are those of the batch, and the running ones move to (1 - momentum) running + momentum statistic, in
    place, with the unbiased variance; otherwise the running ones are used.

    Raises ``ValueError`` for a single value per channel or an ``eps`` that is not positive, in training;
    ``RuntimeError`` for vectors of another length, or where the running statistics are missing in evaluation.
    Source: S. Ioffe, C. Szegedy, "Batch normalization", 2015.

    >>> import minidl
    >>> x = minidl.tensor([[1.0, 5.0], [3.0, 5.0]])
    >>> minidl.nn.functional.batch_norm(x, None, None, training=True)
    tensor([[-1.0000,  0.0000],
            [ 1.0000,  0.0000]])
    """
    require_floating(input, "batch_norm")
    if training and not eps > 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    _check_channels(input, running_mean, running_var, weight, bias)
    space = of(input)
    if input.shape == (0,):
        return space.copy(input), Saved(center=input, inv_std=input)
    if not training:
        for name, running in (("running_mean", running_mean), ("running_var", running_var)):
            if running is None:
                raise RuntimeError(f"{name} must be defined in evaluation mode")
        out, inv_std = space.batch_norm_inference(input, weight, bias, running_mean, running_var, eps)
        return out, Saved(center=space.copy(running_mean), inv_std=inv_std)
    count = input.shape[0] * math.prod(input.shape[2:])
    if count == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {Size(input.shape)}. "
            "Hint: use a larger batch, drop_last=True in the DataLoader, or module.eval()."
        )
    out, center, variance, inv_std = space.batch_norm(input, weight, bias, eps)
    if count > 0 and not (running_mean is None and running_var is None):
        space.batch_norm_update(running_mean, running_var, center, variance, momentum, count)
    return out, Saved(center=center, inv_std=inv_std)


def _rank(normalized_shape):
    return 1 if isinstance(normalized_shape, int) else len(normalized_shape)


def _check_normalized(name, input, normalized_shape, weight, bias=None):
    """The input ends in ``normalized_shape``, which weight and bias have; returns its length."""
    require_floating(input, name)
    wanted = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not wanted:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, vector in (("weight", weight), ("bias", bias)):
        if vector is not None and vector.shape != wanted:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(vector.shape)} and normalized_shape = {list(wanted)}"
            )
    if input.shape[-len(wanted) :] != wanted:
        sizes = ", ".join(map(str, wanted))
        raise RuntimeError(
            f"Given normalized_shape={list(wanted)}, expected input with shape [*, {sizes}], but got input of "
            f"size{list(input.shape)}"
        )
    return len(wanted)


def _layer_norm_rule(g, input, weight, center, inv_std, normalized_shape, needs):
    return of(g).layer_norm_backward(g, input, weight, center, inv_std, _rank(normalized_shape), needs)


def _layer_norm_composed(input, weight, bias, normalized_shape, eps):
    rank = _rank(normalized_shape)
    x_hat = _standardized(input, tuple(range(input.ndim - rank, input.ndim)), eps)
    return _scaled_and_shifted(x_hat, weight, bias, input.shape[input.ndim - rank :])


@op(
    joint("input weight bias", _layer_norm_rule),
    composed=_layer_norm_composed,
    shown="NativeLayerNorm",
    faces=("torch", "functional"),
    method=False,
)
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05):
    """Layer normalisation over the last dimensions, those of ``normalized_shape``.

    Shapes: input (*, normalized_shape), weight and bias (normalized_shape) or None, output as input. Raises
    ``RuntimeError`` where the input does not end in ``normalized_shape``, or weight or bias differ from it.
    Source: J. Ba, J. Kiros, G. Hinton, "Layer normalization", 2016.

    >>> import minidl
    >>> minidl.nn.functional.layer_norm(minidl.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    rank = _check_normalized("LayerNormKernelImpl", input, normalized_shape, weight, bias)
    out, center, inv_std = of(input).layer_norm(input, rank, weight, bias, eps)
    return out, Saved(center=center, inv_std=inv_std)


def _group_norm_rule(g, input, weight, center, inv_std, num_groups, needs):
    return of(g).group_norm_backward(g, input, weight, center, inv_std, num_groups, needs)


def _group_norm_composed(input, weight, bias, num_groups, eps):
    shape = tuple(input.shape)
    x_hat = _standardized(
        reshape(input, (shape[0], num_groups, math.prod(shape[1:]) // num_groups)), (2,), eps
    )
    return _scaled_and_shifted(reshape(x_hat, shape), weight, bias, _channel_shape(len(shape)))


@op(
    joint("input weight bias", _group_norm_rule),
    composed=_group_norm_composed,
    shown="NativeGroupNorm",
    faces=("torch", "functional"),
    method=False,
)
def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    """Group normalisation: mean and variance of each sample over C / num_groups channels and all positions.

    Shapes: input (N, C, *), weight and bias (C,) or None, output as input. Raises ``RuntimeError`` where num_groups
    does not divide C, or weight or bias have another length; ``ValueError`` for a single value a group.
    Source: Y. Wu, K. He, "Group normalization", 2018.

    >>> import minidl
    >>> minidl.nn.functional.group_norm(minidl.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    require_floating(input, "GroupNormKernelImpl")
    shape = input.shape
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    for name, vector in (("weight", weight), ("bias", bias)):
        if vector is not None and vector.shape != (shape[1],):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(vector.shape)} and input of shape {list(shape)}"
            )
    if shape[0] * shape[1] // num_groups * math.prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {list(shape)}"
        )
    out, center, inv_std = of(input).group_norm(input, num_groups, weight, bias, eps)
    return out, Saved(center=center, inv_std=inv_std)


def _rms_eps(eps, dtype):
    """PyTorch's default: the distance of 1 to the next number of the input's dtype."""
    return dtypes.finfo(dtype).eps if eps is None else eps


def _rms_norm_rule(g, input, weight, inv_rms, normalized_shape, needs):
    return of(g).rms_norm_backward(g, input, weight, inv_rms, _rank(normalized_shape), needs)


def _rms_norm_composed(input, weight, normalized_shape, eps):
    rank = _rank(normalized_shape)
    dims = tuple(range(input.ndim - rank, input.ndim))
    x_hat = mul(input, rsqrt(add(mean(square(input), dims, True), _rms_eps(eps, input.dtype))))
    return _scaled_and_shifted(x_hat, weight, None, input.shape[input.ndim - rank :])


@op(
    joint("input weight", _rms_norm_rule),
    composed=_rms_norm_composed,
    shown="Mul",
    faces=("torch", "functional"),
    method=False,
)
def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Root mean square normalisation x / sqrt(mean(x^2) + eps) * weight over the last dimensions.

    Shapes: input (*, normalized_shape), weight (normalized_shape) or None, output as input; ``eps`` None means the
    dtype's epsilon. Raises as ``layer_norm``.
    Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.

    >>> import minidl
    >>> minidl.nn.functional.rms_norm(minidl.tensor([[3.0, 4.0]]), (2,))
    tensor([[0.8485, 1.1314]])
    """
    rank = _check_normalized("rms_norm", input, normalized_shape, weight)
    out, inv_rms = of(input).rms_norm(input, rank, weight, _rms_eps(eps, dtypes.of(input.dtype)))
    return out, Saved(inv_rms=inv_rms)
