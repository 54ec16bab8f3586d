"""Rows of the activation functions."""

import math

import numpy as np

from .case import Case, away, normal, values

_erf = np.vectorize(math.erf, otypes=[float])
_FAR = values([-1000.0, -30.0, -1.5, 0.5, 30.0, 1000.0])  # where exponentials overflow


def _sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def _softplus(x, beta=1.0, threshold=20.0):
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def _elu(x, alpha=1.0, scale=1.0, stretch=1.0):
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) * stretch))


def _gelu_tanh(x, approximate):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _torch_gelu(torch, input, approximate):
    return torch.nn.functional.gelu(input, approximate=approximate)


def _softshrink(x, lambd=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - lambd, 0)


def _hardshrink(x, lambd=0.5):
    return np.where(np.abs(x) > lambd, x, 0)


def _prelu(x, weight):
    if weight.size > 1:
        weight = weight.reshape(1, -1, *[1] * (x.ndim - 2))
    return np.where(x > 0, x, weight * x)


def _glu(x, dim=-1):
    a, b = np.split(x, 2, dim)
    return a * _sigmoid(b)


def _hardsigmoid(x):
    return np.clip(x + 3, 0, 6) / 6


def _bilinear(first, second, weight, bias=0.0):
    return np.einsum("...i,oij,...j->...o", first, weight, second) + bias


CASES = [
    Case("leaky_relu", (away(3, 4),), numpy=lambda x: np.where(x > 0, x, 0.01 * x)),
    Case("leaky_relu", (away(3, 4), 0.2), numpy=lambda x, s: np.where(x > 0, x, s * x), id="slope"),
    Case("elu", (away(3, 4),), numpy=_elu),
    Case("elu", (away(3, 4), 0.7), numpy=_elu, id="alpha"),
    Case("elu", (_FAR,), numpy=_elu, id="far"),
    Case("selu", (away(3, 4),), numpy=lambda x: _elu(x, 1.6732632423543772, 1.0507009873554805)),
    Case("celu", (away(3, 4),), numpy=_elu),
    Case("celu", (away(3, 4), 0.5), numpy=lambda x, a: _elu(x, a, 1.0, 1 / a), id="alpha"),
    Case("gelu", (normal(3, 4),), numpy=lambda x: x * 0.5 * (1 + _erf(x / math.sqrt(2)))),
    Case("gelu", (normal(3, 4), "tanh"), numpy=_gelu_tanh, id="tanh", torch=_torch_gelu),
    Case("silu", (normal(3, 4),), numpy=lambda x: x * _sigmoid(x)),
    Case("silu", (_FAR,), numpy=lambda x: x * _sigmoid(x), id="far"),
    Case("softplus", (normal(3, 4),), numpy=_softplus),
    Case("softplus", (away(3, 4, points=(1.5,)), 2.0, 3.0), numpy=_softplus, id="beta-threshold"),
    Case("softplus", (_FAR,), numpy=_softplus, id="far"),
    Case("mish", (normal(3, 4),), numpy=lambda x: x * np.tanh(_softplus(x))),
    Case("mish", (_FAR,), numpy=lambda x: x * np.tanh(_softplus(x)), id="far"),
    Case("logsigmoid", (normal(3, 4),), numpy=lambda x: -np.logaddexp(0, -x)),
    Case("logsigmoid", (_FAR,), numpy=lambda x: -np.logaddexp(0, -x), id="far"),
    Case("hardsigmoid", (away(3, 4, points=(-3, 3)),), numpy=_hardsigmoid, tolerance=100),  # PyTorch: 1/6 in float32
    Case("hardsigmoid", (_FAR,), numpy=_hardsigmoid, id="far", tolerance=100),
    Case("hardswish", (away(3, 4, points=(-3, 3)),), numpy=lambda x: x * _hardsigmoid(x)),
    Case("hardswish", (_FAR,), numpy=lambda x: x * _hardsigmoid(x), id="far"),
    Case("hardtanh", (away(3, 4, points=(-1, 1)),), numpy=lambda x: np.clip(x, -1, 1)),
    Case("hardtanh", (away(3, 4, points=(-0.5, 2)), -0.5, 2.0), numpy=np.clip, id="limits"),
    Case("relu6", (away(3, 4, points=(0, 6)),), numpy=lambda x: np.clip(x, 0, 6)),
    Case("softshrink", (away(3, 4, points=(-0.5, 0.5)),), numpy=_softshrink),
    Case("softshrink", (away(3, 4, points=(-0.3, 0.3)), 0.3), numpy=_softshrink, id="lambd"),
    Case("hardshrink", (away(3, 4, points=(-0.5, 0.5)),), numpy=_hardshrink),
    Case("hardshrink", (away(3, 4, points=(-0.3, 0.3)), 0.3), numpy=_hardshrink, id="lambd"),
    Case("threshold", (away(3, 4, points=(0.2,)), 0.2, -7.0), numpy=lambda x, t, v: np.where(x > t, x, v)),
    Case("tanhshrink", (normal(3, 4),), numpy=lambda x: x - np.tanh(x)),
    Case("softsign", (away(3, 4),), numpy=lambda x: x / (1 + np.abs(x))),
    Case("prelu", (away(2, 3, 2), normal(3)), numpy=_prelu),
    Case("prelu", (away(2, 3), normal(1)), numpy=_prelu, id="one"),
    Case("glu", (normal(3, 4),), numpy=_glu),
    Case("glu", (normal(4, 3, 2), 0), numpy=_glu, id="dim"),
    Case(
        "bilinear", (normal(2, 5, 3), normal(2, 5, 4), normal(6, 3, 4), normal(6)),
        numpy=_bilinear,
    ),
    Case("bilinear", (normal(3), normal(4), normal(6, 3, 4)), numpy=_bilinear, id="vectors"),
    Case("bilinear", (normal(0, 3), normal(0, 4), normal(6, 3, 4)), numpy=_bilinear, id="empty"),
]  # fmt: skip
