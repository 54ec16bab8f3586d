"""What the op families share: promotion, dimensions, error texts."""

import functools
import math

import numpy as np

from minidl import backends, dtypes
from minidl.backends import of

_NATIVE = {dtypes.FLOAT32, dtypes.FLOAT64, dtypes.float16.numpy}


def promote(input, other):
    """Both operands in their common dtype. Python numbers stay numbers where the array library keeps the array's dtype.

    Rules: PyTorch's. A Python number, and a 0-d tensor beside one with dimensions, widens only across categories.
    """
    kind = other.__class__
    if kind is float or kind is int or kind is bool:
        return _with_number(input, other, kind)
    kind = input.__class__
    if kind is float or kind is int or kind is bool:
        other, input = _with_number(other, input, kind)
        return input, other
    a, b = input.dtype, other.dtype
    if a is b:
        return input, other
    target = result_dtype(input, other)
    return (input if a == target else input.astype(target)), (other if b == target else other.astype(target))


def told_later(index, array):
    """Whether kernels find what is bad in an index into ``array``, so that nobody has to wait for its values here."""
    return index.__class__ is not np.ndarray and array.size > 0 and of(index).defers_index_errors()


def result_dtype(input, other):
    """The common NumPy dtype of two arrays."""
    a, b = input.dtype, other.dtype
    if a == b:
        return a
    if (input.ndim == 0) == (other.ndim == 0):
        return dtypes.promote(a, b)
    with_dims, without = (b, a) if input.ndim == 0 else (a, b)
    return (
        with_dims
        if dtypes.category(with_dims) >= dtypes.category(without)
        else dtypes.promote(with_dims, without)
    )


class NoTensor(TypeError):
    """Two numbers where one operand has to be a Tensor."""


def _with_number(array, number, kind):
    try:
        dtype = array.dtype
    except AttributeError:
        kinds = ", ".join(v.__class__.__name__ for v in (array, number))
        raise NoTensor(
            f"received an invalid combination of arguments - got ({kinds}): one of them must be a Tensor"
        ) from None
    target = dtypes.promote_scalar(dtype, kind)
    if target != dtype:
        array = array.astype(target)
    if target in _NATIVE:
        return array, number
    return array, scalar_like(array, number)


def scalar_like(array, number):
    """A Python number as a 0-d array of ``array``'s dtype and device; integers wrap as PyTorch's do."""
    space = of(array)
    if array.dtype.kind in "iu" and not isinstance(number, float):
        bits = 8 * array.dtype.itemsize
        number = int(number) & ((1 << bits) - 1)
        if array.dtype.kind == "i" and number >> (bits - 1):
            number -= 1 << bits
    return space.full((), number, array.dtype)


@functools.cache
def _limits(numpy_dtype):
    """The least and the greatest number that a dtype takes; unsigned integers take negative ones, which wrap."""
    d = dtypes.of(numpy_dtype)
    if d is dtypes.bool_:
        return -math.inf, math.inf
    info = dtypes.finfo(d) if d.is_floating_point else dtypes.iinfo(d)
    return (info.min if d.is_signed else -info.max), info.max


def fitting(array, number):
    """A Python number as a 0-d array of ``array``'s dtype and device. Raises ``RuntimeError`` where the dtype cannot
    hold it.
    """
    check_fits(array.dtype, number)
    return scalar_like(array, number)


def check_fits(dtype, number):
    """Raises ``RuntimeError`` where a NumPy dtype cannot hold a Python number."""
    if isinstance(number, complex):
        raise RuntimeError(
            f"value cannot be converted to type {dtypes.of(dtype).name} without overflow: it is {number}."
        )
    low, high = _limits(dtype)
    if number.__class__ is float:
        special = dtypes.is_floating(dtype) and not math.isfinite(number)
        low = 0 if dtype.kind == "u" else low
    else:
        special = False
    if not (special or low <= number <= high or dtype == dtypes.BOOL):
        raise RuntimeError(
            f"value cannot be converted to type {dtypes.of(dtype).name} without overflow: it is {number}. "
            "Hint: use a wider dtype, or limit the value first."
        )


def floating(input):
    """The array itself, or, for integers and bool, in the default dtype."""
    return input if dtypes.is_floating(input.dtype) else input.astype(dtypes.get_default())


def require_floating(input, kernel):
    """Raises PyTorch's ``NotImplementedError`` for integers and bool; its text begins with ``kernel``."""
    if not dtypes.is_floating(input.dtype):
        raise NotImplementedError(
            f"\"{kernel}\" not implemented for '{dtypes.scalar_name(input.dtype)}'. "
            "Hint: convert the input with .float()."
        )


def refuse_bool(array, name):
    """Raises ``NotImplementedError`` where an array is of bool, as PyTorch's kernels without a bool form do."""
    if array.dtype is dtypes.BOOL:
        raise NotImplementedError(
            f"\"{name}\" not implemented for 'Bool'. Hint: convert the mask first, with .int()."
        )


def broadcast_error(input, other):
    """PyTorch's error for arrays whose shapes do not broadcast, or None."""
    return shapes_error(input.shape, other.shape)


def shapes_error(a, b):
    """PyTorch's error for two shapes that do not broadcast, or None."""
    for i in range(1, min(len(a), len(b)) + 1):
        if a[-i] != b[-i] and 1 not in (a[-i], b[-i]):
            dim = max(len(a), len(b)) - i
            return RuntimeError(
                f"The size of tensor a ({a[-i]}) must match the size of tensor b ({b[-i]}) at "
                f"non-singleton dimension {dim}. "
                f"Shapes were {list(a)} and {list(b)}."
            )
    return None


def common_shape(*shapes):
    """The shape to which all broadcast. Raises PyTorch's error for the first one that does not fit those before."""
    found = ()
    for shape in shapes:
        refused = shapes_error(found, shape)
        if refused is not None:
            raise refused
        found = np.broadcast_shapes(found, shape)
    return found


def broadcast_refused(shapes):
    """PyTorch's error for the first size, from the last dimension on, that does not fit those before it."""
    ndim = max(map(len, shapes))
    wide = [1] * ndim
    for i, shape in enumerate(shapes):
        for d in range(-1, -len(shape) - 1, -1):
            if shape[d] not in (1, wide[d]) and wide[d] != 1:
                return RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[d]} at {d}! Mismatching argument at index "
                    f"{i} had {tuple(shape)}; but expected shape should be broadcastable to {wide}"
                )
            wide[d] = wide[d] if shape[d] == 1 else shape[d]
    return None


def checked(call, input, other):
    """``call(input, other)``, with PyTorch's error where the shapes do not broadcast."""
    try:
        return call(input, other)
    except (ValueError, RuntimeError):
        if backends.is_array(input) and backends.is_array(other):
            error = broadcast_error(input, other)
            if error is not None:
                raise error from None
        raise


def wrap_dim(dim, ndim):
    """A dimension counted from the front. Raises ``IndexError`` out of range; a 0-d tensor has dimensions 0 and -1."""
    size = ndim or 1
    if dim.__class__ is not int:
        dim = as_index(dim, "dim")
    if not -size <= dim < size:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-size}, {size - 1}], but got {dim})"
        )
    return dim + size if dim < 0 else dim


def as_index(value, name):
    """An integer argument. Raises ``TypeError`` for what is none."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"argument '{name}' must be int, not {value.__class__.__name__}")
    return value.__index__()


def wrap_dims(dim, ndim):
    """``dim`` (None, an int or several) as a tuple of dimensions counted from the front; None and () mean all."""
    if dim is None:
        return tuple(range(ndim))
    if dim.__class__ is int:
        return (wrap_dim(dim, ndim),) if ndim else _no_dims(dim)
    if not isinstance(dim, (tuple, list)):
        return (wrap_dim(dim, ndim),) if ndim else _no_dims(dim)
    if not dim:
        return tuple(range(ndim))
    wrapped = tuple(wrap_dim(d, ndim) for d in dim)
    for i, d in enumerate(wrapped):
        if d in wrapped[:i]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return wrapped if ndim else ()


def _no_dims(dim):
    wrap_dim(dim, 0)
    return ()
