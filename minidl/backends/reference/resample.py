"""Weighted sums along one dimension by a table: what all resampling of signals, images and volumes is made of."""

import numpy


def _compute_dtype(xp, input):
    """Where sums are kept: halves in float32."""
    return input.dtype if input.dtype in (xp.dtype("float32"), xp.dtype("float64")) else xp.dtype("float32")


def _fixed_point(parts):
    """The weights as whole numbers of 16 bits, in units of 2^-digits: with them bytes are summed as PyTorch does."""
    weights = [None if w is None else w.astype("float64") for _, w, _ in parts]
    largest = max((1.0 if w is None else float(w.max(initial=0)) for w in weights), default=1.0)
    digits = 0
    while digits < 22 and int(0.5 + largest * 2 ** (digits + 1)) < 2**15:
        digits += 1
    whole = [None if w is None else (w * 2**digits + (w >= 0) - 0.5).astype("int32") for w in weights]
    return digits, [
        (index, numpy.full(1, 2**digits, "int32") if w is None else w, where)
        for (index, _, where), w in zip(parts, whole, strict=True)
    ]


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
    bytes = input.dtype.kind == "u"
    digits, parts = _fixed_point(taps.parts) if bytes else (0, taps.parts)
    dtype = xp.dtype("int32") if bytes else _compute_dtype(xp, input)
    sums = xp.full(out, 2**digits // 2, dtype) if bytes else None
    for index, weight, where in parts:
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
    sums = xp.zeros(out, dtype) if sums is None else sums
    return xp.clip(sums >> digits, 0, 255).astype("uint8") if bytes else sums.astype(input.dtype, copy=False)
