"""Adadelta."""

from minidl.backends import of
from minidl.optim.columns import columns, scalar, zeros
from minidl.optim.optimizer import Optimizer, check_implementation
from minidl.optim.options import check_not_negative, check_rate

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Adadelta: scales the gradient by the root of the mean square of past steps over that of past gradients.

    g = gradient + weight_decay * p;  v = rho v + (1 - rho) g^2;  d = g * sqrt(u + eps) / sqrt(v + eps);
    u = rho u + (1 - rho) d^2;  p -= lr * d

    ``maximize`` climbs. ``foreach`` is accepted and changes nothing. Raises ``ValueError`` for options out of range,
    ``NotImplementedError`` for ``capturable`` and ``differentiable``. Source: M. Zeiler, "ADADELTA: an adaptive
    learning rate method", 2012; PyTorch's ``torch.optim.Adadelta``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(2, 1)
    >>> optimizer = minidl.optim.Adadelta(layer.parameters())
    """

    def __init__(
        self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, foreach=None, *,
        capturable=False, maximize=False, differentiable=False,
    ):  # fmt: skip
        check_rate(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative(eps=eps, weight_decay=weight_decay)
        check_implementation(foreach, None, differentiable, capturable)
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, group):
        options = (
            float(group["lr"]), float(group["rho"]), float(group["eps"]), float(group["weight_decay"]),
            bool(group["maximize"]),
        )  # fmt: skip
        for columns_of_kind in columns(self, group, ("square_avg", "acc_delta", "step"), _begin):
            of(columns_of_kind[0][0]).adadelta_step(*columns_of_kind, *options)


def _begin(state, array):
    state["step"] = scalar()
    state["square_avg"] = zeros(array)
    state["acc_delta"] = zeros(array)
