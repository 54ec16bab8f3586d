"""Negative log likelihoods of numbers: Poisson's distribution and the normal one.

Both take ``reduction``: 'none' keeps the elements, 'mean' (the default) and 'sum' give a 0-d tensor.
"""

import math

from minidl.autograd import Tensor, function, no_grad
from minidl.ops.arithmetic import add, div, mul, sub
from minidl.ops.comparison import le
from minidl.ops.create import full_like
from minidl.ops.formats import clone
from minidl.ops.loss_reduction import check_reduction, check_tensors, legacy_reduction, reduced
from minidl.ops.pointwise import exp, log, square
from minidl.ops.selection import clamp, where
from minidl.ops.shapes import unsqueeze

_FUNCTIONAL = {"faces": ("functional",), "method": False}


@function(**_FUNCTIONAL)
def poisson_nll_loss(
    input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"
):
    """exp(x) - t x of logarithms x of the rate, or, without ``log_input``, x - t log(x + eps) of the rate x itself.

    ``full`` adds Stirling's approximation of log t!, t log t - t + log(2 pi t) / 2, for targets above 1. Shapes: input
    and target broadcast to (*); output () or (*). Raises ``ValueError`` for an unknown reduction.

    >>> import minidl
    >>> minidl.nn.functional.poisson_nll_loss(minidl.zeros(2), minidl.tensor([1.0, 3.0]), full=True)
    tensor(1.8820)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    check_reduction(reduction)
    check_tensors("poisson_nll_loss", input=input, target=target)
    if log_input:
        losses = sub(exp(input), mul(target, input))
    else:
        losses = sub(input, mul(target, log(add(input, eps))))
    if full:
        small = le(target, 1)
        large = where(small, 2.0, target)  # so that the branch not taken has a finite gradient
        stirling = add(sub(mul(large, log(large)), large), mul(log(mul(large, 2 * math.pi)), 0.5))
        losses = add(losses, where(small, 0.0, stirling))
    return reduced(losses, reduction)


def _variance(input, var):
    """The variance as a tensor that broadcasts against the input. Raises ``ValueError`` where it does not fit."""
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        return full_like(input, var)
    if (var < 0).any():
        raise ValueError("var has negative entry/entries")
    shape, wanted = tuple(var.shape), tuple(input.shape)
    if shape == wanted:
        return var
    if shape == wanted[:-1]:
        return unsqueeze(var, -1)
    differing = [n for n, m in zip(shape, wanted, strict=False) if n != m]
    if len(shape) == len(wanted) and differing == [1]:
        return var
    raise ValueError("var is of incorrect size")


@function(**_FUNCTIONAL)
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """(log v + (x - t)^2 / v) / 2 of means x and variances v, which are at least ``eps``.

    ``full`` adds log(2 pi) / 2. Shapes: input (*), target broadcasts against it, ``var`` (*), with one size 1, without
    the last dimension, or a number; output () or (*). The gradient of a variance below ``eps`` is that at ``eps``.
    Raises ``ValueError`` for a negative variance, one of another shape, and an unknown reduction.
    Source: D. Nix, A. Weigend, "Estimating the mean and variance of the target probability distribution", 1994.

    >>> import minidl
    >>> x, t, v = minidl.tensor([[0.0, 1.0], [1.0, 1.0], [1.0, 4.0]])
    >>> minidl.nn.functional.gaussian_nll_loss(x, t, v)
    tensor(0.5966)
    """
    check_tensors("gaussian_nll_loss", input=input, target=target)
    var = _variance(input, var)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid. Hint: use one of none, mean, sum.")
    var = clone(var)
    with no_grad():
        var.copy_(clamp(var, eps))
    losses = mul(add(log(var), div(square(sub(input, target)), var)), 0.5)
    return reduced(add(losses, 0.5 * math.log(2 * math.pi)) if full else losses, reduction)
