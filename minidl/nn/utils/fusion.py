"""Batch normalisation in evaluation folded into the layer before it."""

import copy

from minidl.nn.parameter import Parameter
from minidl.ops.create import ones_like, zeros_like
from minidl.ops.pointwise import rsqrt

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _check_modes(layer, bn):
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")


def _statistics(bn):
    return bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias


def _fused(weight, bias, mean, var, eps, scale, shift, shape):
    """``scale (W x + b - mean) / sqrt(var + eps) + shift`` as one weight and bias; ``shape`` spreads the factors."""
    factor = scale * rsqrt(var + eps)
    out_weight = (weight * factor.reshape(shape)).to(weight.dtype)
    out_bias = ((bias - mean) * factor + shift).to(bias.dtype)
    return Parameter(out_weight, weight.requires_grad), Parameter(out_bias, bias.requires_grad)


def fuse_conv_bn_eval(conv, bn, transpose=False):
    """A copy of a convolution that computes ``bn(conv(x))``, both being in evaluation mode.

    ``transpose``: the convolution is a transposed one. Raises ``AssertionError`` in training mode and where ``bn`` has
    no running statistics. Source: ``torch.nn.utils.fuse_conv_bn_eval``.

    >>> import minidl
    >>> from minidl import nn
    >>> conv, bn = nn.Conv2d(1, 2, 3).eval(), nn.BatchNorm2d(2).eval()
    >>> x = minidl.ones(1, 1, 4, 4)
    >>> minidl.allclose(nn.utils.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)), atol=1e-6)
    True
    """
    _check_modes(conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(fused.weight, fused.bias, *_statistics(bn), transpose)
    return fused


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    """The weight and bias of a convolution with a batch normalisation in evaluation folded in.

    ``conv_w`` (O, I, *) or, ``transpose``, (I, O, *); all others (O), of which ``conv_b``, ``bn_w`` and ``bn_b`` may be
    None. Source: ``torch.nn.utils.fuse_conv_bn_weights``.

    >>> import minidl
    >>> weight, mean, var = minidl.ones(2, 1, 1), minidl.zeros(2), minidl.full((2,), 4.0)
    >>> minidl.nn.utils.fuse_conv_bn_weights(weight, None, mean, var, 0.0, None, None)[0].flatten().detach()
    tensor([0.5000, 0.5000])
    """
    bias = zeros_like(bn_rm) if conv_b is None else conv_b
    scale = ones_like(bn_rm) if bn_w is None else bn_w
    shift = zeros_like(bn_rm) if bn_b is None else bn_b
    shape = [1] * conv_w.dim()
    shape[1 if transpose else 0] = -1
    return _fused(conv_w, bias, bn_rm, bn_rv, bn_eps, scale, shift, shape)


def fuse_linear_bn_eval(linear, bn):
    """A copy of a linear layer that computes ``bn(linear(x))``, both being in evaluation mode.

    Raises ``AssertionError`` in training mode, without running statistics and where ``bn`` has neither one feature nor
    as many as the layer gives. Source: ``torch.nn.utils.fuse_linear_bn_eval``.

    >>> import minidl
    >>> from minidl import nn
    >>> layer, bn = nn.Linear(3, 2).eval(), nn.BatchNorm1d(2).eval()
    >>> x = minidl.ones(1, 3)
    >>> minidl.allclose(nn.utils.fuse_linear_bn_eval(layer, bn)(x), bn(layer(x)), atol=1e-6)
    True
    """
    _check_modes(linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(fused.weight, fused.bias, *_statistics(bn))
    return fused


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """The weight (O, I) and bias (O) of a linear layer with a batch normalisation in evaluation folded in.

    ``linear_b``, ``bn_w`` and ``bn_b`` may be None. Source: ``torch.nn.utils.fuse_linear_bn_weights``.

    >>> import minidl
    >>> weight, mean, var = minidl.ones(2, 1), minidl.zeros(2), minidl.full((2,), 4.0)
    >>> minidl.nn.utils.fuse_linear_bn_weights(weight, None, mean, var, 0.0, None, None)[0].flatten().detach()
    tensor([0.5000, 0.5000])
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
