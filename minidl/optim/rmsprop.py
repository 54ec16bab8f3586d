"""RMSprop."""

from minidl.backends import of
from minidl.optim.columns import columns, scalar, zeros
from minidl.optim.optimizer import Optimizer, check_implementation
from minidl.optim.options import check_not_negative, check_rate

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop: divides the gradient by the root of the running mean of its square.

    g = gradient + weight_decay * p;  v = alpha v + (1 - alpha) g^2;  p -= lr * g / (sqrt(v) + eps)

    ``momentum`` steps along b = momentum * b + g / (sqrt(v) + eps) instead; ``centered`` subtracts from v the square
    of the running mean of g; ``maximize`` climbs. ``foreach`` is accepted and changes nothing. Raises ``ValueError``
    for options out of range, ``NotImplementedError`` for ``capturable`` and ``differentiable``. Source: T. Tieleman,
    G. Hinton, "Neural networks for machine learning", lecture 6.5, 2012; A. Graves, "Generating sequences with
    recurrent neural networks", 2013 (``centered``); PyTorch's ``torch.optim.RMSprop``.

    >>> import minidl
    >>> x = minidl.nn.Parameter(minidl.tensor([1.0]))
    >>> optimizer = minidl.optim.RMSprop([x], lr=0.01)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.detach()
    tensor([0.9000])
    """

    def __init__(
        self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, capturable=False,
        foreach=None, maximize=False, differentiable=False,
    ):  # fmt: skip
        check_rate(lr)
        check_not_negative(eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        check_implementation(foreach, None, differentiable, capturable)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, group):
        momentum, centered = float(group["momentum"]), group["centered"]

        def begin(state, array):
            state["step"] = scalar()
            state["square_avg"] = zeros(array)
            if momentum:
                state["momentum_buffer"] = zeros(array)
            if centered:
                state["grad_avg"] = zeros(array)

        options = (
            float(group["lr"]), float(group["alpha"]), float(group["eps"]), float(group["weight_decay"]), momentum,
            bool(group["maximize"]),
        )  # fmt: skip
        names = ["square_avg", "step", *["momentum_buffer"] * bool(momentum), *["grad_avg"] * bool(centered)]
        for params, grads, squares, steps, *more in columns(self, group, names, begin):
            means = more.pop() if centered else None
            buffers = more.pop() if momentum else None
            of(params[0]).rmsprop_step(params, grads, squares, buffers, means, steps, *options)
