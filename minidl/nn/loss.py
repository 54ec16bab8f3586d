"""Losses as layers. Targets may be array-likes; float64 ones take the input's dtype.

``size_average`` and ``reduce`` are PyTorch's deprecated words for ``reduction``; see ``minidl.ops.losses``.
"""

import warnings

from minidl import backends, dtypes
from minidl.autograd import Tensor
from minidl.autograd.convert import to_array
from minidl.autograd.tensor import TENSORS, make
from minidl.nn.module import Module
from minidl.ops import binary_losses as binary_ops
from minidl.ops import cross_entropy as class_ops
from minidl.ops import losses as ops
from minidl.ops.loss_reduction import legacy_reduction

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "NLLLoss2d",
    "SmoothL1Loss",
]


class _Loss(Module):
    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        super().__init__()
        if size_average is not None or reduce is not None:
            # The line to warn of is the caller of the outermost constructor.
            above = type(self).__mro__[: type(self).__mro__.index(_Loss)]
            depth = 3 + sum("__init__" in vars(cls) for cls in above)
            reduction = legacy_reduction(size_average, reduce, depth)
        self.reduction = reduction

    def _accept(self, args, kwargs):
        """Array-likes beside a tensor take its device and, where they are float64, its floating dtype."""
        given = (*args, *kwargs.values())
        like = next(
            (value for value in given if value.__class__ in TENSORS and value.is_floating_point()), None
        )
        if like is None:
            return super()._accept(args, kwargs)

        def accepted(value):
            if value.__class__ in TENSORS or not hasattr(value, "__array__"):
                return value
            array = to_array(value, where=like.device)
            if array.dtype == dtypes.FLOAT64:
                array = backends.of(array).astype(array, like._array.dtype)
            return make(array, None)

        return tuple(map(accepted, args)), {name: accepted(value) for name, value in kwargs.items()}


class _WeightedLoss(_Loss):
    """A loss with a buffer ``weight``, or none."""

    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        if weight is not None and not isinstance(weight, Tensor):
            raise TypeError(f"weight must be a Tensor or None, not {weight.__class__.__name__}")
        self.register_buffer("weight", weight)


class MSELoss(_Loss):
    """Mean of (x - t)^2. Shapes: input (*), target (*), output () or, with reduction 'none', (*).

    Shapes that differ broadcast with a ``UserWarning``. ``reduction`` is 'none', 'mean' or 'sum' here and below.

    >>> import minidl
    >>> minidl.nn.MSELoss()(minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input, target):
        return ops.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """Mean of |x - t|. Shapes and arguments as ``MSELoss``.

    >>> import minidl
    >>> minidl.nn.L1Loss()(minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, input, target):
        return ops.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """Mean of z^2 / (2 beta) where |z| < beta, |z| - beta / 2 elsewhere, with z = x - t. Shapes as ``MSELoss``.

    >>> import minidl
    >>> minidl.nn.SmoothL1Loss()(minidl.tensor([3.0]), minidl.tensor([0.0]))
    tensor(2.5000)
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean", beta=1.0):
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input, target):
        return ops.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """Mean of z^2 / 2 where |z| <= delta, delta (|z| - delta / 2) elsewhere, with z = x - t. Shapes as ``MSELoss``.

    >>> import minidl
    >>> minidl.nn.HuberLoss(delta=2.0)(minidl.tensor([3.0]), minidl.tensor([0.0]))
    tensor(4.)
    """

    def __init__(self, reduction="mean", delta=1.0):
        super().__init__(reduction=reduction)
        if not isinstance(delta, (float, int)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        self.delta = delta

    def forward(self, input, target):
        return ops.huber_loss(input, target, self.reduction, self.delta)


class BCELoss(_WeightedLoss):
    """Mean of -w (t log x + (1 - t) log(1 - x)) of probabilities x; see ``functional.binary_cross_entropy``.

    Shapes: input (*), target (*), ``weight`` broadcasts to them; output () or (*). Raises ``ValueError`` where the
    shapes differ, ``RuntimeError`` for values outside [0, 1].

    >>> import minidl
    >>> minidl.nn.BCELoss()(minidl.tensor([0.5]), minidl.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input, target):
        return binary_ops.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """``BCELoss`` of sigmoid(x), from the logits x; see ``functional.binary_cross_entropy_with_logits``.

    Shapes: input (*), target (*), ``weight`` and ``pos_weight`` broadcast to them; output () or (*).

    >>> import minidl
    >>> minidl.nn.BCEWithLogitsLoss()(minidl.tensor([0.0]), minidl.tensor([1.0]))
    tensor(0.6931)
    """

    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
        super().__init__(weight, size_average, reduce, reduction)
        if pos_weight is not None and not isinstance(pos_weight, Tensor):
            raise TypeError(f"pos_weight must be a Tensor or None, not {pos_weight.__class__.__name__}")
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input, target):
        return binary_ops.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class NLLLoss(_WeightedLoss):
    """Negative log likelihood -w[t] x[t] of log-probabilities x and class indices t; see ``functional.nll_loss``.

    Shapes: input (N, C), (N, C, d1, ...) or (C,); target (N,), (N, d1, ...) or (); ``weight`` (C,); output () or as the
    target.

    >>> import minidl
    >>> x = minidl.tensor([[0.5, 0.25, 0.25]]).log()
    >>> minidl.nn.NLLLoss()(x, minidl.tensor([0]))
    tensor(0.6931)
    """

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input, target):
        return class_ops.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class NLLLoss2d(NLLLoss):
    """``NLLLoss`` under its former name for images; warns of that. Source: PyTorch's ``torch.nn.NLLLoss2d``.

    >>> import warnings
    >>> import minidl
    >>> warnings.simplefilter("ignore")
    >>> minidl.nn.NLLLoss2d()(minidl.zeros(1, 2, 3, 3), minidl.zeros(1, 3, 3).long())
    tensor(0.)
    """

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
        warnings.warn(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of logits and class indices, or class probabilities; see ``functional.cross_entropy``.

    Shapes: input (N, C), (N, C, d1, ...) or (C,); target (N,), (N, d1, ...) or () for indices, as the input for
    probabilities; ``weight`` (C,); output () or the indices' shape. Raises ``IndexError`` for a target out of range,
    ``ValueError`` where the batch sizes differ.

    >>> import minidl
    >>> minidl.nn.CrossEntropyLoss()(minidl.zeros(1, 2), minidl.tensor([1]))
    tensor(0.6931)
    """

    def __init__(
        self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
        label_smoothing=0.0,
    ):  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input, target):
        return class_ops.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence t (log t - x) of log-probabilities x from probabilities t (``functional.kl_div``).

    Shapes: input (*), target (*), output () or (*). ``reduction`` may also be 'batchmean', the mathematical definition.

    >>> import minidl
    >>> x = minidl.tensor([[0.5, 0.5]]).log()
    >>> minidl.nn.KLDivLoss(reduction="batchmean")(x, minidl.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean", log_target=False):
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input, target):
        return ops.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
