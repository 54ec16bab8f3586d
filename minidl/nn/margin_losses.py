"""Losses of margins and likelihoods as layers. Array-likes and deprecated arguments: as in ``minidl.nn.loss``.

``reduction`` is 'none', 'mean' or 'sum'; the output is () or, with 'none', as the function of the same name says.
"""

from minidl.autograd import Tensor
from minidl.nn.distance import PairwiseDistance
from minidl.nn.loss import _Loss, _WeightedLoss
from minidl.ops import class_margin_losses as class_ops
from minidl.ops import likelihood_losses, margin_losses

__all__ = [
    "CosineEmbeddingLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "PoissonNLLLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


def _check_margin(loss, margin):
    if margin <= 0:
        raise ValueError(f"{type(loss).__name__}: expected margin to be greater than 0, got {margin} instead")


class _MarginLoss(_Loss):
    """A loss whose first argument is its margin."""

    def __init__(self, margin=0.0, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class TripletMarginLoss(_Loss):
    """Mean of max(0, d(a, p) - d(a, n) + margin), d being the ``p``-norm of a difference; see ``functional``.

    Shapes: anchor, positive and negative (N, D) or (D,); output () or (N,). Raises ``ValueError`` for margin <= 0,
    ``RuntimeError`` where the ranks differ.

    >>> import minidl
    >>> a, p, n = minidl.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.5]]).split(1)
    >>> minidl.nn.TripletMarginLoss()(a, p, n)
    tensor(0.5000)
    """

    def __init__(
        self, margin=1.0, p=2.0, eps=1e-6, swap=False, size_average=None, reduce=None, reduction="mean"
    ):
        super().__init__(size_average, reduce, reduction)
        _check_margin(self, margin)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor, positive, negative):
        return margin_losses.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )


class TripletMarginWithDistanceLoss(_Loss):
    """``TripletMarginLoss`` of any distance: ``distance_function``, a function or layer of two tensors.

    Shapes: anchor, positive and negative as the distance takes them; output () or the shape of what it gives. Errors
    as ``TripletMarginLoss``.

    >>> import minidl
    >>> a, p, n = minidl.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.5]]).split(1)
    >>> minidl.nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: (x - y).abs().amax(1))(a, p, n)
    tensor(0.5000)
    """

    def __init__(self, *, distance_function=None, margin=1.0, swap=False, reduction="mean"):
        super().__init__(reduction=reduction)
        _check_margin(self, margin)
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor, positive, negative):
        return margin_losses.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class CosineEmbeddingLoss(_MarginLoss):
    """Mean of 1 - cos(x1, x2) where the target is 1, of max(0, cos(x1, x2) - margin) where it is -1.

    Shapes: input1 and input2 (N, D) with target (N,), or (D,) with (); output () or as the target. Raises
    ``RuntimeError`` for other ranks.

    >>> import minidl
    >>> x = minidl.tensor([[3.0, 4.0]])
    >>> minidl.nn.CosineEmbeddingLoss()(x, x.flip(1), minidl.ones(1))
    tensor(0.0400)
    """

    def forward(self, input1, input2, target):
        return margin_losses.cosine_embedding_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class MarginRankingLoss(_MarginLoss):
    """Mean of max(0, -t (x1 - x2) + margin): input1 is to be the larger where the target is 1, the smaller where -1.

    Shapes: all broadcast to (*); output () or (*). Raises ``RuntimeError`` where the ranks differ.

    >>> import minidl
    >>> minidl.nn.MarginRankingLoss()(minidl.ones(1), minidl.tensor([3.0]), minidl.ones(1))
    tensor(2.)
    """

    def forward(self, input1, input2, target):
        return margin_losses.margin_ranking_loss(
            input1, input2, target, self.margin, reduction=self.reduction
        )


class HingeEmbeddingLoss(_MarginLoss):
    """Mean of x where the target is 1, of max(0, margin - x) where it is -1; x is a distance.

    Shapes: input and target broadcast to (*); output () or (*).

    >>> import minidl
    >>> minidl.nn.HingeEmbeddingLoss()(minidl.tensor([0.25]), minidl.tensor([-1.0]))
    tensor(0.7500)
    """

    def __init__(self, margin=1.0, size_average=None, reduce=None, reduction="mean"):
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input, target):
        return margin_losses.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """Mean of log(1 + exp(-t x)) of scores x and targets t, 1 or -1. Shapes: input and target (*); output () or (*).

    >>> import minidl
    >>> minidl.nn.SoftMarginLoss()(minidl.zeros(2), minidl.ones(2))
    tensor(0.6931)
    """

    def forward(self, input, target):
        return margin_losses.soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """Mean of sum over c other than t of w[t] max(0, margin - x[t] + x[c])^p, over C; see ``functional``.

    Shapes: input (N, C) or (C,), target (N,) or () of class indices, ``weight`` (C,); output () or as the target.
    Raises ``ValueError`` where ``p`` is neither 1 nor 2 or ``weight`` has not one dimension, ``RuntimeError`` for a
    target out of range.

    >>> import minidl
    >>> minidl.nn.MultiMarginLoss()(minidl.tensor([[0.1, 0.2, 0.4, 0.8]]), minidl.tensor([3]))
    tensor(0.3250)
    """

    def __init__(self, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if isinstance(weight, Tensor) and weight.ndim != 1:
            raise ValueError(
                f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.ndim}D instead"
            )
        self.p = p
        self.margin = margin

    def forward(self, input, target):
        return class_ops.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(_Loss):
    """Mean of the sum of max(0, 1 - x[t] + x[c]) over targets t and other classes c, over C; see ``functional``.

    Shapes: input and target (N, C) or (C,); output () or (N,). A row of the target lists class indices up to the first
    -1. Raises ``RuntimeError`` for an index out of range.

    >>> import minidl
    >>> minidl.nn.MultiLabelMarginLoss()(
    ...     minidl.tensor([[0.1, 0.2, 0.4, 0.8]]), minidl.tensor([[3, 0, -1, 1]])
    ... )
    tensor(0.8500)
    """

    def forward(self, input, target):
        return class_ops.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Mean over classes and samples of -w (t log sigmoid(x) + (1 - t) log sigmoid(-x)), targets t being 0 or 1.

    Shapes: input and target (N, C), ``weight`` (C,); output () or (N,).

    >>> import minidl
    >>> minidl.nn.MultiLabelSoftMarginLoss()(minidl.zeros(1, 2), minidl.tensor([[0.0, 1.0]]))
    tensor(0.6931)
    """

    def forward(self, input, target):
        return class_ops.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class PoissonNLLLoss(_Loss):
    """Mean of exp(x) - t x, or of x - t log(x + eps) without ``log_input``; see ``functional.poisson_nll_loss``.

    ``full`` adds Stirling's approximation of log t!. Shapes: input and target (*); output () or (*).

    >>> import minidl
    >>> minidl.nn.PoissonNLLLoss()(minidl.zeros(2), minidl.ones(2))
    tensor(1.)
    """

    def __init__(
        self, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"
    ):
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input, target):
        return likelihood_losses.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """Mean of (log v + (x - t)^2 / v) / 2 of means x and variances v >= ``eps``; see ``functional.gaussian_nll_loss``.

    ``full`` adds log(2 pi) / 2. Shapes: input (*), target broadcasts against it, ``var`` (*), with one size 1, or
    without the last dimension; output () or (*). Raises ``ValueError`` for a negative variance or another shape.

    >>> import minidl
    >>> minidl.nn.GaussianNLLLoss()(minidl.zeros(2), minidl.ones(2), minidl.ones(2))
    tensor(0.5000)
    """

    def __init__(self, *, full=False, eps=1e-6, reduction="mean"):
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input, target, var):
        return likelihood_losses.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )
