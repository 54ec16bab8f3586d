"""Functions that are others at the top level than in ``nn.functional``: arguments in another order, numbers for words.

``reduction`` is 0 (keep the elements), 1 (their mean, the default) or 2 (their sum); PyTorch 2.13 keeps the elements
where none is given, though its signatures say 1. What they compute, and which errors they raise,
says the function of the same name in ``nn.functional``. Source of the signatures: ``torch``.
"""

from minidl.autograd import function
from minidl.ops import binary_losses, ctc, likelihood_losses, losses, margin_losses, norm
from minidl.ops import embedding as tables
from minidl.ops import embedding_bag as bags

_TOP = {"faces": ("torch",), "method": False}
_REDUCTIONS = ("none", "mean", "sum")
_BAG_MODES = ("sum", "mean", "max")


def _named(reduction):
    """The word for a reduction's number. Raises ``ValueError`` for others."""
    if reduction.__class__ is not int or not 0 <= reduction <= 2:
        raise ValueError(
            f"{reduction} is not a valid value for reduction. Hint: 0 is none, 1 is mean and 2 is sum; "
            "nn.functional takes the words."
        )
    return _REDUCTIONS[reduction]


@function(**_TOP)
def binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction=1):
    """``nn.functional.binary_cross_entropy_with_logits`` with a number for the reduction.

    >>> import minidl
    >>> minidl.binary_cross_entropy_with_logits(minidl.zeros(2), minidl.ones(2), reduction=2)
    tensor(1.3863)
    """
    return binary_losses.binary_cross_entropy_with_logits(
        input, target, weight, reduction=_named(reduction), pos_weight=pos_weight
    )


@function(**_TOP)
def kl_div(input, target, reduction=1, *, log_target=False):
    """``nn.functional.kl_div`` with a number for the reduction; a mean is one over all elements.

    >>> import minidl
    >>> minidl.kl_div(minidl.tensor([0.5, 0.5]).log(), minidl.tensor([1.0, 0.0]), 2)
    tensor(0.6931)
    """
    return losses._kl_div(input, target, log_target, _named(reduction))


@function(**_TOP)
def poisson_nll_loss(input, target, log_input, full, eps, reduction):
    """``nn.functional.poisson_nll_loss`` with a number for the reduction, and without defaults.

    >>> import minidl
    >>> minidl.poisson_nll_loss(minidl.zeros(2), minidl.ones(2), True, False, 1e-8, 2)
    tensor(2.)
    """
    return likelihood_losses.poisson_nll_loss(
        input, target, log_input, full, eps=eps, reduction=_named(reduction)
    )


@function(**_TOP)
def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction=1):
    """``nn.functional.cosine_embedding_loss`` with a number for the reduction.

    >>> import minidl
    >>> minidl.cosine_embedding_loss(minidl.ones(1, 2), minidl.ones(1, 2), -minidl.ones(1))
    tensor(1.)
    """
    return margin_losses.cosine_embedding_loss(input1, input2, target, margin, reduction=_named(reduction))


@function(**_TOP)
def hinge_embedding_loss(input, target, margin=1.0, reduction=1):
    """``nn.functional.hinge_embedding_loss`` with a number for the reduction.

    >>> import minidl
    >>> minidl.hinge_embedding_loss(minidl.tensor([0.25]), minidl.tensor([-1.0]))
    tensor(0.7500)
    """
    return margin_losses.hinge_embedding_loss(input, target, margin, reduction=_named(reduction))


@function(**_TOP)
def margin_ranking_loss(input1, input2, target, margin=0.0, reduction=1):
    """``nn.functional.margin_ranking_loss`` with a number for the reduction.

    >>> import minidl
    >>> minidl.margin_ranking_loss(minidl.ones(1), minidl.tensor([3.0]), minidl.ones(1))
    tensor(2.)
    """
    return margin_losses.margin_ranking_loss(input1, input2, target, margin, reduction=_named(reduction))


@function(**_TOP)
def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction=1):
    """``nn.functional.triplet_margin_loss`` with a number for the reduction, and of any margin.

    >>> import minidl
    >>> a, p, n = minidl.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.5]]).split(1)
    >>> minidl.triplet_margin_loss(a, p, n)
    tensor(0.5000)
    """
    return margin_losses.triplet_of_norms(anchor, positive, negative, margin, p, eps, swap, _named(reduction))


@function(**_TOP)
def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction=1, zero_infinity=False):
    """``nn.functional.ctc_loss`` with a number for the reduction.

    >>> import minidl
    >>> logs = minidl.full((2, 1, 2), 0.5).log()
    >>> minidl.ctc_loss(logs, minidl.tensor([[1]]), (2,), (1,)).exp()
    tensor(1.3333)
    """
    return ctc.ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, _named(reduction), zero_infinity
    )


@function(**_TOP)
def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """``nn.functional.embedding`` with the table first; a ``padding_idx`` of -1 is none.

    >>> import minidl
    >>> minidl.embedding(minidl.tensor([[1.0, 2.0], [3.0, 4.0]]), minidl.tensor([1]))
    tensor([[3., 4.]])
    """
    padding_idx = None if padding_idx == -1 else padding_idx
    return tables.embedding(
        indices, weight, padding_idx, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse
    )


@function(**_TOP)
def embedding_bag(
    weight, indices, offsets, scale_grad_by_freq=False, mode=0, sparse=False, per_sample_weights=None,
    include_last_offset=False, padding_idx=None,
):  # fmt: skip
    """``nn.functional.embedding_bag`` with the table first, a number for the mode, and what its backward needs.

    ``mode`` is 0 (sum), 1 (mean) or 2 (max). Gives (output (B, D), the bag of each index (M,), how many indices of each
    bag count (B,), and for a maximum the row of the table from which each element comes (B, D), else the number
    again). PyTorch leaves some of the last three empty or 0 where its backward does without.

    >>> import minidl
    >>> table = minidl.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> out, bag, size, _ = minidl.embedding_bag(table, minidl.tensor([0, 1, 1]), minidl.tensor([0, 2]))
    >>> out.tolist(), bag.tolist(), size.tolist()
    ([[4.0, 6.0], [3.0, 4.0]], [0, 0, 1], [2, 1])
    """
    if mode not in (0, 1, 2):
        raise ValueError(f"mode has to be 0 (sum), 1 (mean) or 2 (max), got {mode}")
    out = bags.embedding_bag(
        indices, weight, offsets, None, 2.0, scale_grad_by_freq, _BAG_MODES[mode], sparse, per_sample_weights,
        include_last_offset, padding_idx,
    )  # fmt: skip
    return (out, *bags.described(indices, weight, offsets, mode == 2, include_last_offset, padding_idx))


@function(**_TOP)
def batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled):
    """``nn.functional.batch_norm`` with the affine parameters first; ``cudnn_enabled`` changes nothing.

    >>> import minidl
    >>> x = minidl.tensor([[1.0], [3.0]])
    >>> minidl.batch_norm(x, None, None, None, None, True, 0.1, 1e-9, False)
    tensor([[-1.],
            [ 1.]])
    """
    return norm.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
