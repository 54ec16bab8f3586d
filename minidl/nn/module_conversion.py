"""Moving a module to another device or dtype, and walking it with a function."""

from minidl import dtypes
from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor
from minidl.device import device as device_type
from minidl.ops.create import empty_like


class Conversion:
    """The part of ``Module`` that changes every tensor that it holds."""

    def _apply(self, fn, recurse=True):
        """Replaces the storage of each parameter, of its gradient and of each buffer by ``fn``'s result."""
        for module in self.children() if recurse else ():
            module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is None:
                    continue
                parameter.data = fn(parameter)
                if parameter.grad is not None:
                    parameter.grad = fn(parameter.grad).detach().requires_grad_(parameter.grad.requires_grad)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def apply(self, fn):
        """Calls ``fn`` on every module, children first, then this one. Returns the module.

        >>> from minidl import nn
        >>> net = nn.Sequential(nn.ReLU()).apply(lambda module: print(type(module).__name__))
        ReLU
        Sequential
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args, **kwargs):
        """Moves and casts: ``to(device)``, ``to(dtype)``, ``to(device, dtype)``, ``to(tensor)``. Returns the module.

        Only floating-point tensors change dtype, only those of 4 and 5 dimensions their ``memory_format``.
        ``non_blocking`` as of ``Tensor.to``. Raises
        ``TypeError`` for a dtype that is not floating-point, ``DeviceError`` for a device that cannot be used.
        """
        where, dtype, non_blocking, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype!r}"
            )

        def convert(tensor):
            wanted = dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype
            laid = memory_format if memory_format is not None and tensor.dim() in (4, 5) else None
            return tensor.to(
                tensor.device if where is None else where, wanted, non_blocking, memory_format=laid
            )

        return self._apply(convert)

    def cpu(self):
        """Moves parameters and buffers to the host."""
        return self.to("cpu")

    def cuda(self, device=None):
        """Moves parameters and buffers to a GPU. Raises ``DeviceError`` where none can be used."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def to_empty(self, *, device, recurse=True):
        """Moves parameters and buffers to a device without their values, which may be any then. Returns the module."""
        return self._apply(lambda tensor: empty_like(tensor, device=device or tensor.device), recurse)

    def share_memory(self):
        """Moves parameters and buffers to memory that processes forked from now on share. Returns the module."""
        return self._apply(lambda tensor: tensor.share_memory_())

    def compile(self, *args, **kwargs):
        """Does nothing: programs run as they are written, as with ``minidl.compile``."""

    def type(self, dst_type):
        """Casts every parameter and buffer, integer ones too, to the dtype ``dst_type``."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self):
        """Casts floating-point parameters and buffers to float32."""
        return self.to(dtypes.float32)

    def double(self):
        """Casts floating-point parameters and buffers to float64."""
        return self.to(dtypes.float64)

    def half(self):
        """Casts floating-point parameters and buffers to float16."""
        return self.to(dtypes.float16)

    def bfloat16(self):
        """Casts floating-point parameters and buffers to bfloat16 (which needs ml_dtypes)."""
        return self.to(dtypes.named("bfloat16"))

    def requires_grad_(self, requires_grad=True):
        """Sets whether gradients are wanted of every parameter. Returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Drops the gradients of all parameters, or fills them with zeros."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                parameter.grad = parameter.grad.detach() * 0


def _parse_to(
    *args, device=None, dtype=None, tensor=None, non_blocking=False, copy=False, memory_format=None
):
    """``(device, dtype, non_blocking, memory_format)`` meant by the arguments of ``to``; None for what is not named."""
    if len(args) > 1 and isinstance(args[-1], bool):
        *args, non_blocking = args
    if len(args) > 2:
        raise TypeError(
            f"to() takes at most 3 positional arguments (device, dtype and non_blocking), got {len(args)}"
        )
    for value in (*args, tensor):
        if value is None:
            continue
        if isinstance(value, Tensor):
            device, dtype = value.device, value.dtype
        elif isinstance(value, dtypes.dtype):
            dtype = value
        else:
            device = value
    return None if device is None else device_type(device), dtype, bool(non_blocking), memory_format
