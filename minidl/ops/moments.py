"""Variance and standard deviation, alone and with the mean."""

import math
import warnings

from minidl import dtypes
from minidl.autograd import function, op
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul, sub
from minidl.ops.common import wrap_dims
from minidl.ops.comparison import eq
from minidl.ops.reductions import mean, spread
from minidl.ops.selection import where


def _count(shape, dims):
    return math.prod(shape[d] for d in dims)


def _variance(input, dims, keepdim, correction):
    """Variance and mean in float32 or wider, with every dimension kept for the mean."""
    space, wide = of(input), input
    if input.dtype.itemsize == 2:
        wide = space.astype(input, dtypes.FLOAT32)
    count = _count(input.shape, dims)
    middle = space.div(space.sum(wide, dims, True), space.full((), count, wide.dtype))
    total = space.sum_squares(space.sub(wide, middle), dims, keepdim)
    return space.div(total, space.full((), max(count - correction, 0), wide.dtype)), middle


def _mean_beside(input, middle, dims, keepdim):
    space = of(input)
    return space.astype(middle if keepdim else space.squeeze(middle, dims), input.dtype)


def _var_rule(g, input, dims, keepdim, correction):
    """2 (x - mean) / (n - correction)"""
    shape = tuple(input.shape)
    free = _count(shape, dims) - correction
    slope = mul(sub(input, mean(input, dims, True)), 2 / free if free else math.inf)
    return mul(spread(g, shape, dims, keepdim), slope)


def _std_rule(g, input, result, dims, keepdim, correction):
    """(x - mean) / ((n - correction) std), and 0 where std is."""
    return _var_rule(where(eq(result, 0), 0.0, div(g, mul(result, 2.0))), input, dims, keepdim, correction)


def _mean_rule(g, input, dims, keepdim):
    shape = tuple(input.shape)
    return spread(div(g, _count(shape, dims)), shape, dims, keepdim)


def _var_mean_rule(g0, g1, input, dims, keepdim, correction):
    if g0 is None:
        return _mean_rule(g1, input, dims, keepdim)
    first = _var_rule(g0, input, dims, keepdim, correction)
    return first if g1 is None else add(first, _mean_rule(g1, input, dims, keepdim))


def _std_mean_rule(g0, g1, input, result0, dims, keepdim, correction):
    if g0 is None:
        return _mean_rule(g1, input, dims, keepdim)
    first = _std_rule(g0, input, result0, dims, keepdim, correction)
    return first if g1 is None else add(first, _mean_rule(g1, input, dims, keepdim))


@op(input=_var_rule, shown="Var", faces=(), method=False)
def _var(input, dims, keepdim, correction):
    return of(input).astype(_variance(input, dims, keepdim, correction)[0], input.dtype)


@op(input=_std_rule, shown="Std", faces=(), method=False)
def _std(input, dims, keepdim, correction):
    space = of(input)
    return space.astype(space.sqrt(_variance(input, dims, keepdim, correction)[0]), input.dtype)


@op(input=_var_mean_rule, shown="VarMean", faces=(), method=False)
def _var_mean(input, dims, keepdim, correction):
    variance, middle = _variance(input, dims, keepdim, correction)
    return of(input).astype(variance, input.dtype), _mean_beside(input, middle, dims, keepdim)


@op(input=_std_mean_rule, shown="StdMean", faces=(), method=False)
def _std_mean(input, dims, keepdim, correction):
    space = of(input)
    variance, middle = _variance(input, dims, keepdim, correction)
    return space.astype(space.sqrt(variance), input.dtype), _mean_beside(input, middle, dims, keepdim)


def _moment(name, along, method, doc):
    """The public function: PyTorch's two overloads, its refusals and its warning."""

    def forward(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if correction is None:
            correction = 1 if unbiased is None or unbiased else 0
        if not input.is_floating_point():
            raise RuntimeError(f"{name.replace('_', ' and ')} only support floating point and complex dtypes")
        dims, shape = wrap_dims(dim, input.ndim), tuple(input.shape)
        empty = 0 in (n for d, n in enumerate(shape) if d not in dims)
        if (0 if empty else _count(shape, dims)) <= correction:
            warnings.warn(
                f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
                "(input numel divided by output numel).",
                stacklevel=3,
            )
        return along(input, dims, keepdim, correction)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = doc
    return function(method=method, tensors="input")(forward)


var = _moment(
    "var",
    _var,
    True,
    """The variance over ``dim``: squared deviations from the mean, divided by n - correction (default 1).

    Warns where n - correction is not positive. Source: ``torch.var``.

    >>> import minidl
    >>> minidl.tensor([1.0, 3.0]).var()
    tensor(2.)
    """,
)
std = _moment(
    "std",
    _std,
    True,
    """The standard deviation over ``dim``, the square root of ``var``. Source: ``torch.std``.

    >>> import minidl
    >>> minidl.tensor([1.0, 3.0]).std()
    tensor(1.4142)
    """,
)
var_mean = _moment(
    "var_mean",
    _var_mean,
    False,
    """The variance and the mean over ``dim``. Source: ``torch.var_mean``.

    >>> import minidl
    >>> minidl.var_mean(minidl.tensor([1.0, 3.0]))
    (tensor(2.), tensor(2.))
    """,
)
std_mean = _moment(
    "std_mean",
    _std_mean,
    False,
    """The standard deviation and the mean over ``dim``. Source: ``torch.std_mean``.

    >>> import minidl
    >>> minidl.std_mean(minidl.tensor([1.0, 3.0]))
    (tensor(1.4142), tensor(2.))
    """,
)
