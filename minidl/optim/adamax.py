"""Adamax."""

from minidl.backends import of
from minidl.optim.columns import columns, scalar, zeros
from minidl.optim.optimizer import Optimizer, check_implementation
from minidl.optim.options import check_betas, check_not_negative, check_rate

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam with the largest gradient, which decays, in place of the root of the mean square.

    g = gradient + weight_decay * p;  m = b1 m + (1 - b1) g;  u = max(b2 u, |g| + eps);  p -= lr / (1 - b1^t) * m / u

    ``maximize`` climbs. ``foreach`` is accepted and changes nothing. Raises ``ValueError`` for options out of range,
    ``NotImplementedError`` for ``capturable`` and ``differentiable``. Source: D. Kingma, J. Ba, "Adam: a method for
    stochastic optimization", ICLR 2015, section 7; PyTorch's ``torch.optim.Adamax``.

    >>> import minidl
    >>> x = minidl.nn.Parameter(minidl.tensor([1.0]))
    >>> optimizer = minidl.optim.Adamax([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.detach()
    tensor([0.9000])
    """

    def __init__(
        self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, foreach=None, *,
        maximize=False, differentiable=False, capturable=False,
    ):  # fmt: skip
        check_rate(lr)
        check_not_negative(eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        check_implementation(foreach, None, differentiable, capturable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _update(self, group):
        beta1, beta2 = group["betas"]
        options = (
            float(group["lr"]), float(beta1), float(beta2), float(group["eps"]), float(group["weight_decay"]),
            bool(group["maximize"]),
        )  # fmt: skip
        for columns_of_kind in columns(self, group, ("exp_avg", "exp_inf", "step"), _begin):
            of(columns_of_kind[0][0]).adamax_step(*columns_of_kind, *options)


def _begin(state, array):
    state["step"] = scalar()
    state["exp_avg"] = zeros(array)
    state["exp_inf"] = zeros(array)
