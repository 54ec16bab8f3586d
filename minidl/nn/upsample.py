"""Layers that change the size of signals, images and volumes: ``Upsample`` and its old names."""

from minidl.nn.module import Module
from minidl.ops.interpolate import interpolate

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """The input resampled to ``size``, or by ``scale_factor``, as ``nn.functional.interpolate`` defines it.

    Shapes: input (N, C, L), (N, C, H, W) or (N, C, D, H, W), output with the spatial sizes ``size`` or
    floor(n * scale_factor). ``mode`` is 'nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear' or
    'area'. Raises as ``interpolate``. Source: PyTorch's ``torch.nn.Upsample``.

    >>> import minidl
    >>> minidl.nn.Upsample(scale_factor=2)(minidl.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.]]])
    """

    def __init__(
        self, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None
    ):
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input):
        return interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self):
        to = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{to}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """``Upsample`` of images with mode 'nearest'. Shapes: input (N, C, H, W), output (N, C, P, Q).

    Source: PyTorch's ``torch.nn.UpsamplingNearest2d``.

    >>> import minidl
    >>> minidl.nn.UpsamplingNearest2d(scale_factor=2)(minidl.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """

    def __init__(self, size=None, scale_factor=None):
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """``Upsample`` of images with mode 'bilinear' and ``align_corners``.

    Shapes: input (N, C, H, W), output (N, C, P, Q). Source: PyTorch's ``torch.nn.UpsamplingBilinear2d``.

    >>> import minidl
    >>> minidl.nn.UpsamplingBilinear2d(size=(1, 3))(minidl.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """

    def __init__(self, size=None, scale_factor=None):
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
