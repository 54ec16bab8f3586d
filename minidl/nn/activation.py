"""Activation functions as layers: each calls the function of the same meaning in ``minidl.nn.functional``."""

import warnings

from minidl.nn.module import Module
from minidl.nn.parameter import Parameter
from minidl.ops import activations, gates
from minidl.ops.create import full
from minidl.ops.pointwise import relu, sigmoid, tanh

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
    "LogSigmoid", "Mish", "PReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh",
    "Tanhshrink", "Threshold",
]  # fmt: skip


class _InPlace(Module):
    """An activation whose only option is to work in place."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace

    def extra_repr(self):
        return "inplace=True" if self.inplace else ""


def _flagged(text, inplace):
    return f"{text}, inplace=True" if inplace else text


class ReLU(_InPlace):
    """max(x, 0), elementwise.

    >>> import minidl
    >>> minidl.nn.ReLU()(minidl.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input):
        return relu(input, self.inplace)


class SELU(_InPlace):
    """scale * (max(0, x) + min(0, alpha (e^x - 1))) with the constants of self-normalizing networks.

    >>> import minidl
    >>> minidl.nn.SELU()(minidl.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    def forward(self, input):
        return activations.selu(input, self.inplace)


class SiLU(_InPlace):
    """x * sigmoid(x), also called swish.

    >>> import minidl
    >>> minidl.nn.SiLU()(minidl.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def forward(self, input):
        return activations.silu(input, self.inplace)


class Mish(_InPlace):
    """x * tanh(log(1 + e^x)).

    >>> import minidl
    >>> minidl.nn.Mish()(minidl.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    def forward(self, input):
        return activations.mish(input, self.inplace)


class Hardsigmoid(_InPlace):
    """min(max(x + 3, 0), 6) / 6.

    >>> import minidl
    >>> minidl.nn.Hardsigmoid()(minidl.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """

    def forward(self, input):
        return activations.hardsigmoid(input, self.inplace)

    def extra_repr(self):
        return ""


class Hardswish(Hardsigmoid):
    """x * min(max(x + 3, 0), 6) / 6.

    >>> import minidl
    >>> minidl.nn.Hardswish()(minidl.tensor([1.0, 4.0]))
    tensor([0.6667, 4.0000])
    """

    def forward(self, input):
        return activations.hardswish(input, self.inplace)


class Hardtanh(Module):
    """x limited to [min_val, max_val]. Raises ``AssertionError`` where max_val is not greater than min_val.

    >>> import minidl
    >>> minidl.nn.Hardtanh()(minidl.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """

    def __init__(self, min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None):
        super().__init__()
        min_val = _renamed("min_value", "min_val", min_value, min_val)
        max_val = _renamed("max_value", "max_val", max_value, max_val)
        if not max_val > min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input):
        return activations.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self):
        return _flagged(f"min_val={self.min_val}, max_val={self.max_val}", self.inplace)


def _renamed(old, new, value, otherwise):
    """The argument that was given by its old name, if it was."""
    if value is None:
        return otherwise
    warnings.warn(
        f"keyword argument `{old}` is deprecated and renamed to `{new}`", FutureWarning, stacklevel=3
    )
    return value


class ReLU6(Hardtanh):
    """min(max(x, 0), 6).

    >>> import minidl
    >>> minidl.nn.ReLU6()(minidl.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """

    def __init__(self, inplace=False):
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self):
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """x where x > 0, negative_slope * x elsewhere.

    >>> import minidl
    >>> minidl.nn.LeakyReLU(0.1)(minidl.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope=0.01, inplace=False):
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input):
        return activations.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self):
        return _flagged(f"negative_slope={self.negative_slope}", self.inplace)


class ELU(Module):
    """x where x > 0, alpha * (e^x - 1) elsewhere.

    >>> import minidl
    >>> minidl.nn.ELU()(minidl.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input):
        return activations.elu(input, self.alpha, self.inplace)

    def extra_repr(self):
        return _flagged(f"alpha={self.alpha}", self.inplace)


class CELU(ELU):
    """max(0, x) + min(0, alpha * (e^(x / alpha) - 1)).

    >>> import minidl
    >>> minidl.nn.CELU(0.5)(minidl.tensor([-1.0, 2.0]))
    tensor([-0.4323,  2.0000])
    """

    def forward(self, input):
        return activations.celu(input, self.alpha, self.inplace)


class Threshold(Module):
    """x where x > threshold, value elsewhere.

    >>> import minidl
    >>> minidl.nn.Threshold(1.0, -7.0)(minidl.tensor([0.5, 2.0]))
    tensor([-7.,  2.])
    """

    def __init__(self, threshold, value, inplace=False):
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input):
        return activations.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self):
        return _flagged(f"threshold={self.threshold}, value={self.value}", self.inplace)


class PReLU(Module):
    """x where x > 0, weight * x elsewhere, with a learned ``weight``, one for all channels or one a channel.

    Shapes: (N, C, ...), ``weight`` (num_parameters,) with num_parameters 1 or C.

    >>> import minidl
    >>> minidl.nn.PReLU()(minidl.tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(full((num_parameters,), float(init), device=device, dtype=dtype))

    def forward(self, input):
        return gates.prelu(input, self.weight)

    def extra_repr(self):
        return f"num_parameters={self.num_parameters}"


class GELU(Module):
    """x * P(X <= x) for a standard normal X, or its approximation by tanh.

    >>> import minidl
    >>> minidl.nn.GELU()(minidl.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input):
        return activations.gelu(input, self.approximate)

    def extra_repr(self):
        return f"approximate={self.approximate!r}"


class GLU(Module):
    """a * sigmoid(b), where a and b are the halves of the input along ``dim``.

    >>> import minidl
    >>> minidl.nn.GLU()(minidl.tensor([2.0, 0.0]))
    tensor([1.])
    """

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = dim

    def forward(self, input):
        return gates.glu(input, self.dim)

    def extra_repr(self):
        return f"dim={self.dim}"


class Softplus(Module):
    """log(1 + e^(beta x)) / beta, x itself where beta x > threshold.

    >>> import minidl
    >>> minidl.nn.Softplus()(minidl.tensor([-1.0, 2.0]))
    tensor([0.3133, 2.1269])
    """

    def __init__(self, beta=1.0, threshold=20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input):
        return activations.softplus(input, self.beta, self.threshold)

    def extra_repr(self):
        return f"beta={self.beta}, threshold={self.threshold}"


class Softshrink(Module):
    """x - lambd above lambd, x + lambd below -lambd, 0 between.

    >>> import minidl
    >>> minidl.nn.Softshrink()(minidl.tensor([-1.0, 0.2, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """

    def __init__(self, lambd=0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input):
        return activations.softshrink(input, self.lambd)

    def extra_repr(self):
        return str(self.lambd)


class Hardshrink(Softshrink):
    """x where abs(x) > lambd, 0 elsewhere.

    >>> import minidl
    >>> minidl.nn.Hardshrink()(minidl.tensor([-1.0, 0.2, 2.0]))
    tensor([-1.,  0.,  2.])
    """

    def forward(self, input):
        return activations.hardshrink(input, self.lambd)


class Tanh(Module):
    """Hyperbolic tangent.

    >>> import minidl
    >>> minidl.nn.Tanh()(minidl.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, input):
        return tanh(input)


class Sigmoid(Module):
    """1 / (1 + e^-x).

    >>> import minidl
    >>> minidl.nn.Sigmoid()(minidl.tensor([0.0]))
    tensor([0.5000])
    """

    def forward(self, input):
        return sigmoid(input)


class LogSigmoid(Module):
    """log(sigmoid(x)).

    >>> import minidl
    >>> minidl.nn.LogSigmoid()(minidl.tensor([0.0]))
    tensor([-0.6931])
    """

    def forward(self, input):
        return activations.logsigmoid(input)


class Softsign(Module):
    """x / (1 + abs(x)).

    >>> import minidl
    >>> minidl.nn.Softsign()(minidl.tensor([3.0]))
    tensor([0.7500])
    """

    def forward(self, input):
        return activations.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x).

    >>> import minidl
    >>> minidl.nn.Tanhshrink()(minidl.tensor([2.0]))
    tensor([1.0360])
    """

    def forward(self, input):
        return activations.tanhshrink(input)
