"""Rows of minidl/ops/scatters.py and putting.py."""

import numpy as np

from .case import Case, away, boolean, distinct, integers, normal, values

INDEX = values([[0, 2, 0], [1, 1, 0]])
UFUNCS = {"sum": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}
START = {"sum": 0.0, "prod": 1.0, "mean": 0.0, "amax": -np.inf, "amin": np.inf}


def reduced(x, dim, index, src, reduce, include_self=True):
    out = x.copy()
    at = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    at[dim] = index
    at, src = tuple(at), src[tuple(slice(n) for n in index.shape)]
    if not include_self:
        out[at] = START[reduce]
    UFUNCS["sum" if reduce == "mean" else reduce].at(out, at, src)
    if reduce == "mean":
        count = np.full(x.shape, float(include_self))
        np.add.at(count, at, 1)
        out /= np.maximum(count, 1)
    return out


def along_rows(function):
    """A function of index_* along dim 0, by NumPy."""

    def call(x, dim, index, source, *args, **kwargs):
        return np.moveaxis(
            function(np.moveaxis(x, dim, 0), index, np.moveaxis(source, dim, 0), *args, **kwargs), 0, dim
        )

    return call


@along_rows
def added(x, index, source, alpha=1):
    np.add.at(x, index, alpha * source)
    return x


@along_rows
def copied(x, index, source):
    x[index] = source
    return x


def filled(x, dim, index, value):
    x[(slice(None),) * dim + (index,)] = value
    return x


def put(x, indices, v, accumulate=False):
    if accumulate:
        np.add.at(x, indices, v)
    else:
        x[indices] = v
    return x


def put_flat(x, index, v, accumulate=False):
    put(x.reshape(-1), index, v, accumulate)
    return x


def masked(x, mask, source):
    out = np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape)).copy()
    np.place(out, np.broadcast_to(mask, out.shape), source)
    return out


ROWS = (away(3, 3), 0, INDEX, away(2, 3))
PLACES = (values([0, 2, 0]), values([1, 0, 1]))
CASES = [
    *(Case("scatter_reduce", (*ROWS, reduce), reduced, id=reduce) for reduce in ("sum", "prod", "mean")),
    *(
        Case(
            "scatter_reduce",
            (distinct(3, 3), 0, INDEX, values(np.arange(6).reshape(2, 3) / 7 - 0.35), reduce),
            reduced,
            id=reduce,
        )
        for reduce in ("amax", "amin")
    ),
    *(
        Case("scatter_reduce", (*ROWS, reduce), reduced, {"include_self": False}, id=f"{reduce}-without")
        for reduce in ("sum", "prod", "mean", "amax", "amin")
    ),
    Case("scatter_reduce", (normal(3, 3), 1, INDEX, normal(3, 4), "sum"), reduced, id="cropped", torch=False),
    Case(
        "scatter_reduce",
        (values([1.0, 0.0, 2.0]), 0, values([0, 1, 1]), values([0.0, 3.0, 2.0]), "prod"),
        reduced,
        id="zeros",
    ),
    Case(
        "scatter",
        (normal(3, 3), 0, INDEX, normal(2, 3)),
        lambda x, d, i, s, reduce: reduced(x, d, i, s, "sum"),
        {"reduce": "add"},
        id="add",
        grad=False,
    ),
    Case("index_add", (normal(3, 4), 1, values([0, 2, 0]), normal(3, 3)), added, {"alpha": 2}),
    Case("index_copy", (normal(3, 4), 1, values([0, 2]), normal(3, 2)), copied),
    Case("index_fill", (normal(3, 4), 1, values([0, 2]), 1.5), filled),
    Case("index_fill", (normal(3, 4), 1, values([0, 2]), normal()), filled, id="tensor"),
    Case(
        "index_reduce",
        (away(3, 4), 0, values([0, 2]), away(2, 4), "prod"),
        lambda x, d, i, s, r: reduced(x, d, np.repeat(i[:, None], 4, 1), s, r),
    ),
    Case("index_put", (normal(3, 2), PLACES, normal(3)), put, {"accumulate": True}),
    Case("index_put", (normal(3, 2), (values([0, 2]),), normal(2)), put, id="rows"),
    Case("index_put_", (normal(3, 2), (values([0, 2]),), normal(2)), put),
    Case("put", (normal(3, 2), values([5, 0]), normal(2)), put_flat),
    Case("put", (normal(3, 2), values([5, 5]), normal(2), True), put_flat, id="accumulate"),
    Case("put_", (normal(3, 2), values([5, 0]), normal(2)), put_flat),
    Case("masked_scatter", (normal(2, 3), boolean(2, 3), normal(7)), masked),
    Case("masked_scatter", (normal(3), boolean(2, 3), normal(7)), masked, id="broadcast"),
    Case("masked_scatter_", (normal(2, 3), boolean(2, 3), normal(7)), masked),
    Case("fill", (normal(2, 3), 2.0), lambda x, v: np.full_like(x, v)),
    Case("argwhere", (integers(0, 2, 3, 4),), np.argwhere, grad=False),
]
