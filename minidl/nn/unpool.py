"""Layers that undo maximum pooling, and those that pool over windows at drawn places."""

from minidl.nn.module import Module
from minidl.ops.fractional_pool import fractional_max_pool2d, fractional_max_pool3d
from minidl.ops.unpool import max_unpool1d, max_unpool2d, max_unpool3d

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


def _each(value, rank):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


class _MaxUnpool(Module):
    rank = None
    unpool = None

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size = _each(kernel_size, self.rank)
        self.stride = _each(kernel_size if stride is None else stride, self.rank)
        self.padding = _each(padding, self.rank)

    def forward(self, input, indices, output_size=None):
        unpool = self.__class__.unpool
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Values at the positions that ``MaxPool1d`` found, zeros elsewhere; see ``nn.functional.max_unpool1d``.

    Shapes: input and indices (N, C, L) or (C, L), output (N, C, M) or (C, M); the call takes ``output_size`` too.
    Source: PyTorch's ``torch.nn.MaxUnpool1d``.

    >>> import minidl
    >>> pool = minidl.nn.MaxPool1d(2, return_indices=True)
    >>> minidl.nn.MaxUnpool1d(2)(*pool(minidl.tensor([[1.0, 2.0, 4.0, 3.0]])))
    tensor([[0., 2., 4., 0.]])
    """

    rank = 1
    unpool = max_unpool1d


class MaxUnpool2d(_MaxUnpool):
    """Values at the positions that ``MaxPool2d`` found, zeros elsewhere; see ``nn.functional.max_unpool2d``.

    Shapes: input and indices (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q); the call takes
    ``output_size`` too. Source: PyTorch's ``torch.nn.MaxUnpool2d``.

    >>> import minidl
    >>> pool = minidl.nn.MaxPool2d(2, return_indices=True)
    >>> minidl.nn.MaxUnpool2d(2)(*pool(minidl.tensor([[[1.0, 2.0], [4.0, 3.0]]])))
    tensor([[[0., 0.],
             [4., 0.]]])
    """

    rank = 2
    unpool = max_unpool2d


class MaxUnpool3d(_MaxUnpool):
    """Values at the positions that ``MaxPool3d`` found, zeros elsewhere; see ``nn.functional.max_unpool3d``.

    Shapes: input and indices (N, C, D, H, W) or (C, D, H, W), output with larger sizes; the call takes ``output_size``
    too. Source: PyTorch's ``torch.nn.MaxUnpool3d``.

    >>> import minidl
    >>> pool = minidl.nn.MaxPool3d(2, return_indices=True)
    >>> minidl.nn.MaxUnpool3d(2)(*pool(minidl.ones(1, 2, 4, 4, 4))).shape
    torch.Size([1, 2, 4, 4, 4])
    """

    rank = 3
    unpool = max_unpool3d


class _FractionalMaxPool(Module):
    rank = None
    pool = None

    def __init__(
        self, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
    ):
        super().__init__()
        self.kernel_size = _each(kernel_size, self.rank)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else _each(output_size, self.rank)
        self.output_ratio = None if output_ratio is None else _each(output_ratio, self.rank)
        name = f"FractionalMaxPool{self.rank}d"
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input):
        pool = self.__class__.pool
        return pool(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )  # fmt: skip


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest value of windows that lie over an image at drawn places; see ``nn.functional.fractional_max_pool2d``.

    Shapes: input (N, C, H, W) or (C, H, W), output with the sizes ``output_size``, or the input's times
    ``output_ratio``. Raises ``ValueError`` where not exactly one of them is given.
    Source: B. Graham, "Fractional max-pooling", 2015; PyTorch's ``torch.nn.FractionalMaxPool2d``.

    >>> import minidl
    >>> minidl.nn.FractionalMaxPool2d(3, output_ratio=0.5)(minidl.ones(1, 2, 9, 8)).shape
    torch.Size([1, 2, 4, 4])
    """

    rank = 2
    pool = fractional_max_pool2d


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest value of windows that lie over a volume at drawn places; see ``nn.functional.fractional_max_pool3d``.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output with the sizes ``output_size``, or the input's times
    ``output_ratio``. Raises as ``FractionalMaxPool2d``. Source: PyTorch's ``torch.nn.FractionalMaxPool3d``.

    >>> import minidl
    >>> minidl.nn.FractionalMaxPool3d(2, output_size=(3, 2, 3))(minidl.ones(1, 2, 6, 6, 6)).shape
    torch.Size([1, 2, 3, 2, 3])
    """

    rank = 3
    pool = fractional_max_pool3d
