"""Padding layers: a constant, zeros, the mirrored, repeated or wrapped border around signals, images and volumes."""

from minidl.nn.module import Module
from minidl.ops.pad import pad

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    rank = None  # number of padded dimensions
    mode = None

    def __init__(self, padding):
        super().__init__()
        several = isinstance(padding, (tuple, list))
        self.padding = tuple(padding) if several else (padding,) * (2 * self.rank)

    def forward(self, input):
        return pad(input, self.padding, self.mode)

    def extra_repr(self):
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return pad(input, self.padding, self.mode, self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"


class _CircularPad(_Pad):
    mode = "circular"

    def _check_input_dim(self, input):
        if input.ndim not in (self.rank + 1, self.rank + 2):
            raise ValueError(f"expected {self.rank + 1}D or {self.rank + 2}D input (got {input.ndim}D input)")

    def forward(self, input):
        self._check_input_dim(input)
        return super().forward(input)


class ConstantPad1d(_ConstantPad):
    """``value`` around a signal.

    ``padding`` is one count for all sides, or (left, right); negative counts take away. Shapes: input (..., L),
    output as input with larger sizes. Source: PyTorch's ``torch.nn.ConstantPad1d``.

    >>> import minidl
    >>> minidl.nn.ConstantPad1d((1, 2), 9.0)(minidl.tensor([[1.0, 2.0, 3.0]]))
    tensor([[9., 1., 2., 3., 9., 9.]])
    """

    rank = 1


class ConstantPad2d(_ConstantPad):
    """``value`` around an image.

    ``padding`` is one count for all sides, or (left, right, top, bottom); negative counts take away. Shapes:
    input (..., H, W), output as input with larger sizes. Source: PyTorch's ``torch.nn.ConstantPad2d``.

    >>> import minidl
    >>> minidl.nn.ConstantPad2d(1, 9.0)(minidl.ones(2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4])
    """

    rank = 2


class ConstantPad3d(_ConstantPad):
    """``value`` around a volume.

    ``padding`` is one count for all sides, or (left, right, top, bottom, front, back); negative counts take
    away. Shapes: input (..., D, H, W), output as input with larger sizes. Source: PyTorch's
    ``torch.nn.ConstantPad3d``.

    >>> import minidl
    >>> minidl.nn.ConstantPad3d(1, 9.0)(minidl.ones(2, 2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4, 4])
    """

    rank = 3


class ZeroPad1d(_ZeroPad):
    """Zeros around a signal.

    ``padding`` is one count for all sides, or (left, right); negative counts take away. Shapes: input (..., L),
    output as input with larger sizes. Source: PyTorch's ``torch.nn.ZeroPad1d``.

    >>> import minidl
    >>> minidl.nn.ZeroPad1d((1, 2))(minidl.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0., 1., 2., 3., 0., 0.]])
    """

    rank = 1


class ZeroPad2d(_ZeroPad):
    """Zeros around an image.

    ``padding`` is one count for all sides, or (left, right, top, bottom); negative counts take away. Shapes:
    input (..., H, W), output as input with larger sizes. Source: PyTorch's ``torch.nn.ZeroPad2d``.

    >>> import minidl
    >>> minidl.nn.ZeroPad2d(1)(minidl.ones(2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4])
    """

    rank = 2


class ZeroPad3d(_ZeroPad):
    """Zeros around a volume.

    ``padding`` is one count for all sides, or (left, right, top, bottom, front, back); negative counts take
    away. Shapes: input (..., D, H, W), output as input with larger sizes. Source: PyTorch's
    ``torch.nn.ZeroPad3d``.

    >>> import minidl
    >>> minidl.nn.ZeroPad3d(1)(minidl.ones(2, 2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4, 4])
    """

    rank = 3


class ReflectionPad1d(_Pad):
    """A signal mirrored at the borders, which are not repeated.

    ``padding`` is one count for all sides, or (left, right); negative counts take away. Shapes: input (N, C, L)
    or (C, L), output as input with larger sizes. Raises ``RuntimeError`` where a count is not less than the
    size. Source: PyTorch's ``torch.nn.ReflectionPad1d``.

    >>> import minidl
    >>> minidl.nn.ReflectionPad1d((1, 2))(minidl.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 1., 2., 3., 2., 1.]])
    """

    rank = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """An image mirrored at the borders, which are not repeated.

    ``padding`` is one count for all sides, or (left, right, top, bottom); negative counts take away. Shapes:
    input (N, C, H, W) or (C, H, W), output as input with larger sizes. Raises ``RuntimeError`` where a count is
    not less than the size. Source: PyTorch's ``torch.nn.ReflectionPad2d``.

    >>> import minidl
    >>> minidl.nn.ReflectionPad2d(1)(minidl.ones(2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4])
    """

    rank = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """A volume mirrored at the borders, which are not repeated.

    ``padding`` is one count for all sides, or (left, right, top, bottom, front, back); negative counts take
    away. Shapes: input (N, C, D, H, W) or (C, D, H, W), output as input with larger sizes. Raises
    ``RuntimeError`` where a count is not less than the size. Source: PyTorch's ``torch.nn.ReflectionPad3d``.

    >>> import minidl
    >>> minidl.nn.ReflectionPad3d(1)(minidl.ones(2, 2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4, 4])
    """

    rank = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """A signal with the border repeated.

    ``padding`` is one count for all sides, or (left, right); negative counts take away. Shapes: input (N, C, L)
    or (C, L), output as input with larger sizes. Raises ``RuntimeError`` for an empty input. Source: PyTorch's
    ``torch.nn.ReplicationPad1d``.

    >>> import minidl
    >>> minidl.nn.ReplicationPad1d((1, 2))(minidl.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 2., 3., 3., 3.]])
    """

    rank = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """An image with the border repeated.

    ``padding`` is one count for all sides, or (left, right, top, bottom); negative counts take away. Shapes:
    input (N, C, H, W) or (C, H, W), output as input with larger sizes. Raises ``RuntimeError`` for an empty
    input. Source: PyTorch's ``torch.nn.ReplicationPad2d``.

    >>> import minidl
    >>> minidl.nn.ReplicationPad2d(1)(minidl.ones(2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4])
    """

    rank = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """A volume with the border repeated.

    ``padding`` is one count for all sides, or (left, right, top, bottom, front, back); negative counts take
    away. Shapes: input (N, C, D, H, W) or (C, D, H, W), output as input with larger sizes. Raises
    ``RuntimeError`` for an empty input. Source: PyTorch's ``torch.nn.ReplicationPad3d``.

    >>> import minidl
    >>> minidl.nn.ReplicationPad3d(1)(minidl.ones(2, 2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4, 4])
    """

    rank = 3
    mode = "replicate"


class CircularPad1d(_CircularPad):
    """A signal wrapped around.

    ``padding`` is one count for all sides, or (left, right); negative counts take away. Shapes: input (N, C, L)
    or (C, L), output as input with larger sizes. Raises ``RuntimeError`` where a count is more than the size,
    ``ValueError`` for other ranks. Source: PyTorch's ``torch.nn.CircularPad1d``.

    >>> import minidl
    >>> minidl.nn.CircularPad1d((1, 2))(minidl.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1., 2.]])
    """

    rank = 1


class CircularPad2d(_CircularPad):
    """An image wrapped around.

    ``padding`` is one count for all sides, or (left, right, top, bottom); negative counts take away. Shapes:
    input (N, C, H, W) or (C, H, W), output as input with larger sizes. Raises ``RuntimeError`` where a count is
    more than the size, ``ValueError`` for other ranks. Source: PyTorch's ``torch.nn.CircularPad2d``.

    >>> import minidl
    >>> minidl.nn.CircularPad2d(1)(minidl.ones(2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4])
    """

    rank = 2


class CircularPad3d(_CircularPad):
    """A volume wrapped around.

    ``padding`` is one count for all sides, or (left, right, top, bottom, front, back); negative counts take
    away. Shapes: input (N, C, D, H, W) or (C, D, H, W), output as input with larger sizes. Raises
    ``RuntimeError`` where a count is more than the size, ``ValueError`` for other ranks. Source: PyTorch's
    ``torch.nn.CircularPad3d``.

    >>> import minidl
    >>> minidl.nn.CircularPad3d(1)(minidl.ones(2, 2, 2, 2, 2)).shape
    torch.Size([2, 2, 4, 4, 4])
    """

    rank = 3
