"""Averaged stochastic gradient descent."""

from minidl.backends import of
from minidl.optim.columns import columns, scalar, zeros
from minidl.optim.optimizer import Optimizer, check_implementation
from minidl.optim.options import check_not_negative, check_rate

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """Gradient descent whose rate falls, with the mean of the weights since step ``t0`` beside them.

    p = (1 - lambd eta_t) p - eta_t (gradient + weight_decay * p);  a += mu_t (p - a);
    eta_(t+1) = lr / (1 + lambd lr t)^alpha;  mu_(t+1) = 1 / max(1, t - t0)

    The mean is ``optimizer.state[p]["ax"]``; ``maximize`` climbs. ``foreach`` is accepted and changes nothing. Raises
    ``ValueError`` for options out of range, ``NotImplementedError`` for ``capturable`` and ``differentiable``. Source:
    B. Polyak, A. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 1992;
    PyTorch's ``torch.optim.ASGD``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(2, 1)
    >>> optimizer = minidl.optim.ASGD(layer.parameters(), lr=0.01, t0=100)
    """

    _host_state = ("step", "eta", "mu")

    def __init__(
        self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, foreach=None, maximize=False,
        differentiable=False, capturable=False,
    ):  # fmt: skip
        check_rate(lr)
        check_not_negative(weight_decay=weight_decay)
        check_implementation(foreach, None, differentiable, capturable)
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _update(self, group):
        rate = float(group["lr"])

        def begin(state, array):
            state["step"] = scalar()
            state["eta"] = scalar(rate)
            state["mu"] = scalar(1.0)
            state["ax"] = zeros(array)

        options = (
            rate, float(group["lambd"]), float(group["alpha"]), float(group["t0"]), float(group["weight_decay"]),
            bool(group["maximize"]),
        )  # fmt: skip
        for columns_of_kind in columns(self, group, ("ax", "eta", "mu", "step"), begin):
            of(columns_of_kind[0][0]).asgd_step(*columns_of_kind, *options)
