"""Elementwise losses: mean squared, absolute, Huber, Kullback-Leibler divergence.

All take ``reduction``: 'none' keeps the elements, 'mean' (the default) and 'sum' give a 0-d tensor. Their shapes are
input (*), target (*), output () or (*) with 'none'. Integers and bool as targets count as floats of the input's dtype
(``kl_div`` refuses them).
PyTorch's deprecated ``size_average`` and ``reduce`` say the same in two bools and, where one is given, win over
``reduction``: mean where both are true (None counts as true), sum where ``reduce`` alone is, none elsewhere.
"""

import math
import warnings
from itertools import zip_longest

from minidl import dtypes
from minidl.autograd import Tensor, function, joint, op
from minidl.autograd.size import Size
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul, neg, sub
from minidl.ops.casts import _cast
from minidl.ops.common import checked, promote, require_floating
from minidl.ops.loss_reduction import check_reduction, legacy_reduction, outside
from minidl.ops.pointwise import exp, log, sign
from minidl.ops.reductions import mean, sum
from minidl.ops.selection import clamp
from minidl.ops.shapes import _expand

_FUNCTIONAL = {"faces": ("functional",), "method": False}


def _joint_shape(shape, other):
    """The shape to which two broadcast."""
    pairs = zip_longest(reversed(shape), reversed(other), fillvalue=1)
    return tuple(n if m == 1 else m for n, m in pairs)[::-1]


def _share(g, reduction, input, target, factor=1.0):
    """The gradient of one element's loss, times ``factor``: a mean divides by the number of elements."""
    if reduction == "mean":
        factor = factor / max(math.prod(_joint_shape(input.shape, target.shape)), 1)
    elif reduction == "batchmean":
        factor = factor / max(input.shape[0] if input.shape else 1, 1)
    return g if factor == 1.0 else mul(g, factor)


def _pair(name, input, target, reduction):
    """Input and target promoted to one floating dtype; a warning where their shapes differ."""
    check_reduction(reduction)
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({Size(target.shape)}) that is different to the input size ({Size(input.shape)}). "
            "This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=outside(5),  # the caller of the public function
        )
    input, target = promote(input, target)
    require_floating(input, f"{name}_cpu")
    return input, target


def _difference(input, target, input_dtype, target_dtype):
    """x - t in a rule: ``sub`` refuses bool, which counts here as 0 and 1."""
    if target_dtype == dtypes.BOOL:
        target = _cast(target, input_dtype)
    elif input_dtype == dtypes.BOOL:
        input = _cast(input, target_dtype)
    return sub(input, target)


def _both(slope, needs):
    """Gradients of input and target, whose losses depend on their difference alone."""
    return slope if needs[0] else None, neg(slope) if needs[1] else None


def _weighted_loss(losses, input, weight, reduction, by_weight=True):
    """The elements of a loss times their weights, reduced; a mean is one by weight, or over all elements."""
    check_reduction(reduction)
    if not isinstance(weight, Tensor):
        raise TypeError(f"weight must be a Tensor or None, not {weight.__class__.__name__}")
    if weight.shape != input.shape:
        raise ValueError(
            f"Weights and input must have the same size. They have {list(weight.shape)} and {list(input.shape)}."
        )
    losses = mul(losses, weight)
    if reduction == "none":
        return losses
    if reduction == "mean" and not by_weight:
        return mean(losses)
    return sum(losses) if reduction == "sum" else div(sum(losses), sum(weight))


def _mse_rule(g, input, target, input_dtype, target_dtype, reduction, needs):
    slope = _difference(input, target, input_dtype, target_dtype)
    return _both(mul(slope, _share(g, reduction, input, target, 2.0)), needs)


@op(joint("input target", _mse_rule), faces=(), method=False)
def _mse_loss(input, target, reduction):
    input, target = _pair("mse", input, target, reduction)
    return checked(lambda a, b: of(a).mse_loss(a, b, reduction), input, target)


@function(**_FUNCTIONAL)
def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """Squared error (x - t)^2.

    Shapes that differ broadcast, with a ``UserWarning`` as in PyTorch. Raises ``RuntimeError`` where they do not
    broadcast, ``NotImplementedError`` for integers on both sides, ``ValueError`` for an unknown reduction or a
    ``weight`` of another shape than the input's. ``weight`` multiplies the elements; a mean divides by its sum.

    >>> import minidl
    >>> minidl.nn.functional.mse_loss(minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 4.0]))
    tensor(2.)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if weight is None:
        return _mse_loss(input, target, reduction)
    return _weighted_loss(_mse_loss(input, target, "none"), input, weight, reduction)


def _l1_rule(g, input, target, input_dtype, target_dtype, reduction, needs):
    slope = sign(_difference(input, target, input_dtype, target_dtype))
    return _both(mul(slope, _share(g, reduction, input, target)), needs)


_REDUCTIONS = {"mean": "Mean", "sum": "Sum", "none": "Abs"}


def _l1_name(shape, kept):
    """PyTorch has no node for the whole loss: the last of its steps."""
    return _REDUCTIONS.get(kept.get("reduction"), "L1Loss")


@op(joint("input target", _l1_rule), faces=(), method=False, shown=_l1_name)
def _l1_loss(input, target, reduction):
    input, target = _pair("l1", input, target, reduction)
    return checked(lambda a, b: of(a).l1_loss(a, b, reduction), input, target)


@function(**_FUNCTIONAL)
def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """Absolute error |x - t|, with gradient 0 where they are equal. Shapes and errors as ``mse_loss``.

    >>> import minidl
    >>> minidl.nn.functional.l1_loss(minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 4.0]))
    tensor(1.)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if weight is None:
        return _l1_loss(input, target, reduction)
    return _weighted_loss(_l1_loss(input, target, "none"), input, weight, reduction)


def _smooth_l1_rule(g, input, target, input_dtype, target_dtype, reduction, beta, needs):
    difference = _difference(input, target, input_dtype, target_dtype)
    slope = sign(difference) if beta == 0 else clamp(div(difference, float(beta)), -1.0, 1.0)
    return _both(mul(slope, _share(g, reduction, input, target)), needs)


@op(
    joint("input target", _smooth_l1_rule), faces=(), method=False,
    shown=lambda shape, kept: "SmoothL1Loss" if kept.get("beta", 1) else _l1_name(shape, kept),
)  # fmt: skip
def _smooth_l1_loss(input, target, reduction, beta):
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta. Got: {beta}")
    input, target = _pair("smooth_l1", input, target, reduction)
    return checked(lambda a, b: of(a).smooth_l1_loss(a, b, reduction, beta), input, target)


@function(**_FUNCTIONAL)
def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """z^2 / (2 beta) where |z| < beta, |z| - beta / 2 elsewhere, with z = x - t; ``l1_loss`` where beta is 0.

    Shapes and errors as ``mse_loss``; ``RuntimeError`` for a negative beta.
    Source: R. Girshick, "Fast R-CNN", 2015.

    >>> import minidl
    >>> minidl.nn.functional.smooth_l1_loss(minidl.tensor([0.5, 3.0]), minidl.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    return _smooth_l1_loss(input, target, reduction, beta)


def _huber_rule(g, input, target, input_dtype, target_dtype, reduction, delta, needs):
    slope = clamp(_difference(input, target, input_dtype, target_dtype), -float(delta), float(delta))
    return _both(mul(slope, _share(g, reduction, input, target)), needs)


@op(joint("input target", _huber_rule), faces=(), method=False)
def _huber_loss(input, target, reduction, delta):
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta. Got: {delta}")
    input, target = _pair("huber", input, target, reduction)
    return checked(lambda a, b: of(a).huber_loss(a, b, reduction, delta), input, target)


@function(**_FUNCTIONAL)
def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """z^2 / 2 where |z| <= delta, delta (|z| - delta / 2) elsewhere, with z = x - t.

    Shapes and errors as ``mse_loss``; ``RuntimeError`` for delta <= 0. ``weight`` multiplies the elements; a mean
    divides by their number, as PyTorch's.
    Source: P. Huber, "Robust estimation of a location parameter", 1964.

    >>> import minidl
    >>> minidl.nn.functional.huber_loss(minidl.tensor([0.5, 3.0]), minidl.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if weight is None:
        return _huber_loss(input, target, reduction, delta)
    return _weighted_loss(
        _huber_loss(input, target, "none", delta), input, weight, reduction, by_weight=False
    )


def _kl_input(g, input_shape, input, target, log_target, reduction):
    # The input's values do not appear, its dimensions count all the same.
    slope = _expand(neg(exp(target) if log_target else target), _joint_shape(input_shape, target.shape))
    return mul(slope, _share(g, reduction, input, target))


def _kl_target(g, input, target, log_target, reduction):
    if log_target:
        slope = mul(exp(target), add(sub(target, input), 1.0))
    else:
        slope = sub(add(log(target), 1.0), input)
    return mul(slope, _share(g, reduction, input, target))


def _kl_name(shape, kept):
    names = {"none": "Mul" if kept.get("log_target") else "Sub", "batchmean": "Div"}
    return {**_REDUCTIONS, **names}.get(kept.get("reduction"), "KlDiv")


@op(input=_kl_input, target=_kl_target, faces=(), method=False, shown=_kl_name)
def _kl_div(input, target, log_target, reduction):
    check_reduction(reduction, ("none", "mean", "sum", "batchmean"))
    if not (dtypes.is_floating(input.dtype) and dtypes.is_floating(target.dtype)):
        raise RuntimeError("kl_div: Integral inputs not supported. Hint: convert both with .float().")
    input, target = promote(input, target)
    return checked(lambda a, b: of(a).kl_div(a, b, log_target, reduction), input, target)


@function(**_FUNCTIONAL)
def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """Kullback-Leibler divergence t (log t - x) of log-probabilities x from probabilities t; 0 where t is 0.

    With ``log_target`` the target holds log-probabilities too: exp(t) (t - x). Reduction 'batchmean' divides the sum
    by the batch size, which is the mathematical definition; 'mean' divides by the number of elements and warns so.

    >>> import minidl
    >>> x, t = minidl.tensor([[0.5, 0.5]]).log(), minidl.tensor([[1.0, 0.0]])
    >>> minidl.nn.functional.kl_div(x, t, reduction="batchmean")
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    elif reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=outside(2),
        )
    return _kl_div(input, target, log_target, reduction)
