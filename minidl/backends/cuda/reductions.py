"""Reductions over any dimensions, and the places of extremes. The order of the terms is fixed."""

from minidl.backends.device_calls import reduced

_SUMMED = frozenset("feEdlq")  # l and q: int64
_FLOATS = frozenset("feEd")
_COMPARED = frozenset("feEdlqiB?")
_TRUTHS = _COMPARED | {"b"}


def sum(xp, ext, input, dims, keepdim):
    if input.dtype.char not in _SUMMED:
        return NotImplemented
    return reduced(xp, ext, ext.sum, input, dims, keepdim, input.dtype)


def sum_squares(xp, ext, input, dims, keepdim):
    if input.dtype.char not in _FLOATS:
        return NotImplemented
    return reduced(xp, ext, ext.sum_squares, input, dims, keepdim, input.dtype)


def prod(xp, ext, input, dims, keepdim):
    if input.dtype.char not in _SUMMED:
        return NotImplemented
    return reduced(xp, ext, ext.prod, input, dims, keepdim, input.dtype)


def logsumexp(xp, ext, input, dims, keepdim):
    if input.dtype.char not in _FLOATS:
        return NotImplemented
    return reduced(xp, ext, ext.logsumexp, input, dims, keepdim, input.dtype)


def amax(xp, ext, input, dims, keepdim):
    if input.dtype.char not in _COMPARED or not input.size:
        return NotImplemented
    return reduced(xp, ext, ext.amax, input, dims, keepdim, input.dtype)


def amin(xp, ext, input, dims, keepdim):
    if input.dtype.char not in _COMPARED or not input.size:
        return NotImplemented
    return reduced(xp, ext, ext.amin, input, dims, keepdim, input.dtype)


def argmax(xp, ext, input, dim, keepdim):
    if input.dtype.char not in _COMPARED or not input.size:
        return NotImplemented
    return reduced(xp, ext, ext.argmax, input, (dim,), keepdim, "int64")


def argmin(xp, ext, input, dim, keepdim):
    if input.dtype.char not in _COMPARED or not input.size:
        return NotImplemented
    return reduced(xp, ext, ext.argmin, input, (dim,), keepdim, "int64")


def all(xp, ext, input, dims, keepdim):
    if input.dtype.char not in _TRUTHS:
        return NotImplemented
    return reduced(xp, ext, ext.all, input, dims, keepdim, "bool")


def any(xp, ext, input, dims, keepdim):
    if input.dtype.char not in _TRUTHS:
        return NotImplemented
    return reduced(xp, ext, ext.any, input, dims, keepdim, "bool")


def count_nonzero(xp, ext, input, dims):
    if input.dtype.char not in _TRUTHS:
        return NotImplemented
    return reduced(xp, ext, ext.count_nonzero, input, dims, False, "int64")
