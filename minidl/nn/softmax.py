"""Softmax layers: ``Softmax``, ``LogSoftmax``, ``Softmin``, ``Softmax2d``."""

from minidl.nn.module import Module
from minidl.ops.softmax import log_softmax, softmax, softmin

__all__ = ["LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class Softmax(Module):
    """exp(x_i) / sum_j exp(x_j) along ``dim``. Shapes: input (*), output (*); see ``functional.softmax``.

    >>> import minidl
    >>> minidl.nn.Softmax(dim=1)(minidl.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    def __init__(self, dim=None):
        super().__init__()
        self.dim = dim

    def forward(self, input):
        return softmax(input, self.dim)

    def extra_repr(self):
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """x_i - log sum_j exp(x_j) along ``dim``. Shapes: input (*), output (*); see ``functional.log_softmax``.

    >>> import minidl
    >>> minidl.nn.LogSoftmax(dim=1)(minidl.zeros(1, 2))
    tensor([[-0.6931, -0.6931]])
    """

    def forward(self, input):
        return log_softmax(input, self.dim)


class Softmin(Softmax):
    """exp(-x_i) / sum_j exp(-x_j) along ``dim``. Shapes: input (*), output (*); see ``functional.softmin``.

    >>> import minidl
    >>> minidl.nn.Softmin(dim=1)(minidl.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    def forward(self, input):
        return softmin(input, self.dim)


class Softmax2d(Module):
    """Softmax over the channels at each position. Shapes: input (N, C, H, W) or (C, H, W), output as input.

    Raises ``ValueError`` for other ranks.

    >>> import minidl
    >>> minidl.nn.Softmax2d()(minidl.zeros(1, 4, 2, 2))[0, :, 0, 0]
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def forward(self, input):
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return softmax(input, -3)
