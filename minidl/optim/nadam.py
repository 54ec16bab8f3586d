"""NAdam."""

from minidl.backends import of
from minidl.optim.columns import columns, scalar, zeros
from minidl.optim.optimizer import Optimizer, check_implementation
from minidl.optim.options import check_betas, check_not_negative, check_rate

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam with Nesterov's momentum: the mean of gradients as it will be after the next step.

    With m and v as in Adam, mu_t = b1 (1 - 0.96^(t momentum_decay) / 2) and M_t the product of mu_1 ... mu_t:
    p -= lr * ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m) / (sqrt(v / (1 - b2^t)) + eps)

    Weight decay joins the gradient, or with ``decoupled_weight_decay`` shrinks p as in AdamW; ``maximize`` climbs.
    ``foreach`` is accepted and changes nothing. Raises ``ValueError`` for options out of range,
    ``NotImplementedError`` for ``capturable`` and ``differentiable``. Source: T. Dozat, "Incorporating Nesterov
    momentum into Adam", ICLR workshop 2016; PyTorch's ``torch.optim.NAdam``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(2, 1)
    >>> optimizer = minidl.optim.NAdam(layer.parameters(), lr=0.01)
    """

    _host_state = ("step", "mu_product")

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3,
        decoupled_weight_decay=False, *, foreach=None, maximize=False, capturable=False, differentiable=False,
    ):  # fmt: skip
        check_rate(lr)
        check_not_negative(eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        check_implementation(foreach, None, differentiable, capturable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, group):
        beta1, beta2 = group["betas"]
        options = (
            float(group["lr"]), float(beta1), float(beta2), float(group["eps"]), float(group["weight_decay"]),
            float(group["momentum_decay"]), bool(group["decoupled_weight_decay"]), bool(group["maximize"]),
        )  # fmt: skip
        for columns_of_kind in columns(self, group, ("exp_avg", "exp_avg_sq", "mu_product", "step"), _begin):
            of(columns_of_kind[0][0]).nadam_step(*columns_of_kind, *options)


def _begin(state, array):
    state["step"] = scalar()
    state["mu_product"] = scalar(1.0)
    state["exp_avg"] = zeros(array)
    state["exp_avg_sq"] = zeros(array)
