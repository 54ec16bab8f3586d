"""Resilient propagation."""

from minidl.backends import of
from minidl.optim.columns import columns, filled, scalar, zeros
from minidl.optim.optimizer import Optimizer, check_implementation
from minidl.optim.options import check_rate

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Steps by the sign of the gradient alone, with a size of its own for each coordinate; for whole batches.

    The size, ``lr`` at first, grows by ``etas[1]`` where the sign is that of the step before, shrinks by ``etas[0]``
    where it turned (no step is made there then), and stays within ``step_sizes``; p -= size * sign(gradient).

    ``maximize`` climbs. ``foreach`` is accepted and changes nothing. Raises ``ValueError`` for options out of range,
    ``NotImplementedError`` for ``capturable`` and ``differentiable``. Source: M. Riedmiller, H. Braun, "A direct
    adaptive method for faster backpropagation learning: the RPROP algorithm", ICNN 1993; PyTorch's
    ``torch.optim.Rprop``.

    >>> import minidl
    >>> x = minidl.nn.Parameter(minidl.tensor([1.0]))
    >>> optimizer = minidl.optim.Rprop([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.detach()
    tensor([0.9000])
    """

    def __init__(
        self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *,
        capturable=False, foreach=None, maximize=False, differentiable=False,
    ):  # fmt: skip
        check_rate(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        check_implementation(foreach, None, differentiable, capturable)
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _update(self, group):
        rate = float(group["lr"])

        def begin(state, array):
            state["step"] = scalar()
            state["prev"] = zeros(array)
            state["step_size"] = filled(array, rate)

        options = *map(float, group["etas"]), *map(float, group["step_sizes"]), bool(group["maximize"])
        for columns_of_kind in columns(self, group, ("prev", "step_size", "step"), begin):
            of(columns_of_kind[0][0]).rprop_step(*columns_of_kind, *options)
