"""Adagrad."""

from minidl.backends import of
from minidl.optim.columns import columns, filled, scalar
from minidl.optim.optimizer import Optimizer, check_implementation
from minidl.optim.options import check_not_negative, check_rate

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Adagrad: divides the gradient by the root of the sum of all its squares.

    g = gradient + weight_decay * p;  s = s + g^2;  p -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)

    s begins at ``initial_accumulator_value``; ``maximize`` climbs. ``foreach`` and ``fused`` are accepted and change
    nothing. Raises ``ValueError`` for options out of range, ``NotImplementedError`` for ``differentiable``. Source:
    J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    JMLR 2011; PyTorch's ``torch.optim.Adagrad``.

    >>> import minidl
    >>> x = minidl.nn.Parameter(minidl.tensor([1.0]))
    >>> optimizer = minidl.optim.Adagrad([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.detach()
    tensor([0.9000])
    """

    def __init__(
        self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, foreach=None, *,
        maximize=False, differentiable=False, fused=None,
    ):  # fmt: skip
        check_rate(lr)
        check_not_negative(
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        check_implementation(foreach, fused, differentiable)
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        })  # fmt: skip
        for group in self.param_groups:
            for param in group["params"]:
                _begin(self.state[param], param._array, initial_accumulator_value)

    def share_memory(self):
        """Moves the state to memory that processes forked from now on share."""
        for state in self.state.values():
            state["sum"].share_memory_()
            state["step"].share_memory_()

    def _update(self, group):
        def begin(state, array):
            _begin(state, array, group["initial_accumulator_value"])

        options = (
            float(group["lr"]), float(group["lr_decay"]), float(group["eps"]), float(group["weight_decay"]),
            bool(group["maximize"]),
        )  # fmt: skip
        for params, grads, sums, steps in columns(self, group, ("sum", "step"), begin):
            of(params[0]).adagrad_step(params, grads, sums, steps, *options)


def _begin(state, array, value):
    """State is there from the start, as PyTorch's is, so that it can be saved before the first step."""
    state["step"] = scalar()
    state["sum"] = filled(array, value)
