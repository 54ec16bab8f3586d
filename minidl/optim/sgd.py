"""Stochastic gradient descent with momentum."""

from minidl.autograd.inplace import bump
from minidl.backends import of
from minidl.optim.columns import zeros
from minidl.optim.optimizer import Optimizer, batches, check_implementation
from minidl.optim.options import check_not_negative, check_rate

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, optionally with (Nesterov's) momentum.

    g = gradient + weight_decay * p;  b = momentum * b + (1 - dampening) * g (b = g at first); p -= lr * b
    (``nesterov``: lr * (g + momentum * b))

    ``maximize`` climbs. ``foreach`` and ``fused`` are accepted and change nothing: a step is one call for all
    parameters anyway. Raises ``ValueError`` for options out of range, ``NotImplementedError`` for
    ``differentiable``. Source: I. Sutskever et al., "On the importance of initialization and momentum in deep
    learning", ICML 2013; PyTorch's ``torch.optim.SGD``.

    >>> import minidl
    >>> x = minidl.nn.Parameter(minidl.tensor([1.0]))
    >>> optimizer = minidl.optim.SGD([x], lr=0.1, momentum=0.9)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.detach()
    tensor([0.8000])
    """

    def __init__(
        self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *,
        maximize=False, foreach=None, differentiable=False, fused=None,
    ):  # fmt: skip
        check_rate(lr)
        check_not_negative(momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_implementation(foreach, fused, differentiable)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
        })  # fmt: skip

    def _update(self, group):
        momentum, states, rows = float(group["momentum"]), self.state, []
        for param in group["params"]:
            grad = param._grad
            if grad is None:
                continue
            array, buffer, fresh = param._array, None, False
            if momentum:
                state = states[param]
                fresh = state.get("momentum_buffer") is None
                if fresh:
                    state["momentum_buffer"] = zeros(array)
                buffer = state["momentum_buffer"]._array
            rows.append((array, grad._array, buffer, fresh))
            bump(param)
        options = (
            float(group["lr"]), momentum, float(group["dampening"]), bool(group["nesterov"]),
            float(group["weight_decay"]), bool(group["maximize"]),
        )  # fmt: skip
        for params, grads, buffers, fresh in batches(rows):
            of(params[0]).sgd_step(params, grads, buffers if momentum else None, fresh, *options)
