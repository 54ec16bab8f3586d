"""Manipulation functions of the standard."""

import minidl
from minidl.array_api.operands import all_axes, as_array, together

__all__ = [
    *(
        "broadcast_arrays",
        "broadcast_to",
        "concat",
        "expand_dims",
        "flip",
        "moveaxis",
        "permute_dims",
        "repeat",
    ),
    *("reshape", "roll", "squeeze", "stack", "tile", "unstack"),
]


def broadcast_arrays(*arrays):
    """The arrays in their common shape, as a list."""
    return list(minidl.broadcast_tensors(*arrays)) if arrays else []


def broadcast_to(x, /, shape):
    """The array in a shape that it broadcasts to."""
    return minidl.broadcast_to(as_array(x), tuple(shape))


def concat(arrays, /, *, axis=0):
    """Arrays one behind the other along ``axis``; all of them flattened first where it is None."""
    arrays = together(*arrays)
    return minidl.cat(
        [a.reshape((-1,)) for a in arrays] if axis is None else arrays, 0 if axis is None else axis
    )


def stack(arrays, /, *, axis=0):
    """Arrays of one shape along a new axis."""
    return minidl.stack(together(*arrays), axis)


def unstack(x, /, *, axis=0):
    """The slices along an axis, as a tuple. Inverse of ``stack``."""
    return tuple(minidl.unbind(as_array(x), axis))


def expand_dims(x, /, axis):
    """The array with new axes of size 1 at ``axis``: an int, or several, counted in the result.

    Raises ``IndexError`` out of range, ``ValueError`` for one that is named twice.

    >>> from minidl import array_api as xp
    >>> xp.expand_dims(xp.ones(3), (0, -1)).shape
    torch.Size([1, 3, 1])
    """
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    for at in sorted(all_axes(axis, as_array(x).ndim + count)):
        x = x.unsqueeze(at)
    return x


def squeeze(x, /, axis):
    """The array without the axes of size 1 that ``axis`` names. Raises ``ValueError`` for one of another size."""
    axes = all_axes(axis, as_array(x).ndim)
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError(f"only axes of size 1 can be squeezed: axis is {axis}, the shape {tuple(x.shape)}")
    return minidl.squeeze(x, axes) if axes else x


def flip(x, /, *, axis=None):
    """The elements in reverse order along some axes, or all."""
    return minidl.flip(x, all_axes(axis, as_array(x).ndim))


def moveaxis(x, source, destination, /):
    """The array with axes moved to other places; the rest keep their order."""
    return minidl.movedim(as_array(x), source, destination)


def permute_dims(x, /, axes):
    """The array with its axes in another order."""
    return as_array(x).permute(tuple(axes))


def repeat(x, repeats, /, *, axis=None):
    """Every element ``repeats`` times in a row, along ``axis`` or, where it is None, of the flattened array."""
    return minidl.repeat_interleave(as_array(x), repeats, axis)


def reshape(x, /, shape, *, copy=None):
    """The array in another shape. ``copy``: True copies, None where it must, False raises ``ValueError`` there."""
    if copy:
        return as_array(x).clone().reshape(tuple(shape))
    if copy is False:
        try:
            return as_array(x).view(tuple(shape))
        except RuntimeError as error:
            raise ValueError(f"copy=False, but the shape needs a copy: {error}") from None
    return as_array(x).reshape(tuple(shape))


def roll(x, /, shift, *, axis=None):
    """The elements moved on by ``shift`` along axes; what falls off the end comes in at the beginning."""
    return minidl.roll(as_array(x), shift, axis)


def tile(x, repetitions, /):
    """The array so many times beside itself along each axis; the shorter of shape and repetitions is filled by 1."""
    return minidl.tile(as_array(x), tuple(repetitions))
