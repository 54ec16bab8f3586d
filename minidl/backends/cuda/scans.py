"""Scans along a dimension: running sums, products, extremes with their places, and sums of exponentials."""

from minidl.backends.device_calls import stream, view

_SUMMED = frozenset("feEdlq")  # l and q: int64
_FLOATS = frozenset("feEd")
_COMPARED = frozenset("feEdlqiB?")
_SMALLEST_SPLIT = 128  # elements: below it no row is cut into parts


def _scanned(xp, ext, function, input, dim, with_places=False):
    out = xp.empty(input.shape, input.dtype)
    places = xp.empty(input.shape, "int64") if with_places else None
    source, workspace = view(input), None
    if input.size >= _SMALLEST_SPLIT:
        count = ext.scan_workspace(source, dim)
        workspace = xp.empty((count,), "float64") if count else None
    function(source, dim, view(out), view(places), view(workspace), stream(xp))
    return (out, places) if with_places else out


def cumsum(xp, ext, input, dim):
    return _scanned(xp, ext, ext.cumsum, input, dim) if input.dtype.char in _SUMMED else NotImplemented


def cumprod(xp, ext, input, dim):
    return _scanned(xp, ext, ext.cumprod, input, dim) if input.dtype.char in _SUMMED else NotImplemented


def logcumsumexp(xp, ext, input, dim):
    if input.dtype.char not in _FLOATS:
        return NotImplemented
    return _scanned(xp, ext, ext.logcumsumexp, input, dim)


def cummax(xp, ext, input, dim):
    if input.dtype.char not in _COMPARED:
        return NotImplemented
    return _scanned(xp, ext, ext.cummax, input, dim, with_places=True)


def cummin(xp, ext, input, dim):
    if input.dtype.char not in _COMPARED:
        return NotImplemented
    return _scanned(xp, ext, ext.cummin, input, dim, with_places=True)
