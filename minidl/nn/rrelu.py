"""``RReLU``: leaky ReLU with random slopes."""

from minidl.nn.module import Module
from minidl.ops.random_activations import rrelu

__all__ = ["RReLU"]


class RReLU(Module):
    """x where x > 0, a x elsewhere: a drawn from [lower, upper) an element in training, their mean in evaluation.

    Any shape. Raises ``RuntimeError`` where lower > upper. Source: B. Xu et al., "Empirical evaluation of rectified
    activations in convolutional network", 2015; PyTorch's ``torch.nn.RReLU``.

    >>> import minidl
    >>> minidl.nn.RReLU(0.1, 0.3).eval()(minidl.tensor([-1.0, 2.0]))
    tensor([-0.2000,  2.0000])
    """

    def __init__(self, lower=1.0 / 8, upper=1.0 / 3, inplace=False):
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input):
        return rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self):
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")
