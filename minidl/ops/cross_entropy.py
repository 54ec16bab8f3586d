"""Losses of classes: cross entropy of logits, negative log likelihood of log-probabilities.

Shapes: input (N, C), (N, C, d1, ...) or (C,) with C classes; class indices as target (N,), (N, d1, ...) or (); the
output () or, with reduction 'none', the target's shape. ``size_average`` and ``reduce`` are PyTorch's deprecated words
for ``reduction``; see ``minidl.ops.losses``.
"""

import math

from minidl import backends, dtypes
from minidl.autograd import Saved, function, op
from minidl.autograd.node import named
from minidl.autograd.tensor import TENSORS
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul, neg
from minidl.ops.common import require_floating, told_later
from minidl.ops.comparison import ne
from minidl.ops.loss_reduction import check_reduction, legacy_reduction
from minidl.ops.reductions import sum
from minidl.ops.selection import where
from minidl.ops.shapes import reshape
from minidl.ops.softmax import log_softmax

_FUNCTIONAL = {"faces": ("functional",), "method": False}


def _class_dim(shape):
    return 1 if len(shape) > 1 else 0


def _along_classes(weight, shape):
    """A weight (C,) so shaped that it broadcasts against an input of ``shape``."""
    dim = _class_dim(shape)
    return reshape(weight, tuple(shape[dim] if d == dim else 1 for d in range(len(shape))))


def _check_target_shape(input, target):
    if input.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0). Hint: the input holds one value a class.")
    if input.ndim == 1:
        if target.ndim > 1 or target.size != 1:
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target.size}")
        return
    if target.ndim == 0 or input.shape[0] != target.shape[0]:
        size = target.shape[0] if target.ndim else 1
        raise ValueError(
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({size}). "
            f"Hint: input is {list(input.shape)}, (N, C, ...); target is {list(target.shape)}, (N, ...)."
        )
    wanted = (input.shape[0], *input.shape[2:])
    if input.ndim == 2 and target.ndim != 1:
        raise RuntimeError(
            f"0D or 1D target tensor expected, multi-target not supported. Hint: target is {list(target.shape)}; "
            + (
                "did you mean target.squeeze(1)?"
                if target.shape == (*wanted, 1)
                else f"wanted is {list(wanted)}."
            )
        )
    if target.shape != wanted:
        raise RuntimeError(f"Expected target size {list(wanted)}, got {list(target.shape)}")


def _settled(input, target, weight, ignore_index, reduction):
    """Target and weight as the backend takes them. Raises PyTorch's errors for what does not fit the input."""
    check_reduction(reduction)
    require_floating(input, "nll_loss")
    _check_target_shape(input, target)
    if target.dtype.kind not in "iu":
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {dtypes.scalar_name(target.dtype)}. "
            "Hint: class indices are integers (.long()); class probabilities have the input's shape."
        )
    classes = input.shape[_class_dim(input.shape)]
    if weight is not None:
        if weight.shape != (classes,):
            raise RuntimeError(
                f"weight tensor should be defined either for all {classes} classes or no classes but got weight "
                f"tensor of shape: {list(weight.shape)}"
            )
        if weight.dtype != input.dtype:
            raise RuntimeError(
                f"expected scalar type {dtypes.scalar_name(input.dtype)} but found {dtypes.scalar_name(weight.dtype)}"
            )
    space = of(input)
    target = _classes_for_kernels(target, input, classes, ignore_index)
    at = -1 if told_later(target, input) else space.first_out_of_range(target, classes, ignore_index)
    if at >= 0:
        worst = int(backends.to_numpy(target.reshape(-1)[at : at + 1])[0])
        raise IndexError(
            f"Target {worst} is out of bounds. Hint: targets of {classes} classes lie in [0, {classes - 1}] or equal "
            f"ignore_index ({ignore_index}); this one is at position {at} of the flattened target."
        )
    if classes == 0 and target.size:
        raise ValueError(f"Expected at least one class, but got input of shape {list(input.shape)}")
    target = target if target.dtype == dtypes.INT64 else target.astype(dtypes.INT64)
    return space, target.reshape(()) if input.ndim == 1 else target, weight


def _classes_for_kernels(target, like, classes, ignore_index):
    """On a GPU, a bad target is ignored, and told of later; elsewhere whoever calls looks before."""
    return of(like).only_classes(target, classes, ignore_index) if told_later(target, like) else target


def _nll_rule(g, input_shape, target, weight, ignore_index, reduction):
    return nll_loss_backward(g, target, weight, input_shape, ignore_index, reduction)


def _nll_name(shape, kept):
    """PyTorch has another node for classes over positions, (N, C, d1, ...); a smoothed loss is a sum."""
    if kept.get("label_smoothing"):
        return "Add"
    input = kept.get("input_shape") or getattr(kept.get("input"), "shape", ())
    return "NllLoss2D" if len(input) > 2 else "NllLoss"


@op(input=_nll_rule, constant="target weight", faces=(), method=False, shown=_nll_name)
def _nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean"):
    space, target, weight = _settled(input, target, weight, ignore_index, reduction)
    return space.nll_loss(input, target, weight, ignore_index, reduction)


@function(**_FUNCTIONAL)
def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """Negative log likelihood: loss = -w[t] x[t], with log-probabilities x and class index t.

    A mean divides by the sum of the weights w[t] of the targets that are not ``ignore_index``: NaN where all are
    ignored. ``weight`` (C,) has no gradient. Raises as ``cross_entropy``.

    >>> import minidl
    >>> x = minidl.tensor([[0.5, 0.25, 0.25]]).log()
    >>> minidl.nn.functional.nll_loss(x, minidl.tensor([0]))
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    return _nll_loss(input, target, weight, ignore_index, reduction)


def _nll_backward_rule(g, target, weight, ignore_index, reduction):
    # Linear in its input: the transpose of the transpose.
    return _nll_loss(g, target, weight, ignore_index, reduction)


@op(grad_output=_nll_backward_rule, constant="target weight", faces=(), method=False)
def nll_loss_backward(grad_output, target, weight=None, shape=None, ignore_index=-100, reduction="mean"):
    """Gradient of ``nll_loss`` by its input, of ``shape``: -w[t] g in the place of each target."""
    space = of(grad_output)
    target = _classes_for_kernels(target, grad_output, shape[_class_dim(shape)], ignore_index)
    target = target.reshape(()) if len(shape) == 1 else target
    weight = (
        weight if weight is None or weight.dtype == grad_output.dtype else weight.astype(grad_output.dtype)
    )
    return space.nll_loss_backward(grad_output, target, weight, tuple(shape), ignore_index, reduction)


def _cross_entropy_rule(g, input, target, weight, log_sums, total, ignore_index, reduction, label_smoothing):
    if weight is not None and weight.dtype != input.dtype:
        weight = of(weight).astype(weight, input.dtype)
    target = _classes_for_kernels(target, input, input.shape[_class_dim(input.shape)], ignore_index)
    target = of(target).reshape(target, log_sums.shape)
    return of(input).cross_entropy_backward(
        g, input, target, weight, log_sums, total, ignore_index, reduction, label_smoothing
    )


def _cross_entropy_composed(input, target, weight, total, ignore_index, reduction, label_smoothing):
    """Cross entropy as log-softmax and nll_loss; the smooth part is the same for every class."""
    dim = _class_dim(input.shape)
    logs = log_softmax(input, dim)
    loss = _nll_loss(logs, target, weight, ignore_index, reduction)
    if label_smoothing == 0:
        return loss
    smooth = neg(sum(logs if weight is None else mul(logs, _along_classes(weight, input.shape)), dim))
    smooth = where(ne(reshape(target, smooth.shape), ignore_index), smooth, 0.0)
    if reduction != "none":
        smooth = div(sum(smooth), total) if reduction == "mean" else sum(smooth)
    share = label_smoothing / input.shape[dim]
    return add(mul(loss, 1 - label_smoothing), mul(smooth, share))


@op(
    input=_cross_entropy_rule,
    constant="target weight",
    composed=_cross_entropy_composed,
    shown=_nll_name,
    faces=(),
    method=False,
)
def cross_entropy_of_indices(
    input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    """Cross entropy of logits and class indices; the public function is ``cross_entropy``."""
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if input.shape == target.shape and input.size != 1:
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{dtypes.scalar_name(target.dtype)}. Hint: class indices have the shape "
            f"{list(input.shape[:1] + input.shape[2:])}."
        )
    space, target, weight = _settled(input, target, weight, ignore_index, reduction)
    loss, log_sums, total = space.cross_entropy(
        input, target, weight, ignore_index, reduction, float(label_smoothing)
    )
    return loss, Saved(log_sums=log_sums, total=total)


def _of_probabilities(input, target, weight, reduction, label_smoothing):
    """Cross entropy of logits and class probabilities of the same shape."""
    dim = _class_dim(input.shape)
    if label_smoothing > 0:
        target = add(mul(target, 1 - label_smoothing), label_smoothing / input.shape[dim])
    logs = log_softmax(input, dim)
    if weight is not None:
        logs = mul(logs, _along_classes(weight, input.shape))
    loss = neg(sum(mul(logs, target), dim))
    if reduction == "none":
        return loss
    total = sum(loss)
    if reduction == "sum":
        return named(total, "Neg")
    return named(div(total, float(math.prod(input.shape) // max(input.shape[dim], 1))), "DivBackward1")


@function(**_FUNCTIONAL, tensors="input target")
def cross_entropy(
    input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
    label_smoothing=0.0,
):  # fmt: skip
    """Cross entropy of logits x and class indices t, or class probabilities of the input's shape.

    With L = log sum_c exp(x[c]) and label smoothing s:
    loss = (1 - s) w[t] (L - x[t]) + s / C sum_c w[c] (L - x[c])

    A mean divides by the sum of the weights w[t] of the targets that are not ``ignore_index`` (NaN where all are
    ignored); with probabilities, by the number of samples. ``weight`` (C,) has no gradient, probabilities have one.

    Raises ``IndexError`` for a target outside [0, C), ``ValueError`` where the batch sizes differ, ``RuntimeError`` for
    other shapes or dtypes that do not fit.
    Source: C. Szegedy et al., "Rethinking the Inception architecture", 2016 (label smoothing).

    >>> import minidl
    >>> logits = minidl.tensor([[2.0, 0.0], [0.0, 0.0]])
    >>> minidl.nn.functional.cross_entropy(logits, minidl.tensor([0, 1]))
    tensor(0.4100)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if target.__class__ in TENSORS and target.is_floating_point() and target.shape == input.shape:
        check_reduction(reduction)
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
        if weight is not None and tuple(weight.shape) != (input.shape[_class_dim(input.shape)],):
            raise RuntimeError(
                f"cross_entropy: weight tensor should be defined either for all "
                f"{input.shape[_class_dim(input.shape)]} classes or no classes but got weight tensor of shape: "
                f"{list(weight.shape)}"
            )
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    return cross_entropy_of_indices(input, target, weight, ignore_index, reduction, label_smoothing)
