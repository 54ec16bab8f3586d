"""Adafactor."""

from minidl import dtypes
from minidl.autograd.tensor import make
from minidl.backends import of
from minidl.optim.columns import columns, scalar, zeros
from minidl.optim.optimizer import Optimizer
from minidl.optim.options import check_rate

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adam's scaling from row and column means of the squares alone, so that a matrix has little state.

    w = t^beta2_decay;  r += w (mean of g^2 over columns - r);  c += w (mean over rows - c);
    v = r c / max(mean of r, eps1);  u = g / max(sqrt(v), eps1);
    p = (1 - lr weight_decay) p - max(eps2, rms(p)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / d)

    Vectors keep v itself, v += w (g^2 - v). eps1 is ``eps[0]``, or the dtype's epsilon where that is None;
    ``maximize`` climbs. ``foreach`` is accepted and changes nothing. Raises ``ValueError`` for options out of range.
    Source: N. Shazeer, M. Stern, "Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018; PyTorch's
    ``torch.optim.Adafactor``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(3, 2)
    >>> optimizer = minidl.optim.Adafactor(layer.parameters(), lr=0.01)
    >>> layer(minidl.ones(4, 3)).sum().backward()
    >>> optimizer.step()
    >>> {name: tuple(value.shape) for name, value in optimizer.state[layer.weight].items()}
    {'step': (), 'row_var': (2, 1), 'col_var': (1, 3)}
    """

    def __init__(
        self, params, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, *,
        foreach=None, maximize=False,
    ):  # fmt: skip
        check_rate(lr, "Learning rate should be >= 0 but is: ")
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0.0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0.0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize,
        })  # fmt: skip

    def _update(self, group):
        eps1, eps2 = group["eps"]
        options = float(eps2), float(group["d"]), float(group["weight_decay"]), bool(group["maximize"])
        rates = float(group["lr"]), float(group["beta2_decay"])
        found = columns(self, group, ("step",), _begin, optional=("row_var", "col_var", "variance"))
        for params, grads, steps, *variances in found:
            dtype = params[0].dtype
            smallest = dtypes.finfo(dtypes.of(dtype)).eps if eps1 is None else float(eps1)
            of(params[0]).adafactor_step(params, grads, *variances, steps, *rates, smallest, *options)


def _begin(state, array):
    state["step"] = scalar()
    if len(array.shape) > 1:
        state["row_var"] = _zeros(array, (*array.shape[:-1], 1))
        state["col_var"] = _zeros(array, (*array.shape[:-2], 1, array.shape[-1]))
    else:
        state["variance"] = zeros(array)


def _zeros(array, shape):
    return make(of(array).zeros(shape, array.dtype), None)
