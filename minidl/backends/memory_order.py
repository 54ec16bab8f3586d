"""Orders of an array's elements in memory: which one it is in, and copies in another one."""

from itertools import pairwise
from types import NoneType

from minidl import backends
from minidl.layouts import channels_last, channels_last_3d, contiguous_format, preserve_format
from minidl.layouts import memory_format as memory_format_type

# Axes from the slowest to the fastest.
_ORDERS = {channels_last: (0, 2, 3, 1), channels_last_3d: (0, 2, 3, 4, 1)}


def _axes(memory_format):
    if not isinstance(memory_format, (memory_format_type, NoneType)):
        raise TypeError(
            f"argument 'memory_format' must be torch.memory_format, not {memory_format.__class__.__name__}"
        )
    return _ORDERS.get(memory_format)


def is_laid(array, memory_format):
    """Whether the elements lie in the order of a format without gaps; axes of one element may have any stride."""
    order = _axes(memory_format)
    if order is None:
        return bool(array.flags.c_contiguous)
    if array.ndim != len(order):
        return False
    expected = array.dtype.itemsize
    for axis in reversed(order):
        if array.shape[axis] != 1:
            if array.strides[axis] != expected:
                return False
            expected *= array.shape[axis]
    return True


def suggested(shape, strides):
    """The format that PyTorch gives the results of an array: channels-last where the strides say so beyond doubt."""
    for memory_format, order in _ORDERS.items():
        if len(shape) == len(order) and _says(shape, strides, order):
            return memory_format
    return contiguous_format


def _says(shape, strides, order):
    least = 0
    for axis in reversed(order):
        if (
            shape[axis] == 0
            or strides[axis] < least
            or strides[1] == 0
            or (axis == 0 and least == strides[1])
        ):
            return False
        least = strides[axis] * shape[axis]
    return True


def order_in(memory_format, ndim):
    """The axes from the slowest to the fastest in a format; None for row-major.

    Raises ``RuntimeError`` for a number of dimensions that the format is not for, ``TypeError`` for what is no format.
    """
    order = _axes(memory_format)
    if order is not None and ndim != len(order):
        raise RuntimeError(f"required rank {len(order)} tensor to use {str.__str__(memory_format)} format")
    return order


def order_of(array, memory_format):
    """``order_in`` a format; in that of an array for None and ``preserve_format``."""
    if memory_format is not None and memory_format != preserve_format:
        return order_in(memory_format, array.ndim)
    return None if array.flags.c_contiguous else order_by(array.shape, array.strides)


def order_by(sizes, strides):
    """The order that strides give, by insertion: an axis that is repeated (stride 0) stays beside its neighbour."""
    if all(slow >= fast > 0 for slow, fast in pairwise(strides)):
        return None
    order = list(range(len(sizes)))
    for i in range(1, len(order)):
        at = i
        for before in range(i - 1, -1, -1):
            slow, fast = order[before], order[at]
            if 0 in (strides[slow], strides[fast]):
                continue
            if abs(strides[slow]) < abs(strides[fast]) or (
                strides[slow] == strides[fast] and sizes[slow] < sizes[fast]
            ):
                order[before], order[at] = fast, slow
                at = before
            else:
                break
    return None if order == sorted(order) else tuple(order)


def in_order(array, order):
    """A copy of an array whose axes lie in ``order``, from the slowest to the fastest; None for row-major."""
    space = backends.of(array)
    if order is None:
        return space.copy(array)
    return put_back(space.copy(array.transpose(order)), order)


def copied(array):
    """A copy in the order of the array's own elements."""
    return in_order(array, order_of(array, None))


def made_in_order(make, shape, order):
    """``make(shape)``, an array of that shape with its axes in ``order``."""
    return make(shape) if order is None else put_back(make(tuple(shape[axis] for axis in order)), order)


def put_back(array, order):
    """An array whose axes were put in ``order``, with the axes where they were."""
    return array.transpose([order.index(axis) for axis in range(len(order))])


def joined(result, arrays, added=None):
    """What joins arrays, in the format that all of them suggest, else row-major; ``added`` is an axis that none had."""
    if all(array.flags.c_contiguous for array in arrays):
        return result
    formats = {suggested(array.shape, array.strides) for array in arrays}
    order = order_in(formats.pop(), arrays[0].ndim) if len(formats) == 1 and added != arrays[0].ndim else None
    if order is not None and added is not None:  # it lies before the axis whose place it took
        order = [axis + (axis >= added) for axis in order]
        order.insert(order.index(added + 1), added)
    return result if order is None and result.flags.c_contiguous else in_order(result, order)
