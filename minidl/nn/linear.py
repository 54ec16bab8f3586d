"""Layers that multiply by a weight: ``Linear`` and ``Bilinear``; and ``Identity``, which does not."""

import math

from minidl.nn import init
from minidl.nn.module import Module
from minidl.nn.parameter import Parameter
from minidl.ops.bilinear import bilinear
from minidl.ops.create import empty
from minidl.ops.matmul import linear

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """Returns its input; arguments of the constructor are accepted and ignored.

    >>> import minidl
    >>> minidl.nn.Identity(54, unused=True)(minidl.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args, **kwargs):
        super().__init__()

    def forward(self, input):
        return input


class Linear(Module):
    """y = x Wᵀ + b.

    Shapes: input (..., in_features), output (..., out_features), ``weight`` (out_features, in_features),
    ``bias`` (out_features,) or None. Both start from U(-1/sqrt(in_features), 1/sqrt(in_features)). Raises
    ``RuntimeError`` where the input's last dimension is not in_features, or its dtype not the weight's.
    Source: PyTorch's ``torch.nn.Linear``.

    >>> import minidl
    >>> layer = minidl.nn.Linear(20, 30)
    >>> layer(minidl.ones(128, 20)).shape
    torch.Size([128, 30])
    """

    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty((out_features,), device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        """Draws weight and bias anew."""
        bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
        for parameter in self.parameters(recurse=False):
            init.uniform_(parameter, -bound, bound)

    def forward(self, input):
        own = (
            self._parameters
        )  # not self.weight: finding it through __getattr__ takes as long as a small product
        try:
            weight, bias = own["weight"], own["bias"]
        except KeyError:  # a parametrization has put something else in their place
            weight, bias = self.weight, self.bias
        try:
            return linear(input, weight, bias)
        except RuntimeError as error:
            if getattr(input, "ndim", 0) and input.shape[-1] != weight.shape[-1]:
                text = str(error).partition(" Hint:")[0]
                raise RuntimeError(
                    f"{text} Hint: {self!r} takes inputs whose last dimension is {weight.shape[-1]}, this one's is "
                    f"{input.shape[-1]}."
                ) from None
            raise

    def extra_repr(self):
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


class Bilinear(Module):
    """y = x1ᵀ A x2 + b, one matrix A an output.

    Shapes: input1 (..., in1_features), input2 (..., in2_features), output (..., out_features), ``weight``
    (out_features, in1_features, in2_features), ``bias`` (out_features,) or None; both start from
    U(-1/sqrt(in1_features), 1/sqrt(in1_features)). Raises ``ValueError`` for in1_features < 1.
    Source: PyTorch's ``torch.nn.Bilinear``.

    >>> import minidl
    >>> layer = minidl.nn.Bilinear(20, 30, 40)
    >>> layer(minidl.ones(8, 20), minidl.ones(8, 30)).shape
    torch.Size([8, 40])
    """

    def __init__(self, in1_features, in2_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in1_features, in2_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty((out_features,), device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        """Draws weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters(recurse=False):
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1, input2):
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self):
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
