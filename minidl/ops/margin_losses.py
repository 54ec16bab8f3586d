"""Losses of pairs and triplets that are to keep a distance: ranking, similarity, embeddings.

All take ``reduction``: 'none' keeps the elements, 'mean' (the default) and 'sum' give a 0-d tensor; for the deprecated
``size_average`` and ``reduce`` see ``minidl.ops.losses``. They raise ``TypeError`` for what is no Tensor, and
``ValueError`` for an unknown reduction.
"""

from minidl import dtypes
from minidl.autograd import function
from minidl.ops.activations import logsigmoid
from minidl.ops.arithmetic import add, div, mul, neg, sub
from minidl.ops.blends import clamp_min
from minidl.ops.comparison import eq, ne
from minidl.ops.distance import pairwise_distance
from minidl.ops.loss_reduction import check_reduction, check_tensors, legacy_reduction, reduced
from minidl.ops.pointwise import sqrt
from minidl.ops.reductions import sum
from minidl.ops.selection import clamp, minimum, where

_FUNCTIONAL = {"faces": ("functional",), "method": False}


def _check_margin(margin):
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


def _check_triplet(name, anchor, positive, negative):
    check_tensors(name, anchor=anchor, positive=positive, negative=negative)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )


def _triplet(distance, anchor, positive, negative, margin, swap, reduction):
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp_min(add(sub(near, far), margin), 0.0), reduction)


def triplet_of_norms(anchor, positive, negative, margin, p, eps, swap, reduction):
    """``triplet_margin_loss`` of any margin."""
    _check_triplet("triplet_margin_loss", anchor, positive, negative)
    return _triplet(
        lambda x, y: pairwise_distance(x, y, p, eps), anchor, positive, negative, margin, swap, reduction
    )


@function(**_FUNCTIONAL)
def triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None, reduce=None,
    reduction="mean",
):  # fmt: skip
    """max(0, d(a, p) - d(a, n) + margin), d being the ``p``-norm of a difference plus ``eps`` along the last dimension.

    Shapes: anchor, positive and negative (N, D) or (D,), in general broadcast to (*, D); output () or (*). With
    ``swap`` the positive stands for the anchor where it lies nearer to the negative. Raises ``ValueError`` for
    margin <= 0, ``RuntimeError`` where the ranks differ.
    Source: V. Balntas et al., "Learning local feature descriptors with triplets and shallow convolutional neural
    networks", 2016.

    >>> import minidl
    >>> a, p, n = minidl.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.5]]).split(1)
    >>> minidl.nn.functional.triplet_margin_loss(a, p, n)
    tensor(0.5000)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    check_reduction(reduction)
    _check_margin(margin)
    return triplet_of_norms(anchor, positive, negative, margin, p, eps, swap, reduction)


@function(**_FUNCTIONAL)
def triplet_margin_with_distance_loss(
    anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    """``triplet_margin_loss`` of any distance: ``distance_function`` maps two tensors to one, the Euclidean by default.

    Shapes: anchor, positive and negative as the function takes them; output () or the shape of what it gives. Errors
    as ``triplet_margin_loss``.

    >>> import minidl
    >>> a, p, n = minidl.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.5]]).split(1)
    >>> far = lambda x, y: (x - y).abs().amax(1)
    >>> minidl.nn.functional.triplet_margin_with_distance_loss(a, p, n, distance_function=far)
    tensor(0.5000)
    """
    check_reduction(reduction)
    _check_margin(margin)
    _check_triplet("triplet_margin_with_distance_loss", anchor, positive, negative)
    return _triplet(
        distance_function or pairwise_distance, anchor, positive, negative, margin, swap, reduction
    )


@function(**_FUNCTIONAL)
def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -t (x1 - x2) + margin): input1 is to be the larger where the target is 1, the smaller where it is -1.

    Shapes: all broadcast to (*); output () or (*). Raises ``RuntimeError`` where the ranks differ.

    >>> import minidl
    >>> x1, x2, t = minidl.tensor([[1.0, 2.0], [3.0, 1.0], [1.0, 1.0]])
    >>> minidl.nn.functional.margin_ranking_loss(x1, x2, t, reduction="none")
    tensor([2., 0.])
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    check_reduction(reduction)
    check_tensors("margin_ranking_loss", input1=input1, input2=input2, target=target)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduced(clamp_min(add(mul(neg(target), sub(input1, input2)), margin), 0.0), reduction)


@function(**_FUNCTIONAL)
def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """x where the target is 1, max(0, margin - x) where it is -1: of distances x between what is alike, or is not.

    Shapes: input and target broadcast to (*); output () or (*). Source: ``torch.nn.functional.hinge_embedding_loss``.

    >>> import minidl
    >>> x, t = minidl.tensor([[0.5, 0.25], [1.0, -1.0]])
    >>> minidl.nn.functional.hinge_embedding_loss(x, t, reduction="none")
    tensor([0.5000, 0.7500])
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    check_reduction(reduction)
    check_tensors("hinge_embedding_loss", input=input, target=target)
    apart = where(ne(target, 1), clamp(sub(margin, input), 0), 0)
    return reduced(add(apart, where(ne(target, -1), input, 0)), reduction)


@function(**_FUNCTIONAL)
def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1.

    Shapes: input1 and input2 (N, D) with target (N,), or (D,) with (); output () or as the target. Raises
    ``RuntimeError`` for other ranks. Squared lengths are taken 1e-12 larger, so zeros have a gradient.

    >>> import minidl
    >>> x, t = minidl.tensor([[3.0, 4.0], [4.0, 3.0]]), minidl.tensor([1.0, -1.0])
    >>> minidl.nn.functional.cosine_embedding_loss(x, x.flip(0), t, reduction="none")
    tensor([0.0400, 0.9600])
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    check_reduction(reduction)
    check_tensors("cosine_embedding_loss", input1=input1, input2=input2, target=target)
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if not input1.ndim == input2.ndim == target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    lengths = (add(sum(mul(x, x), -1), 1e-12) for x in (input1, input2))
    cosine = div(sum(mul(input1, input2), -1), sqrt(mul(*lengths)))
    alike = where(eq(target, 1), sub(1.0, cosine), 0.0)
    return reduced(add(alike, where(eq(target, -1), clamp(sub(cosine, margin), 0.0), 0.0)), reduction)


@function(**_FUNCTIONAL, shown="SoftMarginLoss")
def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-t x)) of scores x and targets t, 1 or -1.

    Shapes: input (*), target broadcasts to it; output () or (*). Finite for every finite score, where PyTorch's is inf
    from exp(-t x) = inf on. Raises ``RuntimeError`` for integers as input, and where the target does not broadcast.

    >>> import minidl
    >>> minidl.nn.functional.soft_margin_loss(minidl.tensor([0.0, -200.0]), minidl.ones(2), reduction="none")
    tensor([  0.6931, 200.0000])
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    check_reduction(reduction)
    check_tensors("soft_margin_loss", input=input, target=target)
    if not input.is_floating_point():
        raise RuntimeError(
            "result type Float can't be cast to the desired output type "
            f"{dtypes.scalar_name(input._array.dtype)}. "
            "Hint: convert the input with .float()."
        )
    scores = mul(input, target.to(input.dtype))
    if scores.shape != input.shape:
        raise RuntimeError(
            f"output with shape {list(input.shape)} doesn't match the broadcast shape {list(scores.shape)}"
        )
    return reduced(neg(logsigmoid(scores)), reduction)
