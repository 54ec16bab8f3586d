"""Losses of scores of classes that are to lie a margin apart: one class a sample, or several.

All take ``reduction``: 'none' keeps the samples, 'mean' (the default) and 'sum' give a 0-d tensor; for the deprecated
``size_average`` and ``reduce`` see ``minidl.ops.losses``. They raise ``TypeError`` for what is no Tensor, and
``ValueError`` for an unknown reduction.
"""

from minidl import dtypes
from minidl.autograd import function
from minidl.ops.activations import logsigmoid
from minidl.ops.arithmetic import add, div, mul, neg, sub
from minidl.ops.comparison import eq, ge, ne
from minidl.ops.create import arange
from minidl.ops.indexing import gather
from minidl.ops.loss_reduction import check_reduction, check_tensors, legacy_reduction, reduced
from minidl.ops.pointwise import relu, square
from minidl.ops.reductions import sum
from minidl.ops.scans import cumprod
from minidl.ops.selection import clamp, where
from minidl.ops.shapes import reshape, unsqueeze

_FUNCTIONAL = {"faces": ("functional",), "method": False}


def _scores(name, input, target):
    """The scores as (N, C). Raises for ranks and dtypes that do not fit."""
    check_tensors(name, input=input, target=target)
    if input.ndim > 2 or (input.ndim and input.shape[-1] == 0):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(input.shape)}"
        )
    if not input.is_floating_point():
        kind = dtypes.scalar_name(input._array.dtype)
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{kind}'. Hint: convert the input with .float()."
        )
    return reshape(input, (-1, input.shape[-1]) if input.ndim == 2 else (1, input.numel()))


def _check_indices(target):
    if target.dtype is not dtypes.int64:
        raise RuntimeError(
            f"expected scalar type Long but found {dtypes.scalar_name(target._array.dtype)}. "
            "Hint: convert the target with .long()."
        )


def _class_weight(weight, input, classes):
    if tuple(weight.shape) != (classes,):
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    if weight.dtype is not input.dtype:
        raise RuntimeError(
            f"expected scalar type {dtypes.scalar_name(input._array.dtype)} but found "
            f"{dtypes.scalar_name(weight._array.dtype)}"
        )
    return weight.detach()


@function(**_FUNCTIONAL, shown="MultiMarginLoss")
def multi_margin_loss(
    input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The hinge loss of several classes: sum over c other than t of w[t] max(0, margin - x[t] + x[c])^p, over C.

    Shapes: input (N, C) or (C,), target (N,) or () of class indices, int64; ``weight`` (C,), without gradient; output
    () or as the target. Raises ``ValueError`` where ``p`` is neither 1 nor 2, ``RuntimeError`` for a target out of
    range and for shapes or dtypes that do not fit.
    Source: K. Crammer, Y. Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", 2001.

    >>> import minidl
    >>> x = minidl.tensor([[0.1, 0.2, 0.4, 0.8]])
    >>> minidl.nn.functional.multi_margin_loss(x, minidl.tensor([3]))
    tensor(0.3250)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    scores = _scores("multi_margin_loss", input, target)
    count, classes = scores.shape
    if target.ndim > 1 or target.numel() != count:
        found = target.numel() if target.ndim < 2 else ", ".join(map(str, target.shape))
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{count}], but got [{found}]. Input has shape {list(input.shape)}."
        )
    weight = None if weight is None else _class_weight(weight, input, classes)
    _check_indices(target)
    if not _inside(target, 0, classes):
        raise RuntimeError("target out of range")
    column = reshape(target, (count, 1))
    losses = relu(sub(add(scores, margin), gather(scores, 1, column)))
    losses = square(losses) if p == 2 else losses
    own = eq(column, arange(classes, device=target.device))
    losses = div(sum(where(own, 0.0, losses), 1), float(classes))
    if weight is not None:
        losses = mul(losses, gather(weight, 0, reshape(target, (count,))))
    return reduced(reshape(losses, tuple(target.shape)), reduction)


def _inside(target, low, high):
    """Whether all indices lie in [low, high)."""
    return target.numel() == 0 or (int(target.min()) >= low and int(target.max()) < high)


@function(**_FUNCTIONAL, shown="MultilabelMarginLoss")
def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The hinge loss of several classes a sample: sum of max(0, 1 - x[t] + x[c]) over targets t and others c, over C.

    Shapes: input and target (N, C) or (C,); output () or (N,), with (C,) always (). A row of the target lists class
    indices, int64, up to the first -1. Raises ``RuntimeError`` for an index out of range and for shapes or dtypes that
    do not fit.

    >>> import minidl
    >>> x = minidl.tensor([[0.1, 0.2, 0.4, 0.8]])
    >>> minidl.nn.functional.multilabel_margin_loss(x, minidl.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    check_reduction(reduction)
    scores = _scores("multilabel_margin_loss", input, target)
    if target.numel() != input.numel() or (input.ndim and target.shape != input.shape):
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"
        )
    classes = scores.shape[1]
    _check_indices(target)
    if not _inside(target, -1, classes):
        raise RuntimeError("argument #2 'target' is out of range")
    labels = reshape(target, tuple(scores.shape))
    listed = ne(cumprod(ge(labels, 0).long(), 1), 0)  # (N, T): what stands before the first -1
    labels = clamp(labels, 0)
    each = arange(classes, device=target.device)
    chosen = listed.unsqueeze(2) & eq(unsqueeze(labels, 2), each)  # (N, T, C)
    others = ~chosen.any(1)
    gaps = relu(add(sub(unsqueeze(scores, 1), unsqueeze(gather(scores, 1, labels), 2)), 1.0))
    losses = where(listed.unsqueeze(2) & others.unsqueeze(1), gaps, 0.0)
    losses = div(sum(losses, (1, 2)), float(classes))
    return reduced(losses if input.ndim == 2 else reshape(losses, ()), reduction)


@function(**_FUNCTIONAL)
def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Mean over the classes of -w (t log sigmoid(x) + (1 - t) log sigmoid(-x)), of scores x and targets t, 0 or 1.

    Shapes: input (*, C), target and ``weight`` broadcast to it; output () or (*).

    >>> import minidl
    >>> minidl.nn.functional.multilabel_soft_margin_loss(minidl.zeros(1, 2), minidl.tensor([[0.0, 1.0]]))
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid. Hint: use one of none, mean, sum.")
    check_tensors("multilabel_soft_margin_loss", input=input, target=target)
    losses = neg(add(mul(target, logsigmoid(input)), mul(sub(1, target), logsigmoid(neg(input)))))
    if weight is not None:
        losses = mul(losses, weight)
    return reduced(div(sum(losses, -1), float(input.shape[-1])), reduction)
