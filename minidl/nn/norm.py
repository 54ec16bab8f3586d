"""Normalisation layers: ``BatchNorm1d`` to ``3d``, ``LayerNorm``, ``GroupNorm``, ``RMSNorm``."""

from minidl import dtypes
from minidl.nn import init
from minidl.nn.module import Module
from minidl.nn.parameter import Parameter
from minidl.ops import norm as ops
from minidl.ops.create import empty, ones, zeros

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "LayerNorm", "RMSNorm"]


class _Affine(Module):
    """A layer with a trained scale ``weight``, from ones, and shift ``bias``, from zeros; either may be None."""

    def _add_affine(self, shape, weight, bias, device, dtype):
        for name, wanted in (("weight", weight), ("bias", bias)):
            parameter = Parameter(empty(shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, parameter)

    def reset_parameters(self):
        """Sets weight to ones and bias to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class NormBase(_Affine):
    """What batch and instance normalisation share: a scale and a shift, running statistics, repr."""

    _ranks = ()  # of the inputs that it takes

    def __init__(
        self,
        num_features,
        eps=1e-05,
        momentum=0.1,
        affine=True,
        track_running_stats=True,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._add_affine((num_features,), affine, affine and bias, device, dtype)
        mean = var = count = None
        if track_running_stats:
            mean = zeros(num_features, device=device, dtype=dtype)
            var = ones(num_features, device=device, dtype=dtype)
            count = zeros((), device=device, dtype=dtypes.named("int64"))
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", var)
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self):
        """Sets the running mean to 0, the running variance to 1, the count of batches to 0."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """Sets weight to ones, bias to zeros, and the running statistics to their beginning."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input):
        if input.ndim not in self._ranks:
            wanted = " or ".join(f"{rank}D" for rank in self._ranks)
            raise ValueError(f"expected {wanted} input (got {input.ndim}D input)")

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(NormBase):
    """What the batch normalisations of all ranks are."""

    def forward(self, input):
        self._check_input_dim(input)
        mean, var = self.running_mean, self.running_var
        training, momentum = self.training, self.momentum
        if training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:  # the average of all batches so far
                momentum = 1.0 / self.num_batches_tracked.item()
        if training and not self.track_running_stats:
            mean = var = None
        by_batch = training or (mean is None and var is None)
        return ops.batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum or 0.0, self.eps)


class BatchNorm1d(_BatchNorm):
    """Normalises each channel by the mean and variance of the batch in training, by running ones in evaluation.

    y = (x - mean) / sqrt(var + eps) * weight + bias

    Shapes: input (N, C) or (N, C, L) with C = ``num_features``, output as input; ``weight``, ``bias``,
    ``running_mean``, ``running_var`` (C,). The running statistics move to (1 - momentum) running + momentum batch,
    the variance unbiased; ``momentum=None`` averages all batches, ``track_running_stats=False`` always uses the batch.

    Raises ``ValueError`` for other ranks, or for a single value per channel in training.
    Source: S. Ioffe, C. Szegedy, "Batch normalization", 2015.

    >>> import minidl
    >>> layer = minidl.nn.BatchNorm1d(2, affine=False)
    >>> layer(minidl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    """

    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """``BatchNorm1d`` for images. Shapes: input (N, C, H, W), output as input.

    >>> import minidl
    >>> minidl.nn.BatchNorm2d(3)(minidl.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """``BatchNorm1d`` for volumes. Shapes: input (N, C, D, H, W), output as input.

    >>> import minidl
    >>> minidl.nn.BatchNorm3d(3)(minidl.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    _ranks = (5,)


class LayerNorm(_Affine):
    """Normalises by mean and variance over the last dimensions, those of ``normalized_shape``.

    Shapes: input (*, normalized_shape), output as input; ``weight`` and ``bias`` (normalized_shape), both None without
    ``elementwise_affine``. Raises ``RuntimeError`` where the input does not end in ``normalized_shape``.
    Source: J. Ba, J. Kiros, G. Hinton, "Layer normalization", 2016.

    >>> import minidl
    >>> minidl.nn.LayerNorm(2)(minidl.tensor([[1.0, 3.0]])).round(decimals=3)
    tensor([[-1.,  1.]], grad_fn=<RoundBackward1>)
    """

    def __init__(
        self, normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, device=None, dtype=None
    ):
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._add_affine(
            self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype
        )
        self.reset_parameters()

    def forward(self, input):
        return ops.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(_Affine):
    """Normalises each sample by mean and variance over groups of channels and all positions.

    Shapes: input (N, C, *) with C = ``num_channels``, output as input; ``weight`` and ``bias`` (C,). Raises
    ``ValueError`` where ``num_groups`` does not divide C.
    Source: Y. Wu, K. He, "Group normalization", 2018.

    >>> import minidl
    >>> minidl.nn.GroupNorm(3, 6)(minidl.ones(2, 6, 4, 4)).shape
    torch.Size([2, 6, 4, 4])
    """

    def __init__(
        self, num_groups, num_channels, eps=1e-05, affine=True, device=None, dtype=None, *, bias=True
    ):
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._add_affine((num_channels,), affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input):
        return ops.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """x / sqrt(mean(x^2) + eps) * weight over the last dimensions, those of ``normalized_shape``.

    Shapes: input (*, normalized_shape), output as input; ``weight`` (normalized_shape), None without
    ``elementwise_affine``. ``eps=None`` means the epsilon of the input's dtype.
    Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.

    >>> import minidl
    >>> minidl.nn.RMSNorm(3)(minidl.ones(2, 3)).shape
    torch.Size([2, 3])
    """

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None):
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = None
        if elementwise_affine:
            weight = Parameter(empty(self.normalized_shape, device=device, dtype=dtype))
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self):
        """Sets weight to ones."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input):
        return ops.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


def _as_shape(normalized_shape):
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
