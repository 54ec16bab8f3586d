"""The device ``meta``: arrays with a shape, a dtype and strides, and no values.

Their memory is asked for and never touched, so the operating system gives none. Results have the shape and dtype that
the reference computes from zeros, which takes its time and its memory while it runs; what only makes or fills an array
computes nothing.
"""

import functools
import math
import mmap
import sys

import numpy as np

from minidl.backends.namespace import Backend

NO_DATA = "Cannot copy out of meta tensor; no data!"
_MAKING = {
    *("empty", "zeros", "full"),
    *("philox_bits", "philox_uniform", "philox_normal", "philox_exponential", "philox_randint"),
}
_FILLING = {"stretch_uniform", "truncated_normal", "scale_and_shift", "orthonormal_columns"}
_READING = {"nonzero", "unique", "unique_rows", "unique_consecutive_rows", "bincount", "all_within"}
_NO_RESERVE = 0x4000  # Linux's MAP_NORESERVE, which the module mmap names from Python 3.13 on
_LARGE = 1 << 28  # bytes; from here on memory is mapped, since an allocator looks at how much there is


class MetaArray(np.ndarray):
    """An array without values."""


def made(shape, dtype):
    """An array of a shape and a dtype."""
    bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if bytes < _LARGE or not sys.platform.startswith("linux"):
        return np.zeros(shape, dtype).view(MetaArray)  # calloc: pages that nobody writes do not exist
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
    return np.frombuffer(mmap.mmap(-1, bytes, flags=flags), dtype).reshape(shape).view(MetaArray)


def like(array):
    """An array as another one, with its strides where it has no gaps."""
    order = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
    dense = made(tuple(array.shape[axis] for axis in order), array.dtype)
    return dense.transpose(np.argsort(order)) if array.ndim else dense


def _without_values(value, inputs):
    if isinstance(value, (tuple, list)) and value.__class__ in (tuple, list):
        return value.__class__(_without_values(each, inputs) for each in value)
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if not isinstance(value, np.ndarray):
        return value
    if any(value is given for given in inputs):
        return value
    if value.__class__ is MetaArray and any(np.may_share_memory(value, given) for given in inputs):
        return value
    return like(value)


def _depends(name, arguments):
    """Whether the size of a result depends on values: what a mask takes, what is repeated by counts in an array."""
    if name in _READING:
        return True
    indexes = name in ("getitem", "pick")
    parts = arguments[1] if indexes and arguments[1].__class__ is tuple else arguments[1:2]
    arrays = [p for p in parts if isinstance(p, np.ndarray)]
    return any(name == "repeat_interleave" or (indexes and a.dtype == bool) for a in arrays)


def _function(name, compute):
    @functools.wraps(compute)
    def call(*args, **kwargs):
        if name in _MAKING:
            dtype = next(
                a for a in (*args[1:], *kwargs.values()) if isinstance(a, np.dtype) or a.__class__ is type
            )
            return made(args[0], dtype)
        if name in _FILLING:
            return like(args[0])
        if _depends(name, args):
            raise NotImplementedError(
                f"{name}: its result depends on values, which tensors on device meta do not have"
            )
        inputs = [a for a in args if isinstance(a, np.ndarray)]
        return _without_values(compute(*args, **kwargs), inputs)

    return call


def namespace():
    """The namespace of arrays without values."""
    space = Backend("meta", np, "minidl.backends.reference")
    for name, compute in list(vars(space).items()):
        if callable(compute) and name not in ("xp",):
            setattr(space, name, _function(name, compute))
    space.assign = lambda target, value: None
    space.address = lambda array: 0
    return space


def transferred(array, target_is_meta):
    """A copy between meta and another device. Raises ``NotImplementedError`` out of meta."""
    if not target_is_meta:
        raise NotImplementedError(
            f"{NO_DATA} Hint: make the tensor anew there, a module by to_empty(device=...)."
        )
    return like(array)
