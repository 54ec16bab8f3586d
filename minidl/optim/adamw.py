"""AdamW: Adam with weight decay apart from the gradient."""

from minidl.optim.adam import Adam

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam whose weight decay does not join the gradient but shrinks the parameters: p *= 1 - lr * weight_decay.

    Options and errors are Adam's; ``weight_decay`` is 0.01 by default. Source: I. Loshchilov, F. Hutter,
    "Decoupled weight decay regularization", ICLR 2019; PyTorch's ``torch.optim.AdamW``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(2, 1)
    >>> optimizer = minidl.optim.AdamW(layer.parameters(), lr=0.01)
    """

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *,
        maximize=False, foreach=None, capturable=False, differentiable=False, fused=None,
    ):  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip
