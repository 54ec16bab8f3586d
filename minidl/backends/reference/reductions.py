"""Reductions over ``dims``, a tuple of non-negative dimensions."""


def _accumulator(xp, dtype):
    """float32 for the 16-bit floats, the dtype itself otherwise."""
    return xp.dtype("float32") if dtype.itemsize == 2 and dtype.kind not in "iu" else dtype


def sum(xp, input, dims, keepdim):
    """Sum in the input's dtype; 16-bit floats accumulate in float32."""
    wide = _accumulator(xp, input.dtype)
    out = xp.sum(input, axis=dims, keepdims=keepdim, dtype=wide)
    return out.astype(input.dtype) if wide != input.dtype else out


def sum_squares(xp, input, dims, keepdim):
    """Sum of the squares in the input's dtype."""
    return sum(xp, xp.square(input), dims, keepdim)


def prod(xp, input, dims, keepdim):
    wide = _accumulator(xp, input.dtype)
    return xp.prod(input, axis=dims, keepdims=keepdim, dtype=wide).astype(input.dtype)


def amax(xp, input, dims, keepdim):
    """Largest values; NaN where there is one."""
    return xp.max(input, axis=dims, keepdims=keepdim)


def amin(xp, input, dims, keepdim):
    """Smallest values; NaN where there is one."""
    return xp.min(input, axis=dims, keepdims=keepdim)


def argmax(xp, input, dim, keepdim):
    """Index of the first largest value along ``dim``; the first NaN counts as largest."""
    return xp.argmax(input, axis=dim, keepdims=keepdim)


def argmin(xp, input, dim, keepdim):
    """Index of the first smallest value along ``dim``; the first NaN counts as smallest."""
    return xp.argmin(input, axis=dim, keepdims=keepdim)


def all(xp, input, dims, keepdim):
    return xp.all(input, axis=dims, keepdims=keepdim)


def any(xp, input, dims, keepdim):
    return xp.any(input, axis=dims, keepdims=keepdim)


def count_nonzero(xp, input, dims):
    return xp.count_nonzero(input, axis=dims)


def cumsum(xp, input, dim):
    """Running sums along ``dim`` in the input's dtype; 16-bit floats accumulate in float32."""
    wide = _accumulator(xp, input.dtype)
    return xp.cumsum(input, axis=dim, dtype=wide).astype(input.dtype)


def cumprod(xp, input, dim):
    """Running products along ``dim``."""
    wide = _accumulator(xp, input.dtype)
    return xp.cumprod(input, axis=dim, dtype=wide).astype(input.dtype)


def sort(xp, input, dim, descending):
    """Sorted values and their indices along ``dim``, stable; NaN counts as largest."""
    order = argsort(xp, input, dim, descending)
    return xp.take_along_axis(input, order, axis=dim), order


def sort_first(xp, input, dim, descending, count):
    """The first ``count`` values of ``sort`` and their indices."""
    index = (slice(None),) * dim + (slice(count),)
    return tuple(xp.ascontiguousarray(x[index]) for x in sort(xp, input, dim, descending))


def select(xp, input, dim, rank):
    """The ``rank``-th smallest value (from 1) along ``dim`` and its index; the dimension is gone."""
    index = (slice(None),) * dim + (rank - 1,)
    return tuple(x[index].copy() for x in sort(xp, input, dim, False))


def argsort(xp, input, dim, descending):
    """Indices that sort along ``dim``, stable; NaN counts as largest."""
    if not descending:
        return xp.argsort(input, axis=dim, kind="stable")
    flipped = xp.argsort(xp.flip(input, axis=dim), axis=dim, kind="stable")
    return xp.flip(input.shape[dim] - 1 - flipped, axis=dim)


def unique(xp, input):
    """Sorted distinct values, index of each element among them, counts."""
    values, inverse, counts = xp.unique(input, return_inverse=True, return_counts=True)
    return values, inverse.reshape(input.shape), counts
