"""Writing by index with what meets at one place reduced, and copies with slices replaced."""

import numpy as np


def _places(xp, index, dim):
    grids = []
    for d, n in enumerate(index.shape):
        shape = [1] * index.ndim
        shape[d] = n
        grids.append(index if d == dim else xp.arange(n).reshape(shape))
    return tuple(grids)


_UFUNCS = {"sum": "add", "mean": "add", "amax": "maximum", "amin": "minimum"}
_START = {"sum": 0, "mean": 0, "prod": 1}


def _least(xp, dtype, largest):
    """The number that loses against every other one."""
    if dtype.kind == "b":
        return largest
    if dtype.kind in "iu":
        return xp.iinfo(dtype).max if largest else xp.iinfo(dtype).min
    return xp.inf if largest else -xp.inf


def scatter_reduce(xp, input, dim, index, source, reduce, include_self):
    """A copy of ``input`` with ``source`` reduced into it at ``index`` along ``dim``, and how many met at each place.

    Without ``include_self`` the places that are reached forget what they held. The count includes what they keep.
    """
    out, places = input.copy(), _places(xp, index, dim)
    count = xp.full(input.shape, 1 if include_self else 0, "int64")
    xp.add.at(count, places, 1)
    if not include_self:
        start = _START.get(reduce, _least(xp, input.dtype, reduce == "amin"))
        out[places] = xp.full((), start, input.dtype)
    if reduce == "prod":
        _multiply_at(xp, out, places, source)
    else:
        getattr(xp, _UFUNCS[reduce]).at(out, places, source)
    if reduce == "mean":
        divisor = xp.maximum(count, 1).astype(input.dtype)
        out = xp.floor_divide(out, divisor) if input.dtype.kind in "iu" else out / divisor
    return out, count


def _multiply_at(xp, out, places, source):
    """out[places] *= source where places repeat: CuPy has no ``multiply.at``. One of each place's factors at a time."""
    if xp is np:
        np.multiply.at(out, places, source)
        return
    if not places or not source.size:
        out *= source.prod()
        return
    spread = xp.broadcast_arrays(*places)
    flat = xp.ravel_multi_index(tuple(spread), out.shape).reshape(-1)
    order = xp.argsort(flat)
    flat, factors = flat[order], xp.broadcast_to(source, spread[0].shape).reshape(-1)[order]
    begins = xp.searchsorted(flat, flat, side="left")
    turn, kept = xp.arange(flat.size) - begins, out.reshape(-1)
    for step in range(int(turn.max()) + 1):
        chosen = turn == step
        kept[flat[chosen]] *= factors[chosen]
    out[...] = kept.reshape(out.shape)


def masked_scatter(xp, input, mask, source):
    """A copy of ``input`` with the first elements of ``source`` where ``mask`` holds."""
    out = input.copy()
    count = int(xp.count_nonzero(mask))
    out[mask] = source.reshape(-1)[:count]
    return out
