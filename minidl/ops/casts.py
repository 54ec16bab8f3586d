"""Conversions of dtype and device, and page-locked memory for copies between devices."""

from minidl import backends, dtypes
from minidl.autograd import Tensor, function, op
from minidl.autograd.node import named
from minidl.backends.memory_order import is_laid, suggested
from minidl.device import device as as_device
from minidl.errors import DeviceError
from minidl.layouts import preserve_format
from minidl.ops.memory_formats import clone


@op(input=lambda g, input_dtype: _cast(g, input_dtype), shown="ToCopy", faces=(), method=False)
def _cast(input, dtype):
    return backends.of(input).astype(input, dtype)


@op(input=lambda g, where, source: _transfer(g, source, where), shown="ToCopy", faces=(), method=False)
def _transfer(input, where, source, non_blocking=False):
    return backends.transfer(input, where, non_blocking)


@op(input=lambda g: g, shown="PinMemory", faces=(), method=False)
def _pinned(input, type):
    return backends.pin(input, type)


@function(faces=())
def to(self, *args, dtype=None, device=None, copy=False, non_blocking=False, memory_format=None):
    """The tensor in another dtype, on another device or in another memory format; itself where nothing changes, unless
    ``copy``.

    ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other)``, and ``non_blocking, copy`` after these.
    Gradients are converted back. Raises ``DeviceError`` for a device that cannot be used, with the reason.

    ``non_blocking``: a copy from page-locked memory (``pin_memory``) to a GPU takes its turn on the current stream, and
    the call returns at once: write to the source only after that. A copy to the host lands in page-locked memory and
    is there after ``minidl.cuda.synchronize()``, or an event recorded behind it. Where the host's memory is ordinary
    the call waits. ``memory_format``: see ``clone``; None keeps the order of the elements. Source: ``torch.Tensor.to``.

    >>> import minidl
    >>> minidl.tensor([1, 2]).to(minidl.float32)
    tensor([1., 2.])
    """
    flags = []
    for arg in args:
        if isinstance(arg, Tensor):
            dtype, device = arg.dtype, arg.device
        elif isinstance(arg, dtypes.dtype):
            dtype = arg
        elif isinstance(arg, bool):
            flags.append(arg)
        elif arg is not None:
            device = arg
    non_blocking, copy = (*flags, *(non_blocking, copy)[len(flags) :])[:2]
    out = _converted(self, dtype, device, non_blocking, copy)
    if memory_format is None or memory_format == preserve_format:
        return out
    array = out._array
    fits = suggested(array.shape, array.strides) == memory_format and (
        out is self or is_laid(array, memory_format)
    )
    return out if fits else named(clone(out, memory_format=memory_format), "ToCopy")


def _converted(self, dtype, device, non_blocking, copy):
    out = self
    where = None if device is None else as_device(device)
    wanted = None if dtype is None else dtypes.numpy_dtype(dtype)
    casts = wanted is not None and wanted != out._array.dtype
    moves = where is not None and where != self.device and not _same_place(where, self.device)
    if casts and moves and non_blocking and where.type == "cpu":
        out, casts = _cast(out, wanted), False  # before the copy: after it, the values may not have arrived
    if moves:
        out = _transfer(out, where, self.device, bool(non_blocking))
    if casts:
        out = _cast(out, wanted)
    return named(out.clone(), "ToCopy") if copy and out is self else out


def _same_place(where, other):
    return (where.type, where.index or 0) == (other.type, other.index or 0)


def _caster(method, name):
    def forward(self, memory_format=None):
        return to(self, dtypes.named(name), memory_format=memory_format)

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
    """``to('cuda')``. Raises ``DeviceError`` with the reason where there is no GPU, ``RuntimeError`` for a ``device``
    that is none. Source: ``torch.Tensor.cuda``."""
    where = as_device("cuda" if device is None else device)
    if where.type == "cpu":
        raise RuntimeError("Invalid device, must be cuda device")
    return to(self, where, non_blocking=non_blocking)


@function(faces=())
def pin_memory(self, device=None):
    """A copy in page-locked memory, from which a GPU copies without the host's help; itself where it is there.

    ``device`` names the kind of device, 'cuda' by default. Gradients pass. Raises ``DeviceError`` where there is no
    such device, ``RuntimeError`` for a tensor that is not on the CPU. Source: ``torch.Tensor.pin_memory``.

    >>> import minidl
    >>> x = minidl.ones(3)
    >>> if minidl.cuda.is_available():
    ...     x = x.pin_memory().to("cuda", non_blocking=True)
    >>> x.sum().item()
    3.0
    """
    kind = as_device("cuda" if device is None else device).type
    try:
        backends.on(kind)
    except DeviceError as error:
        raise DeviceError(f"Cannot access accelerator device when none is available. {error}") from None
    if not self.is_cpu or kind == "cpu":
        raise RuntimeError(f"cannot pin '{self.type()}' for {kind}: only dense CPU tensors can be pinned")
    return self if backends.is_pinned(self._array) else _pinned(self, kind)


@function(faces=())
def is_pinned(self, device=None):
    """Whether the memory is page-locked. Source: ``torch.Tensor.is_pinned``.

    >>> import minidl
    >>> minidl.ones(3).is_pinned()
    False
    """
    return self.is_cpu and backends.is_pinned(self._array)


@function(faces=())
def record_stream(self, stream):
    """Has the memory stay, when the tensor is dropped, until ``stream`` has done what it was given by then.

    For a tensor made on one stream and used on another, as a prefetched batch is. Raises ``NotImplementedError`` for a
    tensor on the CPU. Source: ``torch.Tensor.record_stream``.

    >>> import minidl
    >>> if minidl.cuda.is_available():
    ...     minidl.ones(2, device="cuda").record_stream(minidl.cuda.current_stream())
    """
    if self.is_cpu:
        raise NotImplementedError("record_stream() is for tensors on a GPU: the host has no streams")
    backends.used_on(self._array, getattr(stream, "_stream", stream))


@function(faces=())
def type_as(self, other):
    """``to(other.dtype)``. Source: ``torch.Tensor.type_as``."""
    return to(self, other.dtype)


@function(faces=())
def type(self, dtype=None, non_blocking=False):
    """The tensor in ``dtype``, or without one the name of its type, which names dtype and device.

    ``dtype`` is a dtype, a class as ``FloatTensor``, or the name of either. Source: ``torch.Tensor.type``.

    >>> import minidl
    >>> minidl.ones(1).type(minidl.LongTensor).type()
    'torch.LongTensor'
    """
    below = "torch.cuda" if self.is_cuda else "torch"
    if dtype is None:
        return f"{below}.{dtypes.scalar_name(self._array.dtype)}Tensor"
    device = getattr(dtype, "device_type", None)  # a class of typed.py
    if device is not None:
        dtype = dtypes.named(dtype.dtype_name)
    elif isinstance(dtype, str):
        wanted, (below, _, name) = dtype, dtype.rpartition(".")
        dtype, device = dtypes.of_class(name), "cuda" if below == "torch.cuda" else "cpu"
        if dtype is None or below not in ("torch", "torch.cuda"):
            raise ValueError(f"invalid type: {wanted!r}")
    return to(
        self, self.device if device is None or device == self.device.type else device, dtype, non_blocking
    )


@function(faces=())
def cupy(self):
    """The CuPy array of a cuda tensor, sharing its memory. Raises ``TypeError`` for a cpu tensor."""
    if not self.is_cuda:
        raise TypeError(f"can't convert a {self.device} tensor to CuPy; use .cuda().cupy()")
    return self.detach()._array
