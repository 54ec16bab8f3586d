"""Layer and RMS norm: rows by their own statistics."""

import math

from minidl.backends.device_calls import stream, view

_FLOATS = frozenset("feEd")


def layer_norm(xp, ext, input, rank, weight, bias, eps):
    return _rows_forward(xp, ext, input, rank, weight, bias, eps, True)


def layer_norm_backward(xp, ext, grad, input, weight, mean, inv_std, rank, needs):
    return _rows_backward(xp, ext, grad, input, weight, mean, inv_std, rank, needs)


def rms_norm(xp, ext, input, rank, weight, eps):
    return _rows_forward(xp, ext, input, rank, weight, None, eps, False)


def rms_norm_backward(xp, ext, grad, input, weight, inv_rms, rank, needs):
    found = _rows_backward(xp, ext, grad, input, weight, None, inv_rms, rank, (*needs, False))
    return found if found is NotImplemented else found[:2]


def _rows_forward(xp, ext, input, rank, weight, bias, eps, centered):
    if not _served(input, weight, bias):
        return NotImplemented
    shape, dtype, exact = input.shape, input.dtype, _statistics(input)
    x, out = _dense(xp, input), xp.empty(shape, dtype)
    kept = (*shape[: len(shape) - rank], *(1,) * rank)
    mean = xp.empty(kept, exact) if centered else None
    inv_std = xp.empty(kept, exact)
    rows = _rows(shape, rank)
    vectors = _flat(xp, weight), _flat(xp, bias)
    statistics = _vector(mean, rows[0]), _vector(inv_std, rows[0])
    ext.norm_rows(_matrix(x, rows), *map(view, vectors), eps, _matrix(out, rows), *statistics, stream(xp))
    return (out, mean, inv_std) if centered else (out, inv_std)


def _rows_backward(xp, ext, grad, input, weight, mean, inv_std, rank, needs):
    if not _served(input, weight) or grad.dtype != input.dtype:
        return NotImplemented
    shape, dtype, exact = input.shape, input.dtype, _statistics(input)
    if inv_std.dtype != exact or not inv_std.flags.c_contiguous:
        return NotImplemented
    g, x = _dense(xp, grad), _dense(xp, input)
    rows, inner = _rows(shape, rank), shape[len(shape) - rank :]
    dx = xp.empty(shape, dtype) if needs[0] else None
    dweight = xp.empty(inner, weight.dtype) if needs[1] else None
    dbias = xp.empty(inner, exact) if needs[2] else None
    count = ext.norm_rows_workspace(*rows, needs[1] or needs[2])
    partial = xp.empty((count,), exact) if count or needs[1] or needs[2] else None
    flat = _flat(xp, weight)
    outputs = _matrix(dx, rows), _vector(dweight, rows[1]), _vector(dbias, rows[1]), view(partial)
    statistics = _vector(mean, rows[0]), _vector(inv_std, rows[0])
    ext.norm_rows_backward(_matrix(g, rows), _matrix(x, rows), view(flat), *statistics, *outputs, stream(xp))
    return dx, dweight, dbias


def _served(input, *vectors):
    """Whether the kernels take the input, with vectors in its dtype or in that of the statistics."""
    dtype = input.dtype
    if dtype.char not in _FLOATS:
        return False
    exact = _statistics(input)
    return all(v is None or v.dtype == dtype or v.dtype == exact for v in vectors)


def _statistics(input):
    return "float64" if input.dtype.char == "d" else "float32"


def _dense(xp, array):
    return array if array.flags.c_contiguous else xp.ascontiguousarray(array)


def _flat(xp, vector):
    return None if vector is None else _dense(xp, vector).reshape(-1)


def _rows(shape, rank):
    """Rows and their length."""
    cut = len(shape) - rank
    return math.prod(shape[:cut]), math.prod(shape[cut:])


def _matrix(array, rows):
    """A dense array as the kernels take a matrix."""
    if array is None:
        return None
    size = array.dtype.itemsize
    return array.data.ptr, array.dtype.char, rows, (rows[1] * size, size)


def _vector(array, length):
    return None if array is None else (array.data.ptr, array.dtype.char, (length,), (array.dtype.itemsize,))
