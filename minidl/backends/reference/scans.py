"""Scans along a dimension beside sums and products."""


def cummax(xp, input, dim):
    """Running maxima and the index of the last element that equals each; NaN wins from where it comes."""
    return _running(xp, input, dim, lambda a, b: (a >= b) | xp.isnan(a))


def cummin(xp, input, dim):
    """Running minima and the index of the last element that equals each; NaN wins from where it comes."""
    return _running(xp, input, dim, lambda a, b: (a <= b) | xp.isnan(a))


def _running(xp, input, dim, wins):
    values, places = input.copy(), xp.zeros(input.shape, "int64")
    if input.dtype.kind in "biu":
        plain = wins

        def wins(a, b):
            return plain(a.astype("int64"), b.astype("int64"))

    before = (slice(None),) * dim
    for i in range(1, input.shape[dim]):
        best, new = values[(*before, i - 1)], input[(*before, i)]
        taken = wins(new, best) & ~(xp.isnan(best) & ~xp.isnan(new))
        values[(*before, i)] = xp.where(taken, new, best)
        places[(*before, i)] = xp.where(taken, i, places[(*before, i - 1)])
    return values, places


def logcumsumexp(xp, input, dim):
    """Running log of sums of exponentials; 16-bit floats in float32."""
    wide = input.astype("float32") if input.dtype.itemsize == 2 else input
    out, before = wide.copy(), (slice(None),) * dim
    for i in range(1, input.shape[dim]):
        out[(*before, i)] = xp.logaddexp(out[(*before, i - 1)], wide[(*before, i)])
    return out.astype(input.dtype)
