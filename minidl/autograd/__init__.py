"""The gradient tape: Tensor, grad modes, backward, user-defined functions, gradient checks."""

import sys

from minidl.autograd import forward_ad, functional, graph, profiler
from minidl.autograd.engine import backward, grad
from minidl.autograd.function import Function, FunctionCtx, once_differentiable
from minidl.autograd.gradcheck import gradcheck, gradgradcheck
from minidl.autograd.modes import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from minidl.autograd.op import function, op
from minidl.autograd.rules import Saved, joint
from minidl.autograd.tensor import Tensor
from minidl.autograd.variable import Variable

grad_mode = sys.modules[__name__]  # PyTorch's module of the modes that are here
# PyTorch has a module of this name: `torch.autograd.function.FunctionCtx` is looked up on the decorator.
function.Function, function.FunctionCtx, function.once_differentiable = (
    Function,
    FunctionCtx,
    once_differentiable,
)

__all__ = [
    "Function",
    "Saved",
    "Tensor",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "function",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "joint",
    "no_grad",
    "once_differentiable",
    "op",
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
]
