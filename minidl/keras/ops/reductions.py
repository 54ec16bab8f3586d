"""Sums, means, extremes and the like over ``axis``: None, an int, or several."""

import minidl
from minidl.keras.ops.operation import both, floating, operation, tensor


def _axes(x, axis):
    if axis is None:
        return tuple(range(x.ndim))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _flat(x, axis):
    """x with the given axes as one, the last; and the sizes of the result with and without them."""
    axes = [a % (x.ndim or 1) for a in _axes(x, axis)]
    rest = [a for a in range(x.ndim) if a not in axes]
    kept = tuple(1 if a in axes else x.shape[a] for a in range(x.ndim))
    return x.permute(*rest, *axes).reshape(*[x.shape[a] for a in rest], -1), kept


def _whole(x):
    """Truth values as int32."""
    return x.int() if x.dtype.name == "bool" else x


def _back(result, x):
    """The sum of whole numbers in their own dtype, as Keras keeps it."""
    return result if x.is_floating_point() else result.to(x.dtype)


@operation
def sum(x, axis=None, keepdims=False):
    """The sum over ``axis``; of truth values their number, int32.

    >>> from minidl.keras import ops
    >>> ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    tensor([4., 6.])
    """
    x = _whole(tensor(x))
    return _back(minidl.sum(x, _axes(x, axis), keepdims), x)


@operation
def mean(x, axis=None, keepdims=False):
    """The mean over ``axis``, a floating-point number."""
    x = floating(x)
    return minidl.mean(x, _axes(x, axis), keepdims)


@operation
def var(x, axis=None, keepdims=False):
    """The mean square distance from the mean over ``axis``."""
    x = floating(x)
    return minidl.var(x, _axes(x, axis), correction=0, keepdim=keepdims)


@operation
def std(x, axis=None, keepdims=False):
    """The square root of the variance over ``axis``."""
    x = floating(x)
    return minidl.std(x, _axes(x, axis), correction=0, keepdim=keepdims)


@operation
def prod(x, axis=None, keepdims=False, dtype=None):
    """The product over ``axis``."""
    x = _whole(tensor(x, dtype))
    flat, kept = _flat(x, axis)
    found = _back(minidl.prod(flat, -1), x)
    return found.reshape(kept) if keepdims else found


@operation
def max(x, axis=None, keepdims=False, initial=None):
    """The largest over ``axis``, and of ``initial`` where it is given."""
    x = tensor(x)
    found = minidl.amax(x, _axes(x, axis), keepdims)
    return found if initial is None else minidl.maximum(*both(found, initial))


@operation
def min(x, axis=None, keepdims=False, initial=None):
    """The smallest over ``axis``, and of ``initial`` where it is given."""
    x = tensor(x)
    found = minidl.amin(x, _axes(x, axis), keepdims)
    return found if initial is None else minidl.minimum(*both(found, initial))


@operation
def amax(x, axis=None, keepdims=False):
    """The largest over ``axis``."""
    x = tensor(x)
    return minidl.amax(x, _axes(x, axis), keepdims)


@operation
def amin(x, axis=None, keepdims=False):
    """The smallest over ``axis``."""
    x = tensor(x)
    return minidl.amin(x, _axes(x, axis), keepdims)


@operation
def ptp(x, axis=None, keepdims=False):
    """The largest less the smallest."""
    x = tensor(x)
    return minidl.amax(x, _axes(x, axis), keepdims) - minidl.amin(x, _axes(x, axis), keepdims)


@operation
def all(x, axis=None, keepdims=False):
    """Whether all are true."""
    x = tensor(x).bool()
    return minidl.amin(x, _axes(x, axis), keepdims)


@operation
def any(x, axis=None, keepdims=False):
    """Whether one is true."""
    x = tensor(x).bool()
    return minidl.amax(x, _axes(x, axis), keepdims)


@operation
def argmax(x, axis=None, keepdims=False):
    """The place of the largest along ``axis``, int32; of all, counted through, where that is None."""
    return minidl.argmax(_whole(tensor(x)), axis, keepdims).int()


@operation
def argmin(x, axis=None, keepdims=False):
    """The place of the smallest along ``axis``, int32."""
    return minidl.argmin(_whole(tensor(x)), axis, keepdims).int()


@operation
def count_nonzero(x, axis=None):
    """How many are not 0, int32."""
    x = tensor(x)
    return minidl.sum(x != 0, _axes(x, axis)).int()


@operation
def logsumexp(x, axis=None, keepdims=False):
    """log(sum(e^x)) over ``axis``."""
    x = floating(x)
    return minidl.logsumexp(x, _axes(x, axis), keepdims)


def _quantiles(compute, x, q, axis, method, keepdims):
    x = floating(x)
    flat, kept = _flat(x, axis)
    q = tensor(q).to(x.dtype)
    found = compute(flat, q, -1, interpolation=method)
    return found.reshape(*q.shape, *kept) if keepdims else found


@operation
def quantile(x, q, axis=None, method="linear", keepdims=False):
    """The ``q`` quantiles over ``axis``; a list of q's comes first in the result."""
    return _quantiles(minidl.quantile, x, q, axis, method, keepdims)


@operation
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """``quantile`` with q in percent."""
    x = floating(x)
    flat, kept = _flat(x, axis)
    q = tensor(q).to(x.dtype) / 100
    found = minidl.quantile(flat, q, -1, interpolation=method)
    return found.reshape(*q.shape, *kept) if keepdims else found


@operation
def median(x, axis=None, keepdims=False):
    """The middle value over ``axis``, the mean of the two middle ones where their number is even."""
    x = floating(x)
    flat, kept = _flat(x, axis)
    found = minidl.quantile(flat, 0.5, -1)
    return found.reshape(kept) if keepdims else found


@operation
def average(x, axis=None, weights=None):
    """The mean over ``axis``, weighted where ``weights`` are given."""
    x = floating(x)
    if weights is None:
        return minidl.mean(x, _axes(x, axis))
    weights = tensor(weights).to(x.dtype)
    if weights.shape != x.shape and axis is not None:
        sizes = [1] * x.ndim
        sizes[axis] = weights.numel()
        weights = weights.reshape(sizes)
    axes = _axes(x, axis)
    return (x * weights).sum(axes) / weights.expand(x.shape).sum(axes)


@operation
def cumsum(x, axis=None, dtype=None):
    """The sums up to each along ``axis``; of all, counted through, where that is None."""
    x = _whole(tensor(x, dtype))
    return _back(minidl.cumsum(x.reshape(-1) if axis is None else x, axis or 0), x)


@operation
def cumprod(x, axis=None, dtype=None):
    """The products up to each along ``axis``."""
    x = _whole(tensor(x, dtype))
    return _back(minidl.cumprod(x.reshape(-1) if axis is None else x, axis or 0), x)


def _ignoring(name, fill, reduce, text):
    def body(x, axis=None, keepdims=False):
        x = floating(x)
        gone = minidl.isnan(x)
        return reduce(minidl.where(gone, x.new_full((), fill), x), gone, _axes(x, axis), keepdims)

    body.__name__, body.__doc__ = name, text
    return operation(body)


def _mean_of(x, gone, axes, keepdims):
    return x.sum(axes, keepdims) / (~gone).sum(axes, keepdims)


def _var_of(x, gone, axes, keepdims):
    away = (x - _mean_of(x, gone, axes, True)).square()
    return _mean_of(minidl.where(gone, away.new_zeros(()), away), gone, axes, keepdims)


nansum = _ignoring("nansum", 0.0, lambda x, gone, axes, keep: x.sum(axes, keep), "``sum`` without the NaNs.")
nanmean = _ignoring("nanmean", 0.0, _mean_of, "``mean`` without the NaNs.")
nanvar = _ignoring("nanvar", 0.0, _var_of, "``var`` without the NaNs.")
nanstd = _ignoring("nanstd", 0.0, lambda *a: _var_of(*a).sqrt(), "``std`` without the NaNs.")
nanmax = _ignoring(
    "nanmax", float("-inf"), lambda x, _, a, k: minidl.amax(x, a, k), "``max`` without the NaNs."
)
nanmin = _ignoring(
    "nanmin", float("inf"), lambda x, _, a, k: minidl.amin(x, a, k), "``min`` without the NaNs."
)


@operation
def nanprod(x, axis=None, keepdims=False):
    """``prod`` without the NaNs."""
    return prod(_filled(tensor(x), 1.0), axis, keepdims)


@operation
def nancumsum(x, axis=None, dtype=None):
    """``cumsum`` with NaNs as 0."""
    x = _filled(tensor(x, dtype), 0.0)
    return cumsum(x, axis)


@operation
def nancumprod(x, axis=None, dtype=None):
    """``cumprod`` with NaNs as 1."""
    x = _filled(tensor(x, dtype), 1.0)
    return cumprod(x, axis)


def _filled(x, value):
    return minidl.where(minidl.isnan(x), x.new_full((), value), x) if x.is_floating_point() else x


@operation
def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """``quantile`` without the NaNs; NaN where there is nothing else."""
    return _quantiles(minidl.nanquantile, x, q, axis, method, keepdims)


@operation
def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """``nanquantile`` with q in percent."""
    return nanquantile(x, tensor(q).to(floating(x).dtype) / 100, axis, method, keepdims)


@operation
def nanmedian(x, axis=None, keepdims=False):
    """``median`` without the NaNs.

    >>> from minidl.keras import ops
    >>> float(ops.nanmedian([1.0, float("nan"), 4.0]))
    2.5
    """
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


def _place_without_nan(x, axis, keepdims, fill, find):
    x = floating(x)
    gone = minidl.isnan(x)
    found = find(minidl.where(gone, x.new_full((), fill), x), axis, keepdims)
    if axis is None:
        nothing = gone.all().reshape(found.shape)
    else:
        nothing = gone.all(axis, keepdims)
    return minidl.where(nothing, found * 0 - 1, found).int()


@operation
def nanargmax(x, axis=None, keepdims=False):
    """``argmax`` without the NaNs; -1 where there is nothing else."""
    return _place_without_nan(x, axis, keepdims, float("-inf"), minidl.argmax)


@operation
def nanargmin(x, axis=None, keepdims=False):
    """``argmin`` without the NaNs; -1 where there is nothing else."""
    return _place_without_nan(x, axis, keepdims, float("inf"), minidl.argmin)
