"""Dropout layers: elements or whole channels set to zero in training, nothing in evaluation."""

from minidl.nn.module import Module
from minidl.ops import dropout as ops

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Module):
    """What the layers share: the probability, and whether to write into the input."""

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self):
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, zero with probability p for each element, the others times 1 / (1 - p); else the input itself.

    Shapes: input (*), output (*). Raises ``ValueError`` for p outside [0, 1].
    Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    >>> import minidl
    >>> minidl.nn.Dropout(0.2).eval()(minidl.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input):
        return ops.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """``Dropout`` of whole channels. Shapes: input (N, C, L) or (C, L), output as input.

    >>> import minidl
    >>> minidl.nn.Dropout1d(0.2).eval()(minidl.ones(1, 2, 3)).shape
    torch.Size([1, 2, 3])
    """

    def forward(self, input):
        return ops.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """``Dropout`` of whole channels. Shapes: input (N, C, H, W), output as input; see ``functional.dropout2d``.

    >>> import minidl
    >>> minidl.nn.Dropout2d(0.2).eval()(minidl.ones(1, 2, 3, 3)).shape
    torch.Size([1, 2, 3, 3])
    """

    def forward(self, input):
        return ops.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """``Dropout`` of whole channels. Shapes: input (N, C, D, H, W) or (C, D, H, W), output as input.

    >>> import minidl
    >>> minidl.nn.Dropout3d(0.2).eval()(minidl.ones(1, 2, 3, 3, 3)).shape
    torch.Size([1, 2, 3, 3, 3])
    """

    def forward(self, input):
        return ops.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout for SELU networks, which keeps mean and variance. Shapes: input (*), output (*).

    Source: G. Klambauer et al., "Self-normalizing neural networks", 2017.

    >>> import minidl
    >>> minidl.nn.AlphaDropout(0.2).eval()(minidl.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input):
        return ops.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """``AlphaDropout`` of whole channels. Shapes: input (N, C, *), output as input.

    >>> import minidl
    >>> minidl.nn.FeatureAlphaDropout(0.2).eval()(minidl.ones(1, 2))
    tensor([[1., 1.]])
    """

    def forward(self, input):
        return ops.feature_alpha_dropout(input, self.p, self.training, self.inplace)
