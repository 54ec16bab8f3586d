"""Activation functions and their gradients in C++ for float32 and float64, one pass over memory each."""

from minidl import _native
from minidl._native import (
    elu,
    elu_grad,
    hardsigmoid,
    hardsigmoid_grad,
    hardswish,
    hardswish_grad,
    hardtanh,
    hardtanh_grad,
    leaky_relu,
    leaky_relu_grad,
    log_sigmoid,
    log_sigmoid_grad,
    mish,
    mish_grad,
    prelu,
    silu,
    silu_grad,
    softplus,
    softplus_grad,
)

__all__ = [
    "elu",
    "elu_grad",
    "gelu",
    "gelu_grad",
    "hardsigmoid",
    "hardsigmoid_grad",
    "hardswish",
    "hardswish_grad",
    "hardtanh",
    "hardtanh_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "log_sigmoid",
    "log_sigmoid_grad",
    "mish",
    "mish_grad",
    "prelu",
    "silu",
    "silu_grad",
    "softplus",
    "softplus_grad",
]


def gelu(input, approximate):
    return (_native.gelu_tanh if approximate == "tanh" else _native.gelu_erf)(input)


def gelu_grad(g, input, approximate):
    return (_native.gelu_tanh_grad if approximate == "tanh" else _native.gelu_erf_grad)(g, input)
