"""Creation: from data, by shape, by range."""

import math

import numpy as np

from minidl import backends, dtypes
from minidl.autograd import Tensor, function
from minidl.autograd.convert import to_array
from minidl.autograd.forms import write_out
from minidl.autograd.tensor import leaf, make
from minidl.backends.memory_order import made_in_order, order_in, order_of
from minidl.device import device as as_device
from minidl.device import or_default
from minidl.ops.common import check_fits, fitting
from minidl.ops.shapes import sizes
from minidl.ops.storage import UntypedStorage


def _dtype(dtype, default=None):
    return (
        (dtypes.get_default() if default is None else default) if dtype is None else dtypes.numpy_dtype(dtype)
    )


def _space(device):
    return backends.on(or_default(device))


def placed(array, pin_memory):
    """The array, in page-locked memory if that is wanted."""
    return make(array, None).pin_memory()._array if pin_memory else array


def _target(device, data):
    """Where ``data`` is to be: a tensor that names no device stays on its own."""
    if device is not None:
        return as_device(device)
    return None if is_tensor(data) or backends.is_array(data) else or_default(None)


@function(method=False)
def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor holding a copy of ``data``: nested lists, numbers, NumPy arrays. Floats take the default
    dtype, NumPy's keep theirs. ``pin_memory`` puts it in page-locked memory.

    Raises ``TypeError`` for what holds no numbers, ``ValueError`` for ragged lists. Source: ``torch.tensor``.

    >>> import minidl
    >>> minidl.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    wanted = None if dtype is None else dtypes.numpy_dtype(dtype)
    array = to_array(data, wanted, _target(device, data), copy=True)
    return leaf(placed(array, pin_memory), requires_grad)


@function(method=False, aliases=("asarray",))
def as_tensor(data, dtype=None, device=None):
    """``data`` as a tensor, without a copy where dtype and device allow it; a tensor that fits is returned
    itself, what has ``__cuda_array_interface__`` and a storage share their memory. Source: ``torch.as_tensor``.

    >>> import minidl
    >>> minidl.as_tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    if isinstance(data, Tensor):
        return (
            data
            if dtype is None and device is None
            else data.to(device=device or data.device, dtype=dtype or data.dtype)
        )
    wanted = None if dtype is None else dtypes.numpy_dtype(dtype)
    if isinstance(data, UntypedStorage):
        return make(data.viewed(wanted), None).to(device=device)
    return make(to_array(data, wanted, _target(device, data)), None)


@function(method=False)
def from_numpy(ndarray):
    """A tensor that shares the memory of a NumPy array. Raises ``TypeError`` for what is none. Source:
    ``torch.from_numpy``.

    >>> import minidl, numpy
    >>> minidl.from_numpy(numpy.arange(2))
    tensor([0, 1])
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {ndarray.__class__.__name__})")
    dtypes.of(ndarray.dtype)
    if not ndarray.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion "
            "between byte orders is currently not supported."
        )
    return make(ndarray.view(np.ndarray), None)


@function(method=False)
def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor that shares the memory of any object with ``__dlpack__``, or of a DLPack capsule, on the CPU or a GPU.

    A GPU's may be used at once on the current stream: that waits for the stream of who made it, the host does not.
    ``device`` moves it, ``copy=True`` copies it. Raises ``RuntimeError`` for what is neither or was taken already,
    ``ValueError`` for a move with ``copy=False``, ``BufferError`` for other devices.
    Source: ``torch.from_dlpack``.

    >>> import minidl, numpy
    >>> minidl.from_dlpack(numpy.arange(2))
    tensor([0, 1])
    """
    out = make(backends.imported(ext_tensor, False if copy is False else None), None)
    dtypes.of(out._array.dtype)
    moved = out if device is None else out.to(device)
    if moved is not out and copy is False:
        raise ValueError(
            f"cannot move DLPack tensor from device {out.device} to {device} without copying. Set copy=None or "
            "copy=True."
        )
    return moved.clone() if copy and moved is out else moved


@function(method=False, aliases=())
def zeros(*sizes_, size=None, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor of zeros. Source: ``torch.zeros``.

    >>> import minidl
    >>> minidl.zeros(2)
    tensor([0., 0.])
    """
    return leaf(placed(_space(device).zeros(_shape(sizes_, size), _dtype(dtype)), pin_memory), requires_grad)


def _shape(given, size=None):
    shape = sizes(given, "size", size)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape


@function(method=False)
def ones(*sizes_, size=None, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor of ones. Source: ``torch.ones``.

    >>> import minidl
    >>> minidl.ones(2)
    tensor([1., 1.])
    """
    return leaf(
        placed(_space(device).full(_shape(sizes_, size), 1, _dtype(dtype)), pin_memory), requires_grad
    )


@function(method=False)
def empty(
    *sizes_, size=None, dtype=None, device=None, requires_grad=False, pin_memory=False, memory_format=None
):
    """An uninitialised tensor, in page-locked memory with ``pin_memory``. Source: ``torch.empty``.

    >>> import minidl
    >>> minidl.empty(2, 3).shape
    torch.Size([2, 3])
    """
    space, shape, kind = _space(device), _shape(sizes_, size), _dtype(dtype)
    order = order_in(memory_format, len(shape))
    array = made_in_order(lambda shape: space.empty(shape, kind), shape, order)
    return leaf(placed(array, pin_memory), requires_grad)


@function(method=False)
def full(size, fill_value, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A tensor filled with ``fill_value``, whose Python type gives the dtype unless one is named. Source:
    ``torch.full``.

    >>> import minidl
    >>> minidl.full((2,), 7)
    tensor([7, 7])
    """
    value = fill_value.item() if isinstance(fill_value, (Tensor, np.generic)) else fill_value
    if not isinstance(value, (bool, int, float)):
        raise TypeError(
            f"full(): argument 'fill_value' (position 2) must be Number, not {value.__class__.__name__}"
        )
    space, wanted = _space(device), _dtype(dtype, dtypes.numpy_dtype(type(value)))
    if wanted.kind in "iu":
        value = fitting(space.empty((), wanted), value).item()
    else:
        check_fits(wanted, value)
    return leaf(placed(space.full(_shape((size,)), value, wanted), pin_memory), requires_grad)


def _like(name, fill):
    def forward(input, *, dtype=None, device=None, requires_grad=False, pin_memory=False, memory_format=None):
        space = backends.on(input.device) if device is None else _space(device)
        kind = _dtype(dtype, input._array.dtype)
        order = order_of(input._array, memory_format)
        array = made_in_order(lambda shape: fill(space, shape, kind), input._array.shape, order)
        return leaf(placed(array, pin_memory), requires_grad)

    forward.__name__ = forward.__qualname__ = name + "_like"
    forward.__doc__ = f"""``{name}`` of the input's size, dtype and device. Source: ``torch.{name}_like``."""
    return function(method=False, tensors="input")(forward)


zeros_like = _like("zeros", lambda space, shape, dtype: space.zeros(shape, dtype))
ones_like = _like("ones", lambda space, shape, dtype: space.full(shape, 1, dtype))
empty_like = _like("empty", lambda space, shape, dtype: space.empty(shape, dtype))


@function(method=False, tensors="input")
def full_like(input, fill_value, *, dtype=None, device=None, requires_grad=False, memory_format=None):
    """A tensor of the input's size, dtype and device filled with ``fill_value``. Source: ``torch.full_like``."""

    def make(shape):
        return full(shape, fill_value, dtype=dtype or input.dtype, device=device or input.device)._array

    order = order_of(input._array, memory_format)
    return leaf(made_in_order(make, tuple(input.shape), order), requires_grad)


def _new(name, make_one):
    def forward(self, *args, dtype=None, device=None, requires_grad=False, **named):
        where = {
            "dtype": dtype or self.dtype,
            "device": device or self.device,
            "requires_grad": requires_grad,
        }
        return make_one(*args, **named, **where)

    forward.__name__ = forward.__qualname__ = "new_" + name
    forward.__doc__ = (
        f"""``{name}`` of this tensor's dtype and device. Source: ``torch.Tensor.new_{name}``."""
    )
    return function(faces=())(forward)


new_zeros, new_ones, new_empty = _new("zeros", zeros), _new("ones", ones), _new("empty", empty)
new_full, new_tensor = _new("full", full), _new("tensor", tensor)


def _number(value):
    return value.item() if isinstance(value, (Tensor, np.generic)) else value


@function(method=False)
def arange(start=None, end=None, step=1, *, out=None, dtype=None, device=None, requires_grad=False):
    """start, start + step, ... below end; int64 where all three are integers. ``arange(end)`` starts at 0.
    Source: ``torch.arange``.

    >>> import minidl
    >>> minidl.arange(1, 6, 2)
    tensor([1, 3, 5])
    """
    if out is not None:
        made = arange(start, end, step, dtype=out.dtype if dtype is None else dtype, device=device)
        return write_out(out, made, "arange")
    if start is None and end is None:
        raise TypeError("arange() received an invalid combination of arguments: the end is missing")
    start, end = (0, start) if end is None else (0 if start is None else start, end)
    start, end, step = _number(start), _number(end), _number(step)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(v, int) for v in (start, end, step))
    wanted, space = number_dtype("arange", dtype, dtypes.INT64 if whole else None), _space(device)
    if not all(math.isfinite(v) for v in (start, end, step)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if whole or wanted.kind in "iu":
        if not int(step):
            raise ValueError("step must be nonzero")
        if wanted == dtypes.INT64:
            start, end, step = int(start), int(end), int(step)
        count = max(0, math.ceil((end - start) / step))
        start, step = int(start), int(step)
        stop = start + count * step
        made = space.arange(start, stop, step, dtypes.INT64)
        return leaf(made if wanted == dtypes.INT64 else space.astype(made, wanted), requires_grad)
    count = math.ceil((end - start) / step)
    steps = space.arange(0, count, 1, dtypes.FLOAT64)
    return leaf(space.astype(space.add(space.mul(steps, float(step)), float(start)), wanted), requires_grad)


@function(method=False)
def linspace(start, end, steps, *, dtype=None, device=None, requires_grad=False):
    """``steps`` numbers at equal distance from ``start`` to ``end``, both included. Source: ``torch.linspace``.

    >>> import minidl
    >>> minidl.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    check_steps("linspace", start, end, steps)
    start, end, wanted, space = _number(start), _number(end), number_dtype("linspace", dtype), _space(device)
    if wanted.kind not in "iu" or steps < 2:
        return leaf(space.linspace(start, end, steps, wanted), requires_grad)
    return leaf(space.asarray(np.trunc(whole_steps(start, end, steps)), wanted), requires_grad)


def number_dtype(name, dtype, default=None):
    """The dtype of a sequence of numbers. Raises ``NotImplementedError`` for bool."""
    wanted = _dtype(dtype, default)
    if wanted == dtypes.BOOL:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")
    return wanted


def check_steps(name, start, end, steps):
    """Raises as PyTorch does for limits that are no numbers, and for steps that are no count."""
    for which, limit in (("start", start), ("end", end)):
        if getattr(limit, "ndim", 0):
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got {which} with {limit.ndim} "
                "dimension(s)."
            )
    if isinstance(steps, bool) or not hasattr(steps, "__index__"):
        given = ", ".join(v.__class__.__name__ for v in (start, end, steps))
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got ({given}): steps must be an int"
        )
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, but got {steps}")


def whole_steps(start, end, steps):
    """Equal steps between two whole numbers (steps > 1), as float64: from both ends to the middle, as PyTorch goes."""
    start, end = int(start), int(end)
    step, places = (end - start) / (steps - 1), np.arange(steps)
    return np.where(places < steps // 2, start + step * places, end - step * (steps - 1 - places))


@function(method=False)
def eye(n, m=None, *, dtype=None, device=None, requires_grad=False):
    """The n by m (default n) identity matrix. Source: ``torch.eye``.

    >>> import minidl
    >>> minidl.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if n < 0 or (m is not None and m < 0):
        name = "n" if n < 0 else "m"
        raise RuntimeError(f"{name} must be greater or equal to 0, got {n if n < 0 else m}")
    return leaf(_space(device).eye(n, n if m is None else m, _dtype(dtype)), requires_grad)


@function(method=False)
def is_tensor(obj):
    """Whether ``obj`` is a Tensor. Source: ``torch.is_tensor``."""
    return isinstance(obj, Tensor)


@function(method=False, tensors="input")
def numel(input):
    """Number of elements. Source: ``torch.numel``."""
    return input.numel()


@function(method=False, tensors="input")
def is_floating_point(input):
    """Whether the dtype is a floating-point one. Source: ``torch.is_floating_point``."""
    return input.is_floating_point()


@function(method=False, tensors="input")
def is_complex(input):
    """False: there are no complex tensors. Source: ``torch.is_complex``."""
    return input.is_complex()


@function(method=False)
def result_type(tensor1, tensor2):
    """The dtype of an arithmetic result of the two. Source: ``torch.result_type``."""
    return (tensor1 + tensor2).dtype
