"""Functions of networks: activations, losses, convolutions, pooling, normalisation, attention."""

import minidl
from minidl.keras import activations, losses
from minidl.keras.engine.tensors import named_dtype
from minidl.keras.layers.arguments import per_axis
from minidl.keras.layers.windowed_pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from minidl.keras.layers.windows import channels_first, channels_last, pad_spatial, padded_sides
from minidl.keras.ops.operation import floating, operation, tensor
from minidl.keras.settings import epsilon as default_epsilon
from minidl.keras.settings import standardize_data_format
from minidl.nn import functional as F

(celu, elu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, log_sigmoid, log_softmax, relu,
 relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax,
 squareplus, tanh_shrink, threshold) = (
    operation(getattr(activations, name)) for name in (
        "celu", "elu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
        "log_sigmoid", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax",
        "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh_shrink",
        "threshold",
    )
)  # fmt: skip
swish, hard_swish = silu, hard_silu
_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX = {1: MaxPooling1D, 2: MaxPooling2D, 3: MaxPooling3D}
_AVERAGE = {1: AveragePooling1D, 2: AveragePooling2D, 3: AveragePooling3D}


@operation
def gelu(x, approximate=True):
    """x * P(N <= x) for a standard normal N; by tanh, or with ``approximate=False`` by erf."""
    return activations.gelu(x, approximate)


@operation
def binary_crossentropy(target, output, from_logits=False):
    """-(t log p + (1 - t) log(1 - p)), elementwise."""
    target, output = floating(target), floating(output)
    one = losses.binary_crossentropy(target.unsqueeze(-1), output.unsqueeze(-1), from_logits)
    return one.reshape(output.shape)


@operation
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-sum(t log p) over the classes."""
    return losses.categorical_crossentropy(target, output, from_logits, axis=axis)


@operation
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-log p of the class that ``target`` names."""
    return losses.sparse_categorical_crossentropy(target, output, from_logits, axis=axis)


@operation
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution of (N, spatial..., C) with ``kernel`` (k..., C / groups, filters), in one to three dimensions.

    >>> from minidl.keras import ops
    >>> ops.conv(ops.ones((1, 8, 8, 3)), ops.ones((3, 3, 3, 4)), padding="same").shape
    torch.Size([1, 8, 8, 4])
    """
    inputs, kernel = floating(inputs), floating(kernel)
    rank, data_format = inputs.ndim - 2, standardize_data_format(data_format)
    x = channels_first(inputs, data_format)
    weight = kernel.permute(rank + 1, rank, *range(rank))
    strides, dilation = per_axis(strides, rank, "strides"), per_axis(dilation_rate, rank, "dilation_rate")
    x = pad_spatial(x, padded_sides(padding, x.shape[2:], kernel.shape[:rank], strides, dilation))
    groups = x.shape[1] // kernel.shape[rank]
    return channels_last(_CONV[rank](x, weight, None, strides, 0, dilation, groups), data_format)


@operation
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution a channel at a time; ``kernel`` (k..., C, multiplier)."""
    kernel = floating(kernel)
    rank = kernel.ndim - 2
    merged = kernel.reshape(*kernel.shape[:rank], 1, kernel.shape[rank] * kernel.shape[rank + 1])
    return conv(inputs, merged, strides, padding, data_format, dilation_rate)


@operation
def separable_conv(
    inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
):
    """``depthwise_conv``, then a mix of the channels."""
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, 1, "valid", data_format)


@operation
def conv_transpose(
    inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1
):
    """The transposed convolution; ``kernel`` (k..., filters, C)."""
    if output_padding is not None:
        raise NotImplementedError(
            "conv_transpose(output_padding) is not supported: use layers.Conv2DTranspose"
        )
    inputs, kernel = floating(inputs), floating(kernel)
    rank, data_format = inputs.ndim - 2, standardize_data_format(data_format)
    strides, dilation = per_axis(strides, rank, "strides"), per_axis(dilation_rate, rank, "dilation_rate")
    x = channels_first(inputs, data_format)
    weight = kernel.permute(rank + 1, rank, *range(rank))
    y = _TRANSPOSED[rank](x, weight, None, strides, 0, 0, 1, dilation)
    for axis in range(rank):
        extent = (kernel.shape[axis] - 1) * dilation[axis] + 1
        size, full = x.shape[2 + axis] * strides[axis], y.shape[2 + axis]
        size += 0 if padding == "same" else max(extent - strides[axis], 0)
        y = y.narrow(2 + axis, max(full - size, 0) // 2 if padding == "same" else 0, min(size, full))
        if size > full:
            y = F.pad(y, [0, 0] * (rank - 1 - axis) + [0, size - full])
    return channels_last(y, data_format)


@operation
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The largest of each window."""
    x = floating(inputs)
    return _MAX[x.ndim - 2](pool_size, strides, padding, data_format, dtype=x.dtype.name).call(x)


@operation
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The mean of each window."""
    x = floating(inputs)
    return _AVERAGE[x.ndim - 2](pool_size, strides, padding, data_format, dtype=x.dtype.name).call(x)


@operation
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, with one of each along ``axis``."""
    x = floating(x)
    sizes = [1] * x.ndim
    sizes[axis] = x.shape[axis]
    mean, variance = (tensor(v).reshape(sizes) for v in (mean, variance))
    factor = minidl.rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * tensor(scale).reshape(sizes)
    y = (x - mean) * factor
    return y if offset is None else y + tensor(offset).reshape(sizes)


@operation
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs):
    """(x - mean) / sqrt(variance + epsilon) over ``axis``, times gamma, plus beta."""
    x = floating(x)
    mean = x.mean(axis, keepdim=True)
    variance = (x - mean).square().mean(axis, keepdim=True)
    y = (x - mean) * minidl.rsqrt(variance + (default_epsilon() if epsilon is None else epsilon))
    return _affine(y, gamma, beta, axis)


@operation
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """x / sqrt(mean(x^2) + epsilon) over ``axis``, times ``scale``."""
    x = floating(x)
    y = x * minidl.rsqrt(
        x.square().mean(axis, keepdim=True) + (default_epsilon() if epsilon is None else epsilon)
    )
    return y if scale is None else y * tensor(scale).to(y.dtype)


def _affine(y, gamma, beta, axis):
    axes = [a % y.ndim for a in ([axis] if isinstance(axis, int) else axis)]
    sizes = [y.shape[a] if a in axes else 1 for a in range(y.ndim)]
    y = y if gamma is None else y * tensor(gamma).reshape(sizes)
    return y if beta is None else y + tensor(beta).reshape(sizes)


@operation
def dot_product_attention(
    query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None,
    attn_logits_soft_cap=None,
):  # fmt: skip
    """softmax(q k^T scale + bias) v of (N, T, heads, size) tensors; ``mask`` is True where a query may look."""
    if attn_logits_soft_cap is not None:
        raise NotImplementedError(
            "dot_product_attention takes no attn_logits_soft_cap, as Keras does not outside TPUs: cap the scores with "
            "ops.tanh before ops.softmax"
        )
    q, k, v = (floating(x).transpose(1, 2) for x in (query, key, value))
    if k.shape[1] != q.shape[1]:
        k, v = (minidl.repeat_interleave(x, q.shape[1] // x.shape[1], 1) for x in (k, v))
    seen = None if mask is None else tensor(mask).bool()
    if bias is not None:
        low = floating(bias).to(q.dtype)
        seen = low if seen is None else minidl.where(seen, low, float("-inf"))
    if is_causal and seen is not None:
        causal = minidl.ones((q.shape[2], k.shape[2]), dtype=minidl.bool).tril()
        seen = seen & causal if seen.dtype.name == "bool" else minidl.where(causal, seen, float("-inf"))
    out = F.scaled_dot_product_attention(q, k, v, seen, 0.0, is_causal and seen is None, scale=scale)
    return out.transpose(1, 2)


@operation
def psnr(x1, x2, max_val):
    """10 log10(max_val^2 / mean((x1 - x2)^2))."""
    a, b = floating(x1), floating(x2)
    return 20 * minidl.log10(tensor(float(max_val))) - 10 * minidl.log10((a - b).square().mean())


@operation
def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """-log P(target) of each sample, from unnormalised scores (N, T, classes)."""
    logits = F.log_softmax(floating(output), -1).transpose(0, 1)
    lengths = [tensor(n).long() for n in (output_length, target_length)]
    return F.ctc_loss(logits, tensor(target).long(), *lengths, blank=mask_index, reduction="none")


@operation
def moments(x, axes, keepdims=False, synchronized=False):
    """(mean, variance) over ``axes``."""
    x = floating(x)
    axes = [axes] if isinstance(axes, int) else list(axes)
    return minidl.mean(x, axes, keepdims), minidl.var(x, axes, correction=0, keepdim=keepdims)


@operation
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """1 at the place that x names, 0 elsewhere; all 0 for a number outside [0, num_classes)."""
    x = tensor(x)
    hot = (x.long().unsqueeze(-1) == minidl.arange(num_classes, device=x.device)).to(named_dtype(dtype))
    return hot if axis in (-1, hot.ndim - 1) else hot.movedim(-1, axis)


@operation
def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, **kwargs):
    """1 at all the places that a sample names, 0 elsewhere."""
    num_classes = kwargs.get("num_tokens", num_classes)
    hot = one_hot(inputs, num_classes, axis, dtype)
    return hot.amax(1 if hot.ndim > 2 else 0)


@operation
def normalize(x, axis=-1, order=2, epsilon=None):
    """x / |x| along ``axis``, in the norm of ``order``."""
    return F.normalize(floating(x), order, axis, 1e-12 if epsilon is None else epsilon)
