"""``CTCLoss``: the likelihood of a sequence of labels whose places in time are unknown."""

from minidl.nn.loss import _Loss
from minidl.ops.ctc import ctc_loss

__all__ = ["CTCLoss"]


class CTCLoss(_Loss):
    """-log of the probability of the labels, over all sequences of classes that give them (``functional.ctc_loss``).

    Shapes, for T steps, N samples, C classes: log_probs (T, N, C) or (T, C), as ``log_softmax`` gives them; targets
    (N, S), padded by anything, or (sum of target_lengths,); input_lengths and target_lengths (N,) or (); output () or,
    with ``reduction`` 'none', (N,). A mean divides each loss by its target's length first. No path gives inf, and with
    ``zero_infinity`` 0 without gradient.

    Raises ``RuntimeError`` for shapes and lengths that do not fit, a blank or a label that is no class.
    Source: A. Graves et al., "Connectionist temporal classification", 2006.

    >>> import minidl
    >>> logs = minidl.full((2, 1, 2), 0.5).log()
    >>> minidl.nn.CTCLoss()(logs, minidl.tensor([[1]]), (2,), (1,)).exp()
    tensor(1.3333)
    """

    def __init__(self, blank=0, reduction="mean", zero_infinity=False):
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs, targets, input_lengths, target_lengths):
        return ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
