"""``LinearCrossEntropyLoss``: a last linear layer and its cross entropy in one."""

import math

from minidl.nn.linear import Linear
from minidl.nn.loss import _WeightedLoss
from minidl.ops.linear_cross_entropy import LinearCrossEntropyOptions, linear_cross_entropy
from minidl.ops.shapes import reshape

__all__ = ["LinearCrossEntropyLoss", "LinearCrossEntropyOptions"]


class LinearCrossEntropyLoss(_WeightedLoss):
    """``CrossEntropyLoss`` of ``linear(input)``, a Linear from in_features to num_classes * prod(out_features).

    Shapes, for I = in_features, C = num_classes, *d = out_features: input (N, I), or (I,) without d; target (N, *d) or
    () of class indices, or (N, C, *d) or (C,) of probabilities; ``weight`` (C,); output () or, with ``reduction``
    'none', as the class indices. ``options`` other than None, which ask for chunks, raise ``NotImplementedError``;
    other errors are those of ``functional.linear_cross_entropy``.
    Source: PyTorch's ``torch.nn.LinearCrossEntropyLoss``.

    >>> import minidl
    >>> loss = minidl.nn.LinearCrossEntropyLoss(16, 10)
    >>> loss(minidl.ones(3, 16), minidl.tensor([1, 5, 0])).shape
    torch.Size([])
    """

    def __init__(
        self, in_features, num_classes, *, out_features=(), bias=False, device=None, dtype=None, reduction="mean",
        weight=None, ignore_index=None, label_smoothing=0.0, options=None,
    ):  # fmt: skip
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise RuntimeError(f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}")
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(f"expected label_smoothing to be in range [0, 1], got {label_smoothing}")
        super().__init__(weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = tuple(out_features)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.options = options
        self.linear = Linear(in_features, num_classes * math.prod(self.out_features), bias, device, dtype)

    def reset_parameters(self):
        """Draws the linear layer anew."""
        self.linear.reset_parameters()

    def forward(self, input, target):
        outputs, bias = (self.num_classes, *self.out_features), self.linear.bias
        return linear_cross_entropy(
            input,
            reshape(self.linear.weight, (*outputs, self.linear.in_features)),
            target,
            linear_bias=None if bias is None else reshape(bias, outputs),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self):
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, reduction={self.reduction}, "
            f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing}, options={self.options}"
        )
