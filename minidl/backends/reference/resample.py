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


def _taken(xp, input, lead, index):
    """The elements at ``index`` along a dimension: a view for a slice, a copy for positions."""
    return (
        input[(*lead, index)]
        if isinstance(index, slice)
        else xp.take(input, xp.asarray(index), axis=len(lead))
    )


def resample(xp, input, dim, taps):
    """output[.., i, ..] = sum over k of weight[k][i] * input[.., index[k][i], ..], i and index along ``dim``.

    ``taps.parts`` has a tuple (index, weight, where) a tap: ``index`` and ``where``, the outputs that it is for (None:
    all), are slices or int64 arrays on the host; ``weight`` is a float64 array, None for 1 everywhere.
    """
    lead = (slice(None),) * dim
    shape = (-1, *(1 for _ in input.shape[dim + 1 :]))
    out = (*input.shape[:dim], taps.size, *input.shape[dim + 1 :])
    if len(taps.parts) == 1 and taps.parts[0][1] is None and taps.parts[0][2] is None:
        found = _taken(xp, input, lead, taps.parts[0][0])
        return found.copy() if isinstance(taps.parts[0][0], slice) else found
    dtype, sums = _compute_dtype(xp, input), None
    for index, weight, where in taps.parts:
        part = _taken(xp, input, lead, index).astype(dtype, copy=False)
        if weight is not None:
            part = part * xp.asarray(weight.astype(dtype)).reshape(shape)
        if where is None and sums is None:
            sums = part.astype(dtype, copy=weight is None)
        elif where is None:
            sums += part
        else:
            sums = xp.zeros(out, dtype) if sums is None else sums
            sums[(*lead, where if isinstance(where, slice) else xp.asarray(where))] += part
    return _stored(xp, xp.zeros(out, dtype) if sums is None else sums, input.dtype)
