"""Creation by formula: logspace, windows, buffers; and questions about tensors that PyTorch has as functions."""

import math

import numpy as np

from minidl import dtypes
from minidl.autograd import Tensor, function
from minidl.autograd.tensor import leaf, make
from minidl.ops.common import as_index
from minidl.ops.create import arange, check_steps, full, linspace, number_dtype, tensor, whole_steps
from minidl.ops.pointwise import cos
from minidl.ops.selection import where as _where
from minidl.ops.shapes import broadcast_to as _broadcast_to
from minidl.ops.shapes import sizes
from minidl.ops.special import i0


@function(method=False)
def logspace(start, end, steps, base=10.0, *, dtype=None, device=None, requires_grad=False):
    """base^x for ``steps`` numbers x at equal distance from ``start`` to ``end``. Source: ``torch.logspace``.

    >>> import minidl
    >>> minidl.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    check_steps("logspace", start, end, steps)
    number_dtype("logspace", dtype)
    start, end = (v.item() if isinstance(v, Tensor) else v for v in (start, end))
    wanted = dtypes.get_default_dtype() if dtype is None else dtype
    if not wanted.is_floating_point and steps > 1:
        values = np.trunc(float(base) ** whole_steps(start, end, steps))
        return tensor(values, dtype=wanted, device=device, requires_grad=requires_grad)
    exponents = linspace(start, end, steps, dtype=dtypes.float64, device=device)
    out = make((float(base) ** exponents)._array, None).to(wanted)
    return out.requires_grad_(requires_grad)


@function(method=False)
def range(start, end=None, step=1, *, dtype=None, device=None, requires_grad=False):
    """start, start + step, ... up to ``end``, which belongs to it; floating point. Source: ``torch.range``.

    >>> import minidl
    >>> minidl.range(1, 3)
    tensor([1., 2., 3.])
    """
    start, end = (0, start) if end is None else (start, end)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    count = math.floor((end - start) / step) + 1
    wanted = dtypes.get_default_dtype() if dtype is None else dtype
    places = arange(count, dtype=dtypes.float64, device=device)
    return (places * float(step) + float(start)).to(wanted).requires_grad_(requires_grad)


@function(method=False)
def scalar_tensor(s, *, dtype=None, device=None, requires_grad=False):
    """A 0-d tensor of a number, in the default dtype. Source: ``torch.scalar_tensor``.

    >>> import minidl
    >>> minidl.scalar_tensor(3)
    tensor(3.)
    """
    wanted = dtypes.get_default_dtype() if dtype is None else dtype
    return full((), s, dtype=wanted, device=device, requires_grad=requires_grad)


@function(method=False)
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A vector that shares the memory of an object with the buffer protocol. Source: ``torch.frombuffer``.

    >>> import minidl
    >>> minidl.frombuffer(bytearray([1, 2]), dtype=minidl.uint8)
    tensor([1, 2], dtype=minidl.uint8)
    """
    size = memoryview(buffer).nbytes
    item = dtype.itemsize
    if size == 0 or count == 0:
        raise ValueError(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({size} bytes) - 1"
        )
    if count < 0 and (size - offset) % item:
        raise ValueError(f"buffer length ({size - offset} bytes) after offset ({offset} bytes) must be a multiple of "
                         f"element size ({item})")  # fmt: skip
    if count > 0 and offset + count * item > size:
        raise ValueError(
            f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({size} bytes)"
        )
    return leaf(np.frombuffer(buffer, dtype.numpy, count, offset), requires_grad)


def _cosine_window(name, what, weights, example):
    """A window that is a sum of cosines; ``weights`` gives them from the function's own arguments."""

    def window(window_length, periodic, own, dtype, device, requires_grad):
        n = as_index(window_length, "window_length")
        if n < 0:
            raise RuntimeError(f"{name} requires non-negative window_length, got window_length={n}")
        wanted = dtypes.get_default_dtype() if dtype is None else dtype
        if not wanted.is_floating_point:
            raise RuntimeError(f"{name} expects floating point dtypes, got: {wanted!r}")
        if n <= 1:
            return full((n,), 1.0, dtype=wanted, device=device, requires_grad=requires_grad)
        x = arange(n, dtype=dtypes.float64, device=device) * (2 * math.pi / (n if periodic else n - 1))
        out = weights(x, *own)
        return out.to(wanted).requires_grad_(requires_grad)

    def finish(forward):
        forward.__name__ = forward.__qualname__ = name
        forward.__doc__ = f"""{what}; ``periodic``: one period of a longer one. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(4)
    {example}
    """
        return function(method=False)(forward)

    return window, finish


def _triangle(x):
    turn = x / math.pi
    return (turn <= 1) * turn + (turn > 1) * (2 - turn)


_hann, _finish_hann = _cosine_window(
    "hann_window",
    "The window of Hann",
    lambda x: 0.5 - 0.5 * cos(x),
    "tensor([0.0000, 0.5000, 1.0000, 0.5000])",
)
_hamming, _finish_hamming = _cosine_window(
    "hamming_window",
    "The window of Hamming, alpha - beta cos",
    lambda x, alpha, beta: alpha - beta * cos(x),
    "tensor([0.0800, 0.5400, 1.0000, 0.5400])",
)
_blackman, _finish_blackman = _cosine_window(
    "blackman_window",
    "The window of Blackman",
    lambda x: (0.42 - 0.5 * cos(x) + 0.08 * cos(2 * x)).abs(),
    "tensor([...3.4000e-01, 1.0000e+00, 3.4000e-01])",
)
_bartlett, _finish_bartlett = _cosine_window(
    "bartlett_window", "The triangular window", _triangle, "tensor([0.0000, 0.5000, 1.0000, 0.5000])"
)
_kaiser, _finish_kaiser = _cosine_window(
    "kaiser_window",
    "The window of Kaiser",
    lambda x, beta: i0(beta * (1 - (x / math.pi - 1) ** 2).clamp(min=0).sqrt()) / i0(x[:1] * 0 + beta),
    "tensor([5.2773e-05, 2.1567e-01, 1.0000e+00, 2.1567e-01])",
)


@_finish_hann
def hann_window(window_length, periodic=True, *, dtype=None, device=None, requires_grad=False):
    return _hann(window_length, periodic, (), dtype, device, requires_grad)


@_finish_hamming
def hamming_window(
    window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None, device=None, requires_grad=False
):  # fmt: skip
    return _hamming(window_length, periodic, (alpha, beta), dtype, device, requires_grad)


@_finish_blackman
def blackman_window(window_length, periodic=True, *, dtype=None, device=None, requires_grad=False):
    return _blackman(window_length, periodic, (), dtype, device, requires_grad)


@_finish_bartlett
def bartlett_window(window_length, periodic=True, *, dtype=None, device=None, requires_grad=False):
    return _bartlett(window_length, periodic, (), dtype, device, requires_grad)


@_finish_kaiser
def kaiser_window(window_length, periodic=True, beta=12.0, *, dtype=None, device=None, requires_grad=False):
    return _kaiser(window_length, periodic, (float(beta),), dtype, device, requires_grad)


@function(method=False)
def can_cast(from_, to) -> bool:
    """Whether a result of dtype ``from_`` may be written into a tensor of dtype ``to``: a category never narrows.
    Source: ``torch.can_cast``.

    >>> import minidl
    >>> minidl.can_cast(minidl.float32, minidl.int64)
    False
    """
    for position, (name, given) in enumerate((("from_", from_), ("to", to)), 1):
        if not isinstance(given, dtypes.dtype):
            raise TypeError(
                f"can_cast(): argument '{name}' (position {position}) must be torch.dtype, not {type(given).__name__}"
            )
    return dtypes.category(from_.numpy) <= dtypes.category(to.numpy)


@function(tensors="input")
def get_device(input) -> int:
    """The number of the GPU that holds the tensor, -1 on the CPU. Source: ``torch.get_device``.

    >>> import minidl
    >>> minidl.get_device(minidl.ones(1))
    -1
    """
    return -1 if input.device.type == "cpu" else input.device.index or 0


def _method(name, what, answer):
    def forward(self):
        return answer(self)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""{what}. Source: ``torch.Tensor.{name}``."""
    return function(faces=())(forward)


ndimension = _method("ndimension", "Number of dimensions", lambda self: self.ndim)
nelement = _method("nelement", "Number of elements", lambda self: self.numel())


@function(faces=())
def broadcast_to(self, *sizes_, size=None):
    """A view broadcast to ``size``. Source: ``torch.Tensor.broadcast_to``."""
    return _broadcast_to(self, sizes(sizes_, "size", size))


@function(faces=(), tensors="condition")
def where(self, condition, other):
    """The tensor where ``condition`` (bool) holds, ``other`` elsewhere. Source: ``torch.Tensor.where``.

    >>> import minidl
    >>> x = minidl.tensor([1.0, -2.0])
    >>> x.where(x > 0, 0.0)
    tensor([1., 0.])
    """
    return _where(condition, self, other)


@function(faces=())
def new(self, *args):
    """A tensor of this one's dtype and device: of sizes uninitialised, of data a copy. Source: ``torch.Tensor.new``.

    >>> import minidl
    >>> minidl.ones(1).new([2.0])
    tensor([2.])
    """
    if not args:
        return self.new_empty(0)
    if len(args) == 1 and not isinstance(args[0], int):
        return self.new_tensor(args[0]) if not hasattr(args[0], "numel") else self.new_empty(tuple(args[0]))
    return self.new_empty(args)


@function(tensors="input")
def nonzero_static(input, *, size, fill_value=-1):
    """``nonzero`` with exactly ``size`` rows: cut, or filled up with ``fill_value``. Source: ``torch.nonzero_static``.

    >>> import minidl
    >>> minidl.nonzero_static(minidl.tensor([0, 3]), size=2)
    tensor([[ 1],
            [-1]])
    """
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    found = input.nonzero()[:size]
    out = found.new_full((size, input.ndim), fill_value)
    out[: found.shape[0]] = found
    return out


@function(method=False, tensors="input")
def detach(input):
    """``Tensor.detach``: the same memory, off the tape. Source: ``torch.detach``.

    >>> import minidl
    >>> minidl.detach(minidl.ones(1, requires_grad=True)).requires_grad
    False
    """
    return input.detach()


@function(method=False, tensors="input")
def detach_(input):
    """``Tensor.detach_``: takes the tensor off the tape. Source: ``torch.detach_``."""
    return input.detach_()


@function(method=False, tensors="input")
def is_inference(input) -> bool:
    """Whether the tensor was made in inference mode. Source: ``torch.is_inference``.

    >>> import minidl
    >>> minidl.is_inference(minidl.ones(1))
    False
    """
    return input.is_inference()
