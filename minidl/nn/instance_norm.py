"""Instance normalisation layers: ``InstanceNorm1d`` to ``3d``."""

import warnings

from minidl.nn.norm import NormBase
from minidl.ops.instance_norm import instance_norm

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(NormBase):
    def __init__(
        self, num_features, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, device=None,
        dtype=None, *, bias=True,
    ):  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input):
        self._check_input_dim(input)
        single = input.ndim == self._ranks[0]
        self._check_channels(input, 0 if single else 1)
        out = instance_norm(
            input.unsqueeze(0) if single else input, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats, 0.0 if self.momentum is None else self.momentum, self.eps,
        )  # fmt: skip
        return out.squeeze(0) if single else out

    def _check_channels(self, input, dim):
        found = input.shape[dim]
        if found == self.num_features:
            return
        if self.affine:
            raise ValueError(
                f"expected input's size at dim={dim} to match num_features ({self.num_features}), but got: {found}."
            )
        warnings.warn(
            f"input's size at dim={dim} does not match num_features. You can silence this warning by not passing in "
            "num_features, which is not used because affine=False",
            stacklevel=4,
        )


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each sample by the mean and variance of its positions.

    y = (x - mean) / sqrt(var + eps) * weight + bias

    Shapes: input (N, C, L) or (C, L) with C = ``num_features``, output as input; ``weight`` and ``bias`` (C,), None
    without ``affine``. With ``track_running_stats`` it keeps running statistics, and uses them in evaluation.

    Raises ``ValueError`` for other ranks, another number of channels with ``affine``, or a single position.
    Source: D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance normalization", 2016; PyTorch's ``torch.nn.InstanceNorm1d``.

    >>> import minidl
    >>> minidl.nn.InstanceNorm1d(2)(minidl.tensor([[[1.0, 3.0], [5.0, 9.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """

    _ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """``InstanceNorm1d`` for images. Shapes: input (N, C, H, W) or (C, H, W), output as input.

    Source: PyTorch's ``torch.nn.InstanceNorm2d``.

    >>> import minidl
    >>> minidl.nn.InstanceNorm2d(3, affine=True)(minidl.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """``InstanceNorm1d`` for volumes. Shapes: input (N, C, D, H, W) or (C, D, H, W), output as input.

    Source: PyTorch's ``torch.nn.InstanceNorm3d``.

    >>> import minidl
    >>> minidl.nn.InstanceNorm3d(3)(minidl.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    _ranks = (4, 5)
