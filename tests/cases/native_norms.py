"""Rows of normalisations that give their statistics, and of padding under the kernel's name."""

import numpy as np

from .case import Case, normal

VECTORS = (normal(3), normal(3))


def standardized(x, axes, eps):
    mean, scale = x.mean(axes, keepdims=True), 1 / np.sqrt(x.var(axes, keepdims=True) + eps)
    return (x - mean) * scale, mean, scale


def layer(x, shape, weight, bias, eps):
    out, mean, scale = standardized(x, -1, eps)
    return out * weight + bias, mean, scale


def group(x, weight, bias, n, c, size, groups, eps):
    out, mean, scale = standardized(x.reshape(n, groups, -1), 2, eps)
    column = (1, -1, 1)
    return out.reshape(x.shape) * weight.reshape(column) + bias.reshape(column), mean[..., 0], scale[..., 0]


def batch(x, weight, bias, mean, var, training, momentum, eps):
    out, mean, scale = standardized(x, 0, eps)
    return out * weight + bias, mean[0], scale[0]


CASES = [
    Case("native_layer_norm", (normal(2, 3), (3,), *VECTORS, 1e-3), numpy=layer, grad2=False),
    Case("native_group_norm", (normal(2, 3, 4), *VECTORS, 2, 3, 4, 1, 1e-3), numpy=group, grad2=False, grad=False),
    Case("native_batch_norm", (normal(4, 3), *VECTORS, None, None, True, 0.1, 1e-3), numpy=batch, grad2=False),
    Case(
        "constant_pad_nd", (normal(2, 3), (1, 2)), kwargs={"value": 4.0},
        numpy=lambda x, pad, value: np.pad(x, ((0, 0), pad), constant_values=value),
    ),
]  # fmt: skip
