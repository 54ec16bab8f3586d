"""Reading, writing and adding at indices. A bad index is noted by the kernel that meets it, which passes it over."""

import math

from minidl.backends import faults
from minidl.backends.device_calls import add_at, index_array, stream, view
from minidl.backends.reference import indexing as plain_indexing
from minidl.backends.reference import shapes as plain_shapes

_INDEX = 1  # kind of fault (csrc/cuda/fault.h)
_MOST_AXES = 4
_FULL = slice(None)


def defers_index_errors(xp, ext):
    return True


def take_along(xp, ext, input, dim, index):
    out = xp.empty(index.shape, input.dtype)
    if not index.size:
        return out
    if not input.size:
        return NotImplemented
    index = index_array(index)
    ext.gather(*_along(input, dim, index), view(out), _rules(xp, wrap=False), stream(xp))
    return out


def put_along(xp, ext, input, dim, index, source):
    out = input.copy()
    if not index.size:
        return out
    if not out.size:
        return NotImplemented
    index = index_array(index)
    source, owners = _fitting(xp, source, out, index.shape), xp.zeros((out.size,), "int32")
    arrays = view(source), view(owners)
    ext.index_write(*_along(out, dim, index), *arrays, _rules(xp, wrap=False), stream(xp))
    return out


def add_along(xp, ext, input, dim, index, source):
    if input.dtype.char == "?":
        return NotImplemented
    out = input.copy()
    if not index.size:
        return out
    if not out.size:
        return NotImplemented
    index = index_array(index)
    source = _fitting(xp, source, out, index.shape)
    add_at(xp, ext, out, *_along(out, dim, index), view(source), _rules(xp, wrap=False))
    return out


def getitem(xp, ext, input, index):
    if not _holds_arrays(index):
        return plain_shapes.getitem(xp, input, index)
    return pick(xp, ext, input, index)


def pick(xp, ext, input, index):
    index = _for_kernels(index)
    parsed = _parsed(input, index)
    if parsed is None:
        return NotImplemented
    source, axes = parsed
    out = xp.empty(source[2], input.dtype)
    if not out.size:
        return out
    if not input.size:
        return NotImplemented
    ext.gather(source, axes, view(out), _rules(xp, wrap=True), stream(xp))
    return out


def setitem(xp, ext, target, index, source):
    if not _holds_arrays(index):
        plain_indexing.setitem(xp, target, index, source)
        return None
    index = _for_kernels(index)
    parsed = _parsed(target, index)
    if parsed is None or min(target.strides, default=0) < 0 or not target.size:
        return NotImplemented
    to, axes = parsed
    if not math.prod(to[2]):
        return None
    reach = 1 + sum((n - 1) * step for n, step in zip(target.shape, target.strides, strict=True))
    owners = xp.zeros((reach // target.itemsize + 1,), "int32")
    source = _fitting(xp, source, target, to[2])
    ext.index_write(to, axes, view(source), view(owners), _rules(xp, wrap=True), stream(xp))
    return None


def index_add(xp, ext, g, index, shape, strides=None):
    if not _holds_arrays(index) or g.dtype.char == "?":
        return NotImplemented
    out = xp.zeros(shape, g.dtype)
    index = _for_kernels(index)
    parsed = _parsed(out, index)
    if parsed is None:
        return NotImplemented
    to, axes = parsed
    if not math.prod(to[2]):
        return out
    if not out.size:
        return NotImplemented
    source = _fitting(xp, g, out, to[2])
    add_at(xp, ext, out, to, axes, view(source), _rules(xp, wrap=True))
    return out


def _rules(xp, wrap):
    return wrap, _INDEX, faults.record(xp), None


def _along(array, dim, index):
    """``array`` with the shape of an index along ``dim``, and the one indexed axis."""
    steps = array.strides
    at = array.data.ptr, array.dtype.char, index.shape, (*steps[:dim], 0, *steps[dim + 1 :])
    return at, [(view(index), array.shape[dim], steps[dim] // array.itemsize, dim)]


def _fitting(xp, source, target, shape):
    """``source``, a number or an array, in the dtype of ``target`` and of ``shape``."""
    if not hasattr(source, "dtype"):
        source = xp.full((), source, target.dtype)
    elif source.dtype != target.dtype:
        source = source.astype(target.dtype)
    return source if source.shape == shape else xp.broadcast_to(source, shape)


def _holds_arrays(index):
    parts = index if index.__class__ is tuple else (index,)
    return any(hasattr(part, "dtype") for part in parts)


def _for_kernels(index):
    """The parts of an index, integers in a dtype that the kernels read."""
    parts = index if index.__class__ is tuple else (index,)
    return [
        index_array(part) if hasattr(part, "dtype") and part.dtype.kind in "iu" else part for part in parts
    ]


def _parsed(array, parts):
    """``array`` with the shape of ``array[index]``, and its indexed axes; None for what the kernels do not serve.

    They serve whole slices and arrays of integers. These broadcast together, to dimensions that stand where the arrays
    do, or in front where slices part them.
    """
    if len(parts) > array.ndim:
        return None
    picks = [d for d, part in enumerate(parts) if hasattr(part, "dtype")]
    if len(picks) > _MOST_AXES or any(parts[d].dtype.kind not in "iu" for d in picks):
        return None
    if any(part.__class__ is not slice or part != _FULL for d, part in enumerate(parts) if d not in picks):
        return None
    joint = _broadcast([parts[d].shape for d in picks])
    first = picks[0] if picks[-1] - picks[0] == len(picks) - 1 else 0
    kept = [d for d in range(array.ndim) if d not in picks]
    before, after = kept[:first], kept[first:]
    shape = *(array.shape[d] for d in before), *joint, *(array.shape[d] for d in after)
    steps = *(array.strides[d] for d in before), *(0,) * len(joint), *(array.strides[d] for d in after)
    axes = []
    for d in picks:
        pick = parts[d]
        ones, zeros = (1,) * len(after), (0,) * len(after)
        lying = pick.data.ptr, pick.dtype.char, (*pick.shape, *ones), (*pick.strides, *zeros)
        axes.append((lying, array.shape[d], array.strides[d] // array.itemsize, d))
    return (array.data.ptr, array.dtype.char, shape, steps), axes


def _broadcast(shapes):
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return [0 if 0 in sizes else max(sizes) for sizes in zip(*padded, strict=True)]
