"""Binary cross entropy, of probabilities and of logits. ``reduction`` is that of ``minidl.ops.losses``."""

from minidl import dtypes
from minidl.autograd import function, op
from minidl.autograd.size import Size
from minidl.backends import of
from minidl.ops.activations import logsigmoid
from minidl.ops.arithmetic import add, div, mul, neg, sub
from minidl.ops.common import promote, require_floating
from minidl.ops.loss_reduction import check_reduction, legacy_reduction
from minidl.ops.losses import _FUNCTIONAL, _share
from minidl.ops.pointwise import log, log1p, sigmoid
from minidl.ops.selection import clamp


def _reshaped_hint(input, target):
    """What to do where a target differs from its input by a dimension of size 1."""
    if target.shape == (*input.shape, 1):
        return f"did you mean target.squeeze({input.ndim})?"
    if input.shape == (*target.shape, 1):
        return f"did you mean target.unsqueeze({target.ndim})?"
    return "the two must have one shape: nothing is broadcast here."


def _weighted(g, weight, reduction, input, target):
    g = _share(g, reduction, input, target)
    return g if weight is None else mul(g, weight)


def _bce_input(g, input, target, weight, reduction):
    """(x - t) / (x (1 - x)), the denominator at least 1e-12 as in PyTorch."""
    spread = clamp(mul(input, sub(1.0, input)), 1e-12)
    return mul(div(sub(input, target), spread), _weighted(g, weight, reduction, input, target))


def _bce_target(g, input, target, weight, reduction):
    return mul(sub(log1p(neg(input)), log(input)), _weighted(g, weight, reduction, input, target))


@op(input=_bce_input, target=_bce_target, constant="weight", faces=(), method=False)
def _binary_cross_entropy(input, target, weight=None, reduction="mean"):
    check_reduction(reduction)
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({Size(target.shape)}) that is different to the input size ({Size(input.shape)}) is "
            f"deprecated. Please ensure they have the same size. Hint: {_reshaped_hint(input, target)}"
        )
    require_floating(input, "binary_cross_entropy")
    if target.dtype != input.dtype:
        raise RuntimeError(
            f"Found dtype {dtypes.scalar_name(target.dtype)} but expected {dtypes.scalar_name(input.dtype)}. Hint: "
            "convert the target with .to(input.dtype)."
        )
    for what, array in (("input", input), ("target", target)):
        if not of(array).inside_unit(array):
            raise RuntimeError(
                f"all elements of {what} should be between 0 and 1. Hint: NaN is not either; for logits, use "
                "binary_cross_entropy_with_logits."
            )
    return of(input).binary_cross_entropy(input, target, _fitting(weight, input), reduction)


@function(**_FUNCTIONAL)
def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """-w (t log x + (1 - t) log(1 - x)) of probabilities x; the logarithms are not below -100, so 0 and 1 are safe.

    ``weight`` broadcasts to the input and has no gradient. Raises ``ValueError`` where the shapes of input and target
    differ, ``RuntimeError`` where a value lies outside [0, 1] or is NaN.

    >>> import minidl
    >>> minidl.nn.functional.binary_cross_entropy(minidl.tensor([0.5]), minidl.tensor([1.0]))
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    return _binary_cross_entropy(input, target, weight, reduction)


def _logits_input(g, input, target, weight, pos_weight, reduction):
    """sigmoid(x) (1 + (p - 1) t) - p t."""
    slope = sigmoid(input)
    if pos_weight is None:
        slope = sub(slope, target)
    else:
        positive = mul(pos_weight, target)
        slope = sub(mul(slope, add(sub(positive, target), 1.0)), positive)
    return mul(slope, _weighted(g, weight, reduction, input, target))


def _logits_target(g, input, target, weight, pos_weight, reduction):
    """-x + (p - 1) log(1 + exp(-x))."""
    slope = neg(input)
    if pos_weight is not None:
        slope = sub(slope, mul(sub(pos_weight, 1.0), logsigmoid(input)))
    return mul(slope, _weighted(g, weight, reduction, input, target))


def _refuse_whole_numbers(input, target):
    """PyTorch's errors for targets that are no floating-point numbers."""
    if target.dtype == dtypes.BOOL:
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead. Hint: convert the target with .to(input.dtype)."
        )
    if not dtypes.is_floating(target.dtype):
        raise RuntimeError(
            f"result type {dtypes.scalar_name(input.dtype)} can't be cast to the desired output type "
            f"{dtypes.scalar_name(target.dtype)}. Hint: convert the target with .to(input.dtype)."
        )


@op(input=_logits_input, target=_logits_target, constant="weight pos_weight", faces=(), method=False)
def _binary_cross_entropy_with_logits(input, target, weight=None, reduction="mean", pos_weight=None):
    check_reduction(reduction)
    if input.shape != target.shape:
        raise ValueError(
            f"Target size ({Size(target.shape)}) must be the same as input size ({Size(input.shape)}). "
            f"Hint: {_reshaped_hint(input, target)}"
        )
    require_floating(input, "log_sigmoid_cpu")
    _refuse_whole_numbers(input, target)
    input, target = promote(input, target)
    weight, pos_weight = _fitting(weight, input), _fitting(pos_weight, input)
    return of(input).binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)


@function(**_FUNCTIONAL)
def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """``binary_cross_entropy`` of sigmoid(x), from the logits x: exact where sigmoid(x) rounds to 0 or 1.

    loss = w ((1 - t) x + (1 + (p - 1) t) log(1 + exp(-x))). ``pos_weight`` p multiplies the loss of positive targets;
    it and ``weight`` broadcast to the input and have no gradient. Raises ``ValueError`` where the shapes of input and
    target differ.

    >>> import minidl
    >>> minidl.nn.functional.binary_cross_entropy_with_logits(minidl.tensor([0.0]), minidl.tensor([1.0]))
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    return _binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight)


def _fitting(weight, input):
    """A weight in the input's dtype. Raises ``RuntimeError`` where it does not broadcast to the input's shape."""
    if weight is None:
        return None
    fits = len(weight.shape) <= input.ndim and all(
        w in (1, n) for w, n in zip(reversed(weight.shape), reversed(input.shape), strict=False)
    )
    if not fits:
        raise RuntimeError(
            f"output with shape {list(input.shape)} doesn't match the broadcast shape of a weight of size "
            f"{list(weight.shape)}. Hint: a weight broadcasts to the input's shape."
        )
    return weight if weight.dtype == input.dtype else weight.astype(input.dtype)
