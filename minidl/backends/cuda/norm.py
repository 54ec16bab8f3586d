"""Norms: layer and RMS norm by the statistics of rows, batch and group norm by those of channels, in any layout."""

import math

from minidl.backends.device_calls import empty_alike, stream, view

_FLOATS = frozenset("feEd")
_BATCH = 0  # groups: the statistics are those of the whole batch


def batch_norm(xp, ext, input, weight, bias, eps):
    if not _served(input, weight, bias):
        return NotImplemented
    exact, channels = _statistics(input), (input.shape[1],)
    mean, variance, inv_std = (xp.empty(channels, exact) for _ in range(3))
    out = _by_statistics(xp, ext, input, _BATCH, weight, bias, eps, mean, variance, inv_std)
    return out, mean, variance, inv_std


def batch_norm_inference(xp, ext, input, weight, bias, mean, variance, eps):
    if not _served(input, weight, bias):
        return NotImplemented
    exact = _statistics(input)
    mean, variance = (_dense(xp, s.astype(exact, copy=False)) for s in (mean, variance))
    out, inv_std = empty_alike(xp, input), xp.empty(variance.shape, exact)
    at, vectors = stream(xp), (_flat(xp, weight), _flat(xp, bias))
    ext.norm_inverse(view(variance), eps, view(inv_std), at)
    ext.norm_apply(view(input), _BATCH, view(mean), view(inv_std), *map(view, vectors), view(out), at)
    return out, inv_std


def batch_norm_update(xp, ext, running_mean, running_var, mean, variance, momentum, count):
    if mean.dtype.char not in "fd" or variance.dtype != mean.dtype:
        return NotImplemented
    for running in (running_mean, running_var):
        if running is not None and (running.dtype.char not in _FLOATS or not running.flags.c_contiguous):
            return NotImplemented
    mean, variance = _dense(xp, mean), _dense(xp, variance)
    statistics = view(mean), view(variance)
    ext.norm_update(view(running_mean), view(running_var), *statistics, momentum, count, stream(xp))
    return None


def batch_norm_backward(xp, ext, grad, input, weight, mean, inv_std, training, needs):
    return _channels_backward(xp, ext, grad, input, _BATCH, weight, mean, inv_std, training, needs)


def group_norm(xp, ext, input, groups, weight, bias, eps):
    if not _served(input, weight, bias):
        return NotImplemented
    kept = input.shape[0], groups, 1
    mean, inv_std = (xp.empty(kept, _statistics(input)) for _ in range(2))
    out = _by_statistics(xp, ext, input, groups, weight, bias, eps, mean, None, inv_std)
    return out, mean, inv_std


def group_norm_backward(xp, ext, grad, input, weight, mean, inv_std, groups, needs):
    return _channels_backward(xp, ext, grad, input, groups, weight, mean, inv_std, True, needs)


def layer_norm(xp, ext, input, rank, weight, bias, eps):
    return _rows_forward(xp, ext, input, rank, weight, bias, eps, True)


def layer_norm_backward(xp, ext, grad, input, weight, mean, inv_std, rank, needs):
    return _rows_backward(xp, ext, grad, input, weight, mean, inv_std, rank, needs)


def rms_norm(xp, ext, input, rank, weight, eps):
    return _rows_forward(xp, ext, input, rank, weight, None, eps, False)


def rms_norm_backward(xp, ext, grad, input, weight, inv_rms, rank, needs):
    found = _rows_backward(xp, ext, grad, input, weight, None, inv_rms, rank, (*needs, False))
    return found if found is NotImplemented else found[:2]


def _by_statistics(xp, ext, input, groups, weight, bias, eps, mean, variance, inv_std):
    """The input normalised by its own statistics, which are written."""
    source, at, out = view(input), stream(xp), empty_alike(xp, input)
    partial = xp.empty((ext.norm_channels_workspace(source, groups),), mean.dtype)
    statistics, vectors = (view(mean), view(inv_std)), (_flat(xp, weight), _flat(xp, bias))
    ext.norm_statistics(source, groups, eps, statistics[0], view(variance), statistics[1], view(partial), at)
    ext.norm_apply(source, groups, *statistics, *map(view, vectors), view(out), at)
    return out


def _channels_backward(xp, ext, grad, input, groups, weight, mean, inv_std, vary, needs):
    dtype, exact = input.dtype, _statistics(input)
    if not _served(input, weight) or grad.dtype != dtype or mean.dtype != exact or inv_std.dtype != exact:
        return NotImplemented
    mean, inv_std, flat = _dense(xp, mean), _dense(xp, inv_std), _flat(xp, weight)
    dx = empty_alike(xp, input) if needs[0] else None
    dweight = xp.empty(weight.shape, weight.dtype) if needs[1] else None
    dbias = xp.empty((input.shape[1],), exact) if needs[2] else None
    source = view(input)
    partial = xp.empty((ext.norm_channels_workspace(source, groups),), exact)
    means = xp.empty((2 * mean.size,), exact)
    statistics, outputs = (view(mean), view(inv_std)), map(view, (dx, dweight, dbias, partial, means))
    ext.norm_channels_backward(
        view(grad), source, groups, view(flat), *statistics, vary, *outputs, stream(xp)
    )
    return dx, dweight, dbias


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
