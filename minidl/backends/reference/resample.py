"""Weighted sums along one dimension by a table: what all resampling of signals, images and volumes is made of."""


def _compute_dtype(xp, input):
    """Where sums are kept: halves and integers in float32."""
    return input.dtype if input.dtype in (xp.dtype("float32"), xp.dtype("float64")) else xp.dtype("float32")


def _stored(xp, sums, dtype):
    """Sums in the input's dtype; those of integers are rounded and limited to what it holds."""
    if dtype.kind not in "iu":
        return sums.astype(dtype, copy=False)
    info = xp.iinfo(dtype)
    return xp.clip(xp.rint(sums), info.min, info.max).astype(dtype)


def resample(xp, input, dim, taps):
    """output[.., i, ..] = sum over k of weight[k][i] * input[.., index[k][i], ..], i and index along ``dim``.

    ``taps`` has a tuple (index, weight, where) a tap: int64 and float64 arrays of one length on the host; ``weight``
    None is 1 everywhere; ``where`` lists the i that the tap is for, None for all. One tap without weights is a copy.
    """
    lead = (slice(None),) * dim
    shape = (-1, *(1 for _ in input.shape[dim + 1 :]))
    out = (*input.shape[:dim], taps.size, *input.shape[dim + 1 :])
    if len(taps.parts) == 1 and taps.parts[0][1] is None and taps.parts[0][2] is None:
        return xp.take(input, xp.asarray(taps.parts[0][0]), axis=dim)
    dtype, sums = _compute_dtype(xp, input), None
    for index, weight, where in taps.parts:
        part = xp.take(input, xp.asarray(index), axis=dim).astype(dtype, copy=False)
        if weight is not None:
            part *= xp.asarray(weight.astype(dtype)).reshape(shape)
        if where is None and sums is None:
            sums = part
        elif where is None:
            sums += part
        else:
            sums = xp.zeros(out, dtype) if sums is None else sums
            sums[(*lead, xp.asarray(where))] += part
    return _stored(xp, xp.zeros(out, dtype) if sums is None else sums, input.dtype)
