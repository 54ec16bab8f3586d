"""Searching, counting and order statistics."""


def searchsorted(xp, boundaries, values, right):
    """For each value the place among ``boundaries`` (sorted along the last dimension), (..., n) and (..., m)."""
    side = "right" if right else "left"
    if boundaries.ndim == 1:
        return xp.searchsorted(boundaries, values.reshape(-1), side=side).reshape(values.shape)
    rows = boundaries.reshape(-1, boundaries.shape[-1])
    wanted = values.reshape(rows.shape[0], -1)
    found = [xp.searchsorted(row, want, side=side) for row, want in zip(rows, wanted, strict=True)]
    return xp.stack(found).reshape(values.shape) if found else xp.zeros(values.shape, "int64")


def bincount(xp, input, weights, minlength):
    """How often each number occurs, or the sum of its weights."""
    if input.size == 0:
        return xp.zeros((minlength,), "int64" if weights is None else weights.dtype)
    return xp.bincount(input, weights, minlength)


def histogram_counts(xp, input, edges, weights):
    """Sums of weights (or counts) in the bins between ``edges``; the last bin is closed."""
    place = xp.searchsorted(edges, input, side="right") - 1
    last = edges.shape[0] - 2
    place = xp.where(input == edges[-1], last, place)
    inside = (place >= 0) & (place <= last)
    out = xp.zeros((last + 1,), "float64")
    ones = xp.ones(input.shape, "float64") if weights is None else weights.astype("float64")
    xp.add.at(out, place[inside], ones[inside])
    return out


def unique_rows(xp, input):
    """Distinct rows of a matrix in order, the index of each row among them, counts."""
    order = xp.lexsort(input.T[::-1]) if input.shape[1] else xp.arange(input.shape[0])
    ranked = input[order]
    new = xp.ones((input.shape[0],), "bool")
    new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    group = xp.cumsum(new) - 1
    inverse = xp.zeros((input.shape[0],), "int64")
    inverse[order] = group
    return ranked[new], inverse, xp.bincount(group) if group.size else group


def unique_consecutive_rows(xp, input):
    """As ``unique_rows``, of neighbouring equal rows only, in their order."""
    new = xp.ones((input.shape[0],), "bool")
    new[1:] = (input[1:] != input[:-1]).any(axis=1)
    group = xp.cumsum(new) - 1
    return input[new], group, xp.bincount(group) if group.size else group


def mode(xp, input, dim):
    """The most frequent value along ``dim``, of several the smallest, and the index of its last occurrence."""
    moved = xp.moveaxis(input, dim, -1)
    order = xp.argsort(moved, axis=-1, kind="stable")
    ranked = xp.take_along_axis(moved, order, axis=-1)
    n = ranked.shape[-1]
    place = xp.broadcast_to(xp.arange(n), ranked.shape)
    start = xp.zeros(ranked.shape, "int64")
    for i in range(1, n):
        start[..., i] = xp.where(ranked[..., i] == ranked[..., i - 1], start[..., i - 1], i)
    best = xp.argmax(place - start, axis=-1)[..., None]
    values, places = (xp.take_along_axis(a, best, axis=-1)[..., 0] for a in (ranked, order))
    return values, places
