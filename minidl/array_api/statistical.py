"""Statistical functions of the standard."""

import minidl
from minidl.array_api.operands import all_axes, as_array, joined, with_ones

__all__ = ["cumulative_prod", "cumulative_sum", "max", "mean", "min", "prod", "std", "sum", "var"]


def _accumulated(x, dtype):
    """The dtype of a sum or a product: integers in 64 bits, floats as they are."""
    own = as_array(x).dtype
    if dtype is not None:
        return dtype
    if own.is_floating_point:
        return own
    return minidl.int64 if own.is_signed or own is minidl.bool else minidl.uint64


def _floats(x):
    return as_array(x) if x.is_floating_point() else x.to(minidl.get_default_dtype())


def sum(x, /, *, axis=None, dtype=None, keepdims=False):
    """Sum over axes, or all of them; integers are summed in 64 bits unless ``dtype`` says otherwise."""
    dtype, axes = _accumulated(x, dtype), all_axes(axis, x.ndim)
    return minidl.sum(x, axes, keepdims, dtype=dtype) if axes else x.to(dtype, copy=True)


def prod(x, /, *, axis=None, dtype=None, keepdims=False):
    """Product over axes, or all of them; integers are multiplied in 64 bits unless ``dtype`` says otherwise."""
    dtype, axes = _accumulated(x, dtype), all_axes(axis, x.ndim)
    if not axes:
        return x.to(dtype, copy=True)
    out = minidl.prod(joined(x, axes), -1, dtype=dtype)
    return with_ones(out, axes, x.ndim) if keepdims else out


def _cumulative(scan, beginning, x, axis, dtype, include_initial):
    dtype = _accumulated(x, dtype)
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"axis must be given for an array of {x.ndim} dimensions")
        axis = 0
    (axis,) = all_axes(axis, x.ndim)
    out = scan(x, axis, dtype=dtype)
    if include_initial:
        shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
        out = minidl.cat([minidl.full(shape, beginning, dtype=dtype, device=x.device), out], axis)
    return out


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    """Sums of the elements so far along an axis; ``include_initial`` begins them with the empty sum, 0.

    >>> from minidl import array_api as xp
    >>> xp.cumulative_sum(xp.asarray([1, 2, 3]), include_initial=True)
    tensor([0, 1, 3, 6])
    """
    return _cumulative(minidl.cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    """Products of the elements so far along an axis; ``include_initial`` begins them with the empty product, 1."""
    return _cumulative(minidl.cumprod, 1, x, axis, dtype, include_initial)


def max(x, /, *, axis=None, keepdims=False):
    """The largest element over axes, or all of them; NaN where there is one."""
    axes = all_axes(axis, as_array(x).ndim)
    return minidl.amax(x, axes, keepdims) if axes else x.clone()


def min(x, /, *, axis=None, keepdims=False):
    """The smallest element over axes, or all of them; NaN where there is one."""
    axes = all_axes(axis, as_array(x).ndim)
    return minidl.amin(x, axes, keepdims) if axes else x.clone()


def mean(x, /, *, axis=None, keepdims=False):
    """Mean over axes, or all of them; of integers in the default float dtype."""
    axes = all_axes(axis, as_array(x).ndim)
    return minidl.mean(_floats(x), axes, keepdims) if axes else _floats(x).clone()


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    """Sum of squared distances from the mean over axes, by N - ``correction``; NaN where that is not positive.

    >>> from minidl import array_api as xp
    >>> xp.var(xp.asarray([1.0, 3.0])), xp.var(xp.asarray([1.0, 3.0]), correction=1)
    (tensor(1.), tensor(2.))
    """
    x, axes = _floats(x), all_axes(axis, x.ndim)
    count = 1
    for a in axes:
        count *= x.shape[a]
    distance = x - (minidl.mean(x, axes, True) if axes else x)
    squares = distance * distance
    total = minidl.sum(squares, axes, keepdims) if axes else squares
    return total / (count - correction) if count > correction else total * minidl.nan


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    """Square root of ``var``."""
    return minidl.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))
