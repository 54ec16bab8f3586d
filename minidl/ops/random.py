"""Random tensors. Draws are pure functions of a generator's (seed, offset): the same on every backend."""

from minidl import backends, dtypes
from minidl.autograd import Tensor, function
from minidl.autograd.tensor import leaf
from minidl.backends import of
from minidl.backends.memory_order import in_order, order_of
from minidl.device import or_default
from minidl.ops.common import as_index, checked
from minidl.ops.create import placed
from minidl.ops.generator import chosen
from minidl.ops.shapes import sizes

_WIDE_SPAN = 1 << 32  # integers from a wider range take four words instead of two


def words_of(dtype):
    """32-bit words that a float of a dtype takes."""
    return 2 if dtype.itemsize == 8 else 1


def draw(function, shape, dtype, generator, device):
    """An array of NumPy dtype ``dtype`` by ``philox_uniform``, ``philox_normal`` or ``philox_exponential``."""
    count = 1
    for size in shape:
        count *= size
    seed, offset = chosen(generator, device).reserve(count, words_of(dtype))
    return getattr(backends.on(device), function)(tuple(shape), dtype, seed, offset)


def draw_integers(shape, dtype, low, high, generator, device):
    """An array of integers in [low, high)."""
    count, span = 1, high - low
    for size in shape:
        count *= size
    seed, offset = chosen(generator, device).reserve(count, 2 if span <= _WIDE_SPAN else 4)
    return backends.on(device).philox_randint(tuple(shape), dtype, seed, offset, low, span)


def float_dtype(dtype, name):
    found = dtypes.get_default() if dtype is None else dtypes.numpy_dtype(dtype)
    if not dtypes.is_floating(found):
        raise NotImplementedError(
            f"{name} is only implemented for floating-point dtypes, got {dtypes.of(found)!r}"
        )
    return found


def _shape(given, name, size=None):
    shape = sizes(given, "size", size)
    if any(n < 0 for n in shape):
        raise RuntimeError(
            f"{name}: trying to create tensor with negative dimension {min(shape)}: {list(shape)}"
        )
    return shape


@function(method=False)
def rand(*sizes_, size=None, generator=None, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """Uniform numbers in [0, 1): multiples of 2^-24 in float32, 2^-53 in float64, 2^-11 in float16, 2^-8 in bfloat16.

    ``size`` is ints or one sequence of them. Raises ``NotImplementedError`` for a dtype that is no float,
    ``RuntimeError`` for a negative size.
    Source: PyTorch's ``torch.rand``.

    >>> import minidl
    >>> minidl.rand(2, 3).shape
    torch.Size([2, 3])
    """
    where = or_default(device)
    array = draw("philox_uniform", _shape(sizes_, "rand", size), float_dtype(dtype, "rand"), generator, where)
    return leaf(placed(array, pin_memory), requires_grad)


@function(method=False)
def randn(*sizes_, size=None, generator=None, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """Normal numbers of mean 0 and variance 1.

    ``size`` is ints or one sequence of them. Raises ``NotImplementedError`` for a dtype that is no float,
    ``RuntimeError`` for a negative size.
    Source: PyTorch's ``torch.randn``; G. Box, M. Muller, 1958.

    >>> import minidl
    >>> minidl.randn(2, 3).dtype
    minidl.float32
    """
    where = or_default(device)
    array = draw(
        "philox_normal", _shape(sizes_, "randn", size), float_dtype(dtype, "randn"), generator, where
    )
    return leaf(placed(array, pin_memory), requires_grad)


@function(method=False)
def randint(
    low=0,
    high=None,
    size=None,
    *,
    generator=None,
    dtype=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
):
    """Integers in [low, high), each equally likely; ``randint(high, size)`` and ``randint(low, high, size)``.

    ``dtype`` is int64 by default. Raises ``RuntimeError`` for an empty range or one that the dtype cannot hold.
    Source: PyTorch's ``torch.randint``.

    >>> import minidl
    >>> bool((minidl.randint(3, 5, (10,)) >= 3).all())
    True
    """
    if size is None:
        if high is None or hasattr(high, "__index__"):
            raise TypeError("randint() expects (high, size) or (low, high, size), and size is missing")
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    low, high = as_index(low, "low"), as_index(high, "high")
    target = dtypes.INT64 if dtype is None else dtypes.numpy_dtype(dtype)
    check_range(low, high, target, "random_")
    where = or_default(device)
    array = draw_integers(_shape((size,), "randint"), target, low, high, generator, where)
    return leaf(placed(array, pin_memory), requires_grad)


def check_range(low, high, dtype, name):
    if low >= high:
        raise RuntimeError(f"{name} expects 'from' to be less than 'to', but got from={low} >= to={high}")
    smallest, largest = integer_limits(dtype)
    for what, value in (("from", low), ("to - 1", high - 1)):
        if not smallest <= value <= largest:
            raise RuntimeError(
                f"{what} is out of bounds for {dtypes.of(dtype)!r}: {value} is not in [{smallest}, {largest}]"
            )


def integer_limits(dtype):
    """The integers that a dtype holds, floats: up to which they hold every one."""
    public = dtypes.of(dtype)
    if public is dtypes.bool_:
        return 0, 1
    if public.is_floating_point:
        whole = int(2 / dtypes.finfo(public).eps)
        return -whole, whole
    limits = dtypes.iinfo(public)
    return limits.min, limits.max


@function(method=False)
def randperm(n, *, generator=None, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A random permutation of 0 .. n - 1 as int64, or as ``dtype``.

    Raises ``RuntimeError`` for a negative ``n`` or one that the dtype cannot hold.
    Source: PyTorch's ``torch.randperm``.

    >>> import minidl
    >>> sorted(minidl.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    n = as_index(n, "n")
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    target = dtypes.INT64 if dtype is None else dtypes.numpy_dtype(dtype)
    if n - 1 > integer_limits(target)[1]:
        raise RuntimeError(
            f"n is too large for result tensor type: {n} elements do not fit {dtypes.of(target)!r}"
        )
    where = or_default(device)
    seed, offset = chosen(generator, where).reserve(n, 2)
    array = backends.on(where).philox_randperm(n, target, seed, offset)
    return leaf(placed(array, pin_memory), requires_grad)


@function(method=False)
def rand_like(input, *, generator=None, dtype=None, device=None, requires_grad=False, memory_format=None):
    """``rand`` of the shape, dtype and device of ``input``."""
    where, kind = _like(input, dtype, device)
    made = rand(input.shape, generator=generator, dtype=kind, device=where)
    return _laid(made, input, memory_format, requires_grad)


@function(method=False)
def randn_like(input, *, generator=None, dtype=None, device=None, requires_grad=False, memory_format=None):
    """``randn`` of the shape, dtype and device of ``input``."""
    where, kind = _like(input, dtype, device)
    made = randn(input.shape, generator=generator, dtype=kind, device=where)
    return _laid(made, input, memory_format, requires_grad)


@function(method=False)
def randint_like(
    input,
    low=0,
    high=None,
    *,
    generator=None,
    dtype=None,
    device=None,
    requires_grad=False,
    memory_format=None,
):
    """``randint`` of the shape, dtype and device of ``input``; ``randint_like(input, high)`` begins at 0."""
    where, kind = _like(input, dtype, device)
    low, high = (0, low) if high is None else (low, high)
    made = randint(low, high, input.shape, generator=generator, dtype=kind, device=where)
    return _laid(made, input, memory_format, requires_grad)


def _laid(made, input, memory_format, requires_grad):
    order = order_of(input._array, memory_format)
    return leaf(made._array if order is None else in_order(made._array, order), requires_grad)


def _like(input, dtype, device):
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {input.__class__.__name__}")
    return input.device if device is None else device, input.dtype if dtype is None else dtype


def normal_array(shape, dtype, mean, std, generator, device):
    """An array of normal numbers of Python numbers ``mean`` and ``std``."""
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    array = draw("philox_normal", shape, dtype, generator, device)
    return of(array).scale_and_shift(array, float(std), float(mean))


@function(method=False)
def normal(mean=0.0, std=1.0, size=None, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Normal numbers of each element's ``mean`` and ``std`` (tensors that broadcast), or of numbers and a ``size``.

    Raises ``RuntimeError`` for a negative ``std``. Source: PyTorch's ``torch.normal``.

    >>> import minidl
    >>> minidl.normal(minidl.zeros(3), 2.0).shape
    torch.Size([3])
    """
    given = [t for t in (mean, std) if isinstance(t, Tensor)]
    if not given:
        if size is None:
            raise TypeError("normal() of numbers needs a size: normal(mean, std, size)")
        where = or_default(device)
        kind = float_dtype(dtype, "normal")
        return leaf(normal_array(_shape((size,), "normal"), kind, mean, std, generator, where), requires_grad)
    if size is not None:
        raise TypeError("normal() takes a size only with a number as mean and as std")
    space, kind = of(*(t._array for t in given)), float_dtype(given[0].dtype, "normal")
    arrays = [t._array if isinstance(t, Tensor) else space.full((), t, kind) for t in (mean, std)]
    if not space.all_within(arrays[1], 0.0, float("inf")):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    shape = checked(space.add, *arrays).shape
    return leaf(
        space.scale_and_shift(
            draw("philox_normal", shape, kind, generator, given[0].device), arrays[1], arrays[0]
        )
    )
