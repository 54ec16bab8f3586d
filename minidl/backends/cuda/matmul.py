"""Matrix products of floating-point arrays; a transpose is a matter of strides."""

import sys
import types
from math import prod

from minidl.backends.device_calls import matmul_rounding, multiply, product, view


def matmul(xp, ext, input, other):
    return product(xp, ext, input, other)


def linear(xp, ext, input, weight, bias):
    """input[..., K] times weight[O, K] transposed, plus bias[O] or None, in one launch."""
    dtype, shape = input.dtype, input.shape
    if dtype.char not in "fdeE" or weight.dtype != dtype or not shape or weight.ndim != 2:
        return NotImplemented
    outputs, size = weight.shape
    if shape[-1] != size or (bias is not None and (bias.dtype != dtype or bias.shape != (outputs,))):
        return NotImplemented
    rows = input if len(shape) == 2 else input.reshape(prod(shape[:-1]), size)
    out = xp.empty((*shape[:-1], outputs), dtype)
    flat = out if len(shape) == 2 else out.reshape(rows.shape[0], outputs)
    pointer, char, sizes, strides = view(weight)
    multiply(xp, ext, view(rows), (pointer, char, sizes[::-1], strides[::-1]), flat, view(bias))
    return out


class _Switches(types.ModuleType):
    """This module as ``torch.backends.cuda.matmul``, one of whose switches is a setting."""

    allow_fp16_reduced_precision_reduction = allow_bf16_reduced_precision_reduction = False

    @property
    def allow_tf32(self):
        """Whether products of float32 may round their operands to tf32: set_float32_matmul_precision('high')."""
        return matmul_rounding["tf32"]

    @allow_tf32.setter
    def allow_tf32(self, allowed):
        matmul_rounding.update(tf32=bool(allowed), precision="high" if allowed else "highest")


sys.modules[__name__].__class__ = _Switches
