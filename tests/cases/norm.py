"""Batch, layer, group and RMS norm."""

import math

import numpy as np

from .case import Case, constant, normal, positive


def standardized(x, axes, eps):
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + eps)


def affine(x, weight, bias, shape):
    x = x if weight is None else x * weight.reshape(shape)
    return x if bias is None else x + bias.reshape(shape)


def channels(x):
    return (1, -1, *(1,) * (x.ndim - 2))


def batch_norm(x, mean, var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    if training:
        out = standardized(x, (0, *range(2, x.ndim)), eps)
    else:
        out = (x - mean.reshape(channels(x))) / np.sqrt(var.reshape(channels(x)) + eps)
    return affine(out, weight, bias, channels(x))


def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    return affine(standardized(x, tuple(range(-len(shape), 0)), eps), weight, bias, shape)


def group_norm(x, groups, weight=None, bias=None, eps=1e-5):
    grouped = x.reshape(len(x), groups, math.prod(x.shape[1:]) // groups)
    return affine(standardized(grouped, (2,), eps).reshape(x.shape), weight, bias, channels(x))


def instance_norm(x, mean=None, var=None, weight=None, bias=None, use_input_stats=True, eps=1e-5):
    if not use_input_stats:
        return batch_norm(x, mean, var, weight, bias, eps=eps)
    return affine(standardized(x, tuple(range(2, x.ndim)), eps), weight, bias, channels(x))


def rms_norm(x, shape, weight=None, eps=None):
    eps = np.finfo(x.dtype).eps if eps is None else eps
    axes = tuple(range(-len(shape), 0))
    return affine(x / np.sqrt((x**2).mean(axes, keepdims=True) + eps), weight, None, shape)


STATISTICS = (constant(normal(3)), constant(positive(3)))
TRAINING = {"training": True}

CASES = [
    Case("functional.batch_norm", (normal(5, 3), None, None, normal(3), normal(3)), kwargs=TRAINING, numpy=batch_norm),
    Case(
        "functional.batch_norm", (normal(4, 3, 2, 2), None, None, normal(3), normal(3)), kwargs=TRAINING | {"eps": 0.1},
        numpy=batch_norm, id="images",
    ),
    Case(
        "functional.batch_norm", (normal(4, 3, 2), None, None), kwargs=TRAINING, numpy=batch_norm, id="plain",
        tolerance=4,
    ),
    Case(
        "functional.batch_norm", (normal(4, 3, 2), *STATISTICS, normal(3), normal(3)), numpy=batch_norm, id="evaluation"
    ),
    Case("functional.batch_norm", (normal(4, 3), *STATISTICS), numpy=batch_norm, id="evaluation-plain"),
    Case("layer_norm", (normal(3, 5), (5,), normal(5), normal(5)), numpy=layer_norm),
    Case("layer_norm", (normal(2, 3, 4), (3, 4), normal(3, 4), normal(3, 4)), numpy=layer_norm, id="two-dims"),
    Case("layer_norm", (normal(2, 3, 4), (4,)), kwargs={"eps": 0.1}, numpy=layer_norm, id="plain"),
    Case("layer_norm", (normal(6), (6,), normal(6)), numpy=layer_norm, id="vector-no-bias"),
    Case("group_norm", (normal(2, 6, 3), 2, normal(6), normal(6)), numpy=group_norm),
    Case("group_norm", (normal(2, 4, 3, 2), 4), kwargs={"eps": 0.1}, numpy=group_norm, id="instance"),
    Case("group_norm", (normal(3, 4), 1, normal(4), normal(4)), numpy=group_norm, id="one-group"),
    Case("instance_norm", (normal(2, 3, 4), None, None, normal(3), normal(3)), numpy=instance_norm),
    Case("instance_norm", (normal(2, 3, 4, 2),), kwargs={"eps": 0.1}, numpy=instance_norm, id="plain"),
    Case(
        "instance_norm", (normal(2, 3, 4), *STATISTICS, normal(3), normal(3)), numpy=instance_norm,
        kwargs={"use_input_stats": False}, id="evaluation",
    ),
    Case("rms_norm", (normal(3, 5), (5,), normal(5)), numpy=rms_norm),
    Case("rms_norm", (normal(2, 3, 4), (3, 4)), kwargs={"eps": 1e-3}, numpy=rms_norm, id="plain"),
]  # fmt: skip
