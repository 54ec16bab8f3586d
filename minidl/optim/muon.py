"""Muon."""

from minidl.backends import of
from minidl.optim.columns import columns, zeros
from minidl.optim.optimizer import Optimizer
from minidl.optim.options import check_rate

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum whose step, a matrix, is made orthogonal: all its singular values become about 1.

    b += (1 - momentum) (gradient - b);  u = gradient + momentum (b - gradient), or b without ``nesterov``;
    p = (1 - lr weight_decay) p - lr s orthogonal(u), with s = sqrt(max(1, rows / columns))
    (``adjust_lr_fn`` None or "original") or 0.2 sqrt(max(rows, columns)) ("match_rms_adamw")

    ``orthogonal`` divides by the norm (at least ``eps``) and repeats x <- a x + (b A + c A^2) x, A = x x^T,
    ``ns_steps`` times with ``ns_coefficients`` (a, b, c); its matrices hold values of bfloat16. For the weights of
    hidden layers: embeddings, biases and the last layer are left to another optimizer. Raises ``ValueError`` for
    parameters that are no matrices and for options out of range. Source: K. Jordan et al., "Muon: an optimizer for
    hidden layers in neural networks", 2024; PyTorch's ``torch.optim.Muon``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(3, 2, bias=False)
    >>> optimizer = minidl.optim.Muon(layer.parameters(), lr=0.02)
    """

    def __init__(
        self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, ns_coefficients=(3.4445, -4.775, 2.0315),
        eps=1e-7, ns_steps=5, adjust_lr_fn=None,
    ):  # fmt: skip
        check_rate(lr, "Learning rate should be >= 0 but is: ")
        if not momentum >= 0.0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        })  # fmt: skip
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {param.size()}"
                    )

    def _update(self, group):
        coefficients, rounds = group["ns_coefficients"], group["ns_steps"]
        if rounds >= 100:
            raise ValueError("Number of steps must be less than 100 for computational efficiency")
        if len(coefficients) != 3:
            raise ValueError("Coefficients must be a tuple of exactly 3 values")
        if any(param.ndim != 2 for param in group["params"] if param._grad is not None):
            raise ValueError("Param gradient must be a 2D matrix")
        options = (
            float(group["lr"]), float(group["weight_decay"]), float(group["momentum"]), bool(group["nesterov"]),
            tuple(map(float, coefficients)), float(group["eps"]), rounds, group["adjust_lr_fn"] == "match_rms_adamw",
        )  # fmt: skip
        for columns_of_kind in columns(self, group, ("momentum_buffer",), _begin):
            of(columns_of_kind[0][0]).muon_step(*columns_of_kind, *options)


def _begin(state, array):
    state["momentum_buffer"] = zeros(array)
