"""RAdam."""

from minidl.backends import of
from minidl.optim.columns import columns, scalar, zeros
from minidl.optim.optimizer import Optimizer, check_implementation
from minidl.optim.options import check_betas, check_not_negative, check_rate

__all__ = ["RAdam"]


class RAdam(Optimizer):
    """Adam that is rectified: it scales by the gradient's size only once enough of them have been seen.

    With m and v as in Adam, R = 2 / (1 - b2) - 1 and r = R - 2 t b2^t / (1 - b2^t):
    p -= lr * m / (1 - b1^t), and where r > 5 that times
    sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r)) * sqrt(1 - b2^t) / (sqrt(v) + eps)

    Weight decay joins the gradient, or with ``decoupled_weight_decay`` shrinks p as in AdamW; ``maximize`` climbs.
    ``foreach`` is accepted and changes nothing. Raises ``ValueError`` for options out of range,
    ``NotImplementedError`` for ``capturable`` and ``differentiable``. Source: L. Liu et al., "On the variance of the
    adaptive learning rate and beyond", ICLR 2020; PyTorch's ``torch.optim.RAdam``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(2, 1)
    >>> optimizer = minidl.optim.RAdam(layer.parameters(), lr=0.01)
    """

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decoupled_weight_decay=False, *,
        foreach=None, maximize=False, capturable=False, differentiable=False,
    ):  # fmt: skip
        check_rate(lr)
        check_not_negative(eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        check_implementation(foreach, None, differentiable, capturable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, group):
        beta1, beta2 = group["betas"]
        options = (
            float(group["lr"]), float(beta1), float(beta2), float(group["eps"]), float(group["weight_decay"]),
            bool(group["decoupled_weight_decay"]), bool(group["maximize"]),
        )  # fmt: skip
        for columns_of_kind in columns(self, group, ("exp_avg", "exp_avg_sq", "step"), _begin):
            of(columns_of_kind[0][0]).radam_step(*columns_of_kind, *options)


def _begin(state, array):
    state["step"] = scalar()
    state["exp_avg"] = zeros(array)
    state["exp_avg_sq"] = zeros(array)
