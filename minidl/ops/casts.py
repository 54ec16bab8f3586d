"""Conversions of dtype and device."""

from minidl import backends, dtypes
from minidl.autograd import Tensor, function, op
from minidl.device import device as as_device


@op(input=lambda g, input_dtype: _cast(g, input_dtype), shown="ToCopy", faces=(), method=False)
def _cast(input, dtype):
    return backends.of(input).astype(input, dtype)


@op(input=lambda g, where, source: _transfer(g, source, where), shown="ToCopy", faces=(), method=False)
def _transfer(input, where, source):
    return backends.transfer(input, where)


@function(faces=())
def to(self, *args, dtype=None, device=None, copy=False, non_blocking=False, memory_format=None):
    """The tensor in another dtype and / or on another device; itself where nothing changes, unless ``copy``.

    ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other)``. Gradients are converted back. Raises
    ``DeviceError`` for a device that cannot be used, with the reason. Source: ``torch.Tensor.to``.

    >>> import minidl
    >>> minidl.tensor([1, 2]).to(minidl.float32)
    tensor([1., 2.])
    """
    for arg in args:
        if isinstance(arg, Tensor):
            dtype, device = arg.dtype, arg.device
        elif isinstance(arg, dtypes.dtype):
            dtype = arg
        elif isinstance(arg, bool):
            copy = copy or (arg is args[-1] and len(args) > 3)
        elif arg is not None:
            device = arg
    out = self
    if device is not None and as_device(device) != self.device:
        where = as_device(device)
        if (where.type, where.index or 0) != (self.device.type, self.device.index or 0):
            out = _transfer(out, where, self.device)
    if dtype is not None and dtypes.numpy_dtype(dtype) != out._array.dtype:
        out = _cast(out, dtypes.numpy_dtype(dtype))
    return out.clone() if copy and out is self else out


def _caster(method, name):
    def forward(self, memory_format=None):
        return to(self, dtypes.named(name))

    forward.__name__ = forward.__qualname__ = method
    forward.__doc__ = f"""``to(minidl.{name})``. Source: ``torch.Tensor.{method}``."""
    return function(faces=())(forward)


for _method, _name in {
    "bool": "bool", "byte": "uint8", "char": "int8", "short": "int16", "int": "int32", "long": "int64",
    "half": "float16", "bfloat16": "bfloat16", "float": "float32", "double": "float64",
}.items():  # fmt: skip
    _caster(_method, _name)


@function(faces=())
def cpu(self):
    """``to('cpu')``. Source: ``torch.Tensor.cpu``."""
    return to(self, "cpu")


@function(faces=())
def cuda(self, device=None, non_blocking=False):
    """``to('cuda')``. Raises ``DeviceError`` with the reason where there is no GPU. Source: ``torch.Tensor.cuda``."""
    return to(self, "cuda" if device is None else device)


@function(faces=())
def type_as(self, other):
    """``to(other.dtype)``. Source: ``torch.Tensor.type_as``."""
    return to(self, other.dtype)


@function(faces=())
def type(self, dtype=None):
    """The tensor in ``dtype``, or without one the name of its type. Source: ``torch.Tensor.type``."""
    if dtype is not None:
        return to(self, dtypes.named(dtype.rpartition(".")[2]) if isinstance(dtype, str) else dtype)
    return f"torch.{dtypes.scalar_name(self._array.dtype)}Tensor"


@function(faces=())
def cupy(self):
    """The CuPy array of a cuda tensor, sharing its memory. Raises ``TypeError`` for a cpu tensor."""
    if not self.is_cuda:
        raise TypeError(f"can't convert a {self.device} tensor to CuPy; use .cuda().cupy()")
    return self.detach()._array
