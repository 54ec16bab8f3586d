"""Adam, with AMSGrad and decoupled weight decay as options."""

from minidl.autograd.inplace import bump
from minidl.autograd.tensor import Tensor, make
from minidl.backends import of, on
from minidl.dtypes import FLOAT32
from minidl.optim.columns import zeros
from minidl.optim.optimizer import Optimizer, batches, check_implementation
from minidl.optim.options import check_beta_kinds, check_betas, check_not_negative, check_rate

__all__ = ["Adam"]


class Adam(Optimizer):
    """Adam: steps along the running mean of the gradient, scaled by the root of the running mean of its square.

    g = gradient + weight_decay * p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2; p -= lr * (m / (1 -
    b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    ``amsgrad`` divides by the largest v so far; ``maximize`` climbs; ``decoupled_weight_decay`` makes it
    AdamW. ``foreach`` and ``fused`` are accepted and change nothing: a step is one call for all parameters
    anyway. Raises ``ValueError`` for options out of range, ``NotImplementedError`` for ``capturable`` and
    ``differentiable``. Source: D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015;
    PyTorch's ``torch.optim.Adam``.

    >>> import minidl
    >>> x = minidl.nn.Parameter(minidl.tensor([1.0]))
    >>> optimizer = minidl.optim.Adam([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.detach()
    tensor([0.9000])
    """

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *,
        foreach=None, maximize=False, capturable=False, differentiable=False, fused=None, decoupled_weight_decay=False,
    ):  # fmt: skip
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_rate(lr)
        check_not_negative(eps=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        betas = check_beta_kinds(betas, foreach, capturable)
        check_implementation(foreach, fused, differentiable, capturable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    def _update(self, group):
        amsgrad, states, rows = group["amsgrad"], self.state, []
        for param in group["params"]:
            grad = param._grad
            if grad is None:
                continue
            state = states[param]
            if not state:
                _begin(state, param._array)
            if amsgrad and "max_exp_avg_sq" not in state:
                state["max_exp_avg_sq"] = zeros(param._array)
            rows.append((
                param._array, grad._array, state["exp_avg"]._array, state["exp_avg_sq"]._array, state["step"]._array,
                state["max_exp_avg_sq"]._array if amsgrad else None,
            ))  # fmt: skip
            bump(param)
        beta1, beta2 = group["betas"]
        options = (
            float(group["lr"]), float(beta1), float(beta2), float(group["eps"]), float(group["weight_decay"]),
            bool(group["decoupled_weight_decay"]), bool(group["maximize"]),
        )  # fmt: skip
        for params, grads, means, squares, steps, largest in batches(rows):
            of(params[0]).adam_step(
                params, grads, means, squares, largest if amsgrad else None, steps, *options
            )


def _begin(state, array):
    """State before the first step. The count lives on the host, in float32, as PyTorch's does."""
    state["step"] = make(on("cpu").zeros((), FLOAT32), None)
    state["exp_avg"] = zeros(array)
    state["exp_avg_sq"] = zeros(array)
