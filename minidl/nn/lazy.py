"""Layers that take their input sizes from the first input: ``LazyLinear``, ``LazyConv1d`` and their kind."""

from minidl import dtypes
from minidl.autograd.modes import no_grad
from minidl.autograd.size import Size
from minidl.nn.conv import Conv1d, Conv2d, Conv3d
from minidl.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from minidl.nn.instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from minidl.nn.linear import Linear
from minidl.nn.norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from minidl.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from minidl.ops.create import zeros

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
    "LazyModuleMixin",
]


class LazyModuleMixin:
    """A module that learns the shapes of its parameters from its first input, and is an ordinary one from then on.

    Subclasses stand before the class that they make lazy, hold ``UninitializedParameter`` and
    ``UninitializedBuffer``, define ``initialize_parameters(*args, **kwargs)``, called with the first inputs, and name
    in ``cls_to_become`` the class that the module then takes (None: it keeps its own). Loading a ``state_dict`` gives
    the shapes too. Raises ``RuntimeError`` where ``initialize_parameters`` leaves one without a shape.
    Source: PyTorch's ``torch.nn.modules.lazy.LazyModuleMixin``.
    """

    cls_to_become = None
    _waiting = True  # for the first input

    def initialize_parameters(self, *args, **kwargs):
        """Materializes the parameters and buffers for these inputs; every subclass defines its own."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {self.__class__.__name__}")

    def has_uninitialized_params(self):
        """Whether a parameter or buffer of this module, not of one below it, has no shape yet."""
        return any(map(is_lazy, (*self._parameters.values(), *self._buffers.values())))

    def __call__(self, *args, **kwargs):
        if self._waiting:
            self._infer_parameters(self, args, kwargs)
            return self(*args, **kwargs)  # as the class that it has become
        return super().__call__(*args, **kwargs)

    def _infer_parameters(self, module, args, kwargs=None):
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
        module._waiting = False
        if module.cls_to_become is not None:
            del module._waiting
            module.__class__ = module.cls_to_become

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        for name, tensor in self._own_state().items():
            value = state_dict.get(prefix + name)
            if is_lazy(tensor) and value is not None and not is_lazy(value):
                with no_grad():
                    tensor.materialize(tuple(value.shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)


class LazyLinear(LazyModuleMixin, Linear):
    """A ``Linear`` whose ``in_features`` is the last size of its first input.

    Shapes: input (..., in_features), output (..., out_features). Source: PyTorch's ``torch.nn.LazyLinear``.

    >>> import minidl
    >>> layer = minidl.nn.LazyLinear(4)
    >>> layer.weight
    <UninitializedParameter>
    >>> layer(minidl.ones(2, 3)).shape
    torch.Size([2, 4])
    >>> layer
    Linear(in_features=3, out_features=4, bias=True)
    """

    cls_to_become = Linear

    def __init__(self, out_features, bias=True, device=None, dtype=None):
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        """Draws weight and bias anew, where they have shapes."""
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input):
        """Takes ``in_features`` from the input's last size and draws weight and bias."""
        drawn = self.has_uninitialized_params()
        if drawn or self.in_features == 0:  # the shapes may have come from a state_dict
            self.in_features = input.shape[-1]
        if drawn:
            with no_grad():
                self.weight.materialize((self.out_features, self.in_features))
                if self.bias is not None:
                    self.bias.materialize((self.out_features,))
                self.reset_parameters()


class _LazyConv(LazyModuleMixin):
    def _become_lazy(self, out_channels, bias, device, dtype):
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        """Draws weight and bias anew, where they have shapes."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs):
        """Takes ``in_channels`` from the input and draws weight and bias."""
        drawn = self.has_uninitialized_params()
        if drawn or self.in_channels == 0:
            self.in_channels = self._channels_of(input)
        if not drawn:
            return
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        ends = (self.out_channels, self.in_channels)
        ends = ends[::-1] if self.transposed else ends
        with no_grad():
            self.weight.materialize((ends[0], ends[1] // self.groups, *self.kernel_size))
            if self.bias is not None:
                self.bias.materialize((self.out_channels,))
            self.reset_parameters()

    def _channels_of(self, input):
        rank = self.rank
        if len(input.shape) not in (rank + 1, rank + 2):
            raise RuntimeError(
                f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {self.__class__.__name__}, but "
                f"got input of size: {Size(tuple(input.shape))}"
            )
        return input.shape[-rank - 1]


class _LazyForward(_LazyConv):
    def __init__(
        self, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode="zeros",
        device=None, dtype=None,
    ):  # fmt: skip
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._become_lazy(out_channels, bias, device, dtype)


class _LazyTransposed(_LazyConv):
    def __init__(
        self, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1,
        padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        super().__init__(
            0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode
        )
        self._become_lazy(out_channels, bias, device, dtype)


class LazyConv1d(_LazyForward, Conv1d):
    """A ``Conv1d`` whose ``in_channels`` is that of its first input.

    Shapes: input (N, C, L) or (C, L). Raises ``RuntimeError`` for other ranks, ``ValueError`` where ``groups`` does not
    divide C. Source: PyTorch's ``torch.nn.LazyConv1d``.

    >>> import minidl
    >>> minidl.nn.LazyConv1d(4, 3)(minidl.ones(1, 2, 8)).shape
    torch.Size([1, 4, 6])
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyForward, Conv2d):
    """A ``Conv2d`` whose ``in_channels`` is that of its first input.

    Shapes: input (N, C, H, W) or (C, H, W). Raises as ``LazyConv1d``. Source: PyTorch's ``torch.nn.LazyConv2d``.

    >>> import minidl
    >>> layer = minidl.nn.LazyConv2d(4, 3)
    >>> layer(minidl.ones(1, 2, 8, 8)).shape
    torch.Size([1, 4, 6, 6])
    >>> layer
    Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyForward, Conv3d):
    """A ``Conv3d`` whose ``in_channels`` is that of its first input.

    Shapes: input (N, C, D, H, W) or (C, D, H, W). Raises as ``LazyConv1d``. Source: PyTorch's ``torch.nn.LazyConv3d``.

    >>> import minidl
    >>> minidl.nn.LazyConv3d(4, 3)(minidl.ones(1, 2, 5, 5, 5)).shape
    torch.Size([1, 4, 3, 3, 3])
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyTransposed, ConvTranspose1d):
    """A ``ConvTranspose1d`` whose ``in_channels`` is that of its first input.

    Shapes and errors as ``LazyConv1d``. Source: PyTorch's ``torch.nn.LazyConvTranspose1d``.

    >>> import minidl
    >>> minidl.nn.LazyConvTranspose1d(4, 3)(minidl.ones(1, 2, 6)).shape
    torch.Size([1, 4, 8])
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposed, ConvTranspose2d):
    """A ``ConvTranspose2d`` whose ``in_channels`` is that of its first input.

    Shapes and errors as ``LazyConv2d``. Source: PyTorch's ``torch.nn.LazyConvTranspose2d``.

    >>> import minidl
    >>> minidl.nn.LazyConvTranspose2d(4, 3)(minidl.ones(1, 2, 6, 6)).shape
    torch.Size([1, 4, 8, 8])
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposed, ConvTranspose3d):
    """A ``ConvTranspose3d`` whose ``in_channels`` is that of its first input.

    Shapes and errors as ``LazyConv3d``. Source: PyTorch's ``torch.nn.LazyConvTranspose3d``.

    >>> import minidl
    >>> minidl.nn.LazyConvTranspose3d(4, 3)(minidl.ones(1, 2, 3, 3, 3)).shape
    torch.Size([1, 4, 5, 5, 5])
    """

    cls_to_become = ConvTranspose3d


class _LazyNorm(LazyModuleMixin):
    def __init__(
        self, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, *, bias=True
    ):  # fmt: skip
        super().__init__(0, eps, momentum, False, False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        own = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**own)
            if bias:
                self.bias = UninitializedParameter(**own)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**own)
            self.running_var = UninitializedBuffer(**own)
            self.num_batches_tracked = zeros((), device=device, dtype=dtypes.int64)

    def reset_parameters(self):
        """Sets weight, bias and running statistics to their beginning, where they have shapes."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input):
        """Takes ``num_features`` from the input's channels."""
        drawn = self.has_uninitialized_params()
        if drawn or self.num_features == 0:
            self.num_features = self._channels_of(input)
        if drawn:
            for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
                if tensor is not None:
                    tensor.materialize((self.num_features,))
            self.reset_parameters()

    def _channels_of(self, input):
        return input.shape[1]


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A ``BatchNorm1d`` whose ``num_features`` is the number of channels of its first input.

    Shapes: input (N, C) or (N, C, L), output as input. Source: PyTorch's ``torch.nn.LazyBatchNorm1d``.

    >>> import minidl
    >>> minidl.nn.LazyBatchNorm1d()(minidl.ones(2, 3)).shape
    torch.Size([2, 3])
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A ``BatchNorm2d`` whose ``num_features`` is the number of channels of its first input.

    Shapes: input (N, C, H, W), output as input. Source: PyTorch's ``torch.nn.LazyBatchNorm2d``.

    >>> import minidl
    >>> layer = minidl.nn.LazyBatchNorm2d()
    >>> layer(minidl.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    >>> layer
    BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A ``BatchNorm3d`` whose ``num_features`` is the number of channels of its first input.

    Shapes: input (N, C, D, H, W), output as input. Source: PyTorch's ``torch.nn.LazyBatchNorm3d``.

    >>> import minidl
    >>> minidl.nn.LazyBatchNorm3d()(minidl.ones(2, 3, 2, 2, 2)).shape
    torch.Size([2, 3, 2, 2, 2])
    """

    cls_to_become = BatchNorm3d


class _LazyInstanceNorm(_LazyNorm):
    def _channels_of(self, input):
        return input.shape[0 if input.ndim == self._ranks[0] else 1]


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):
    """An ``InstanceNorm1d`` whose ``num_features`` is the number of channels of its first input.

    Shapes: input (N, C, L) or (C, L), output as input. Source: PyTorch's ``torch.nn.LazyInstanceNorm1d``.

    >>> import minidl
    >>> minidl.nn.LazyInstanceNorm1d()(minidl.ones(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):
    """An ``InstanceNorm2d`` whose ``num_features`` is the number of channels of its first input.

    Shapes: input (N, C, H, W) or (C, H, W), output as input. Source: PyTorch's ``torch.nn.LazyInstanceNorm2d``.

    >>> import minidl
    >>> minidl.nn.LazyInstanceNorm2d()(minidl.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):
    """An ``InstanceNorm3d`` whose ``num_features`` is the number of channels of its first input.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), output as input. Source: PyTorch's ``torch.nn.LazyInstanceNorm3d``.

    >>> import minidl
    >>> minidl.nn.LazyInstanceNorm3d()(minidl.ones(2, 3, 2, 2, 2)).shape
    torch.Size([2, 3, 2, 2, 2])
    """

    cls_to_become = InstanceNorm3d
