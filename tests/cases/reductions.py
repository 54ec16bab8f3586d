"""Rows of reductions."""

import numpy as np

from .case import Case, boolean, distinct, dtype, integers, normal, values


def over(function):
    """A NumPy reduction with PyTorch's argument names."""
    return lambda input, dim=None, keepdim=False: function(input, axis=dim, keepdims=keepdim)


def spread(function):
    """var and std with PyTorch's arguments."""

    def call(input, dim=None, unbiased=None, keepdim=False, correction=None):
        less = (1 if unbiased in (None, True) else 0) if correction is None else correction
        return function(input, axis=dim, keepdims=keepdim, ddof=less)

    return call


def norm(input, p="fro", dim=None, keepdim=False):
    order = 2 if p == "fro" else p
    axis = tuple(range(input.ndim)) if dim is None else dim
    size = np.abs(input)
    if order == np.inf:
        return size.max(axis=axis, keepdims=keepdim)
    if order == 0:
        return (size != 0).sum(axis=axis, keepdims=keepdim).astype(float)
    return (size**order).sum(axis=axis, keepdims=keepdim) ** (1 / order)


def of_dims(name, oracle, spec, **more):
    """Rows of one reduction: everything, one dim, two dims, keepdim."""
    yield Case(name, (spec(2, 3, 4),), numpy=oracle, id="all", **more)
    yield Case(name, (spec(2, 3, 4), 1), numpy=oracle, id="dim", **more)
    yield Case(name, (spec(2, 3, 4), (0, -1)), numpy=oracle, id="dims", **more)
    yield Case(name, (spec(2, 3, 4), -1), kwargs={"keepdim": True}, numpy=oracle, id="keepdim", **more)


var, std = spread(np.var), spread(np.std)
CASES = [
    *of_dims("sum", over(np.sum), normal),
    Case("sum", (normal(),), numpy=over(np.sum), id="0-d"),
    Case("sum", (normal(0, 3), 0), numpy=over(np.sum), id="empty"),
    Case("sum", (integers(-5, 5, 2, 3), 0), numpy=over(np.sum), id="int", grad=False),
    Case("sum", (boolean(2, 3),), numpy=over(np.sum), id="bool", grad=False),
    Case(
        "sum",
        (integers(-5, 5, 2, 3),),
        kwargs={"dtype": dtype("float64")},
        numpy=lambda x, dtype: x.sum(dtype=dtype),
        id="dtype",
        grad=False,
    ),
    *of_dims("mean", over(np.mean), normal),
    *of_dims("amax", over(np.max), distinct),
    *of_dims("amin", over(np.min), distinct),
    Case("amax", (values([[1.0, np.nan], [2.0, 3.0]]), 1), numpy=over(np.max), id="nan", grad=False),
    Case("prod", (normal(2, 3),), numpy=over(np.prod), id="all"),
    Case("prod", (normal(2, 3), 1), numpy=over(np.prod), id="dim"),
    Case("prod", (normal(2, 3), 0, True), numpy=over(np.prod), id="keepdim"),
    Case("prod", (values([[1.5, 0.0, 2.0], [0.0, 3.0, 0.0]]), 1), numpy=over(np.prod), id="zeros"),
    Case("prod", (values([1.5, 0.0, 2.0]),), numpy=over(np.prod), id="zero-in-all"),
    Case("prod", (integers(1, 4, 5),), numpy=over(np.prod), id="int", grad=False),
    Case("cumsum", (normal(2, 3), 1), numpy=np.cumsum),
    Case("cumsum", (normal(2, 3), 0), numpy=np.cumsum, id="first"),
    Case("cumsum", (integers(0, 4, 5), 0), numpy=np.cumsum, id="int", grad=False),
    Case("all", (boolean(2, 3), 1), numpy=over(np.all), grad=False),
    Case("all", (integers(0, 2, 4),), numpy=over(np.all), id="int", grad=False),
    Case("any", (boolean(2, 3), 0, True), numpy=over(np.any), grad=False),
    Case("any", (values([0.0, np.nan]),), numpy=over(np.any), id="nan", grad=False),
    Case("count_nonzero", (integers(0, 2, 3, 4),), numpy=np.count_nonzero, grad=False),
    Case("count_nonzero", (integers(0, 2, 3, 4), 1), numpy=np.count_nonzero, id="dim", grad=False),
    *of_dims("var", var, normal),
    *(
        Case(name, (normal(3, 4),), kwargs=kwargs, numpy=oracle, id=label)
        for name, oracle in {"var": var, "std": std}.items()
        for label, kwargs in {
            "unbiased": {"dim": 0, "unbiased": False},
            "correction": {"dim": 1, "correction": 2, "keepdim": True},
            "default": {},
        }.items()
    ),
    *(
        Case(
            name,
            (normal(3, 4),),
            kwargs={"dim": 1},
            numpy=lambda x, dim, fn=fn: (fn(x, dim), x.mean(dim)),
        )
        for name, fn in {"var_mean": var, "std_mean": std}.items()
    ),
    *(
        Case(name, (normal(3, 4), False), numpy=lambda x, biased, fn=fn: (fn(x), x.mean()), id="biased")
        for name, fn in {"var_mean": np.var, "std_mean": np.std}.items()
    ),
    Case("norm", (normal(3, 4),), numpy=norm, id="all"),
    Case("norm", (normal(3, 4), 2, 1), numpy=norm, id="dim"),
    Case("norm", (values([[300.0, -400.0], [3.0, 4.0]]), 2, 1), numpy=norm, id="large"),
    *(
        Case("norm", (distinct(3, 4),), kwargs={"p": p, "dim": 1, "keepdim": True}, numpy=norm, id=f"p-{p}")
        for p in (1, 3, np.inf)
    ),
    Case("norm", (values([[0.0, 2.0], [3.0, 0.0]]), 0, 1), numpy=norm, id="p-0", grad=False),
]
