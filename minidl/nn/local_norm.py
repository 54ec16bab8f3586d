"""``LocalResponseNorm``, and pooling by a power mean: ``LPPool1d`` to ``3d``."""

from minidl.nn.module import Module
from minidl.ops.local_norm import local_response_norm, lp_pool1d, lp_pool2d, lp_pool3d

__all__ = ["LPPool1d", "LPPool2d", "LPPool3d", "LocalResponseNorm"]


class LocalResponseNorm(Module):
    """Divides by a power of the mean square of neighbouring channels; see ``nn.functional.local_response_norm``.

    y[n, c] = x[n, c] / (k + alpha / size * sum over ``size`` neighbouring channels of x^2)^beta

    Shapes: input (N, C, *), output as input. Raises ``ValueError`` for fewer than three dimensions.
    Source: A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural networks",
    2012; PyTorch's ``torch.nn.LocalResponseNorm``.

    >>> import minidl
    >>> minidl.nn.LocalResponseNorm(2)(minidl.ones(1, 4, 3, 3)).shape
    torch.Size([1, 4, 3, 3])
    """

    def __init__(self, size, alpha=0.0001, beta=0.75, k=1.0):
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input):
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self):
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class _LPPool(Module):
    pool = None

    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input):
        pool = self.__class__.pool
        return pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self):
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """(sum of x^p over every window of a signal)^(1/p), p = ``norm_type``; see ``nn.functional.lp_pool1d``.

    Shapes: input (N, C, L) or (C, L), output (N, C, M) or (C, M). Source: PyTorch's ``torch.nn.LPPool1d``.

    >>> import minidl
    >>> minidl.nn.LPPool1d(2, 2)(minidl.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """

    pool = lp_pool1d


class LPPool2d(_LPPool):
    """(sum of x^p over every window of an image)^(1/p), p = ``norm_type``; see ``nn.functional.lp_pool2d``.

    Shapes: input (N, C, H, W) or (C, H, W), output (N, C, P, Q) or (C, P, Q). Source: PyTorch's ``torch.nn.LPPool2d``.

    >>> import minidl
    >>> minidl.nn.LPPool2d(2, 3, stride=2)(minidl.ones(1, 2, 7, 7)).shape
    torch.Size([1, 2, 3, 3])
    """

    pool = lp_pool2d


class LPPool3d(_LPPool):
    """(sum of x^p over every window of a volume)^(1/p), p = ``norm_type``; see ``nn.functional.lp_pool3d``.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output with the windows' sizes.
    Source: PyTorch's ``torch.nn.LPPool3d``.

    >>> import minidl
    >>> minidl.nn.LPPool3d(2, 2)(minidl.ones(1, 2, 4, 4, 4)).shape
    torch.Size([1, 2, 2, 2, 2])
    """

    pool = lp_pool3d
