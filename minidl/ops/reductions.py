"""Reductions: over all dimensions, or those in ``dim``."""

import math

from minidl import dtypes
from minidl.autograd import function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul
from minidl.ops.common import refuse_bool, wrap_dim, wrap_dims
from minidl.ops.comparison import eq
from minidl.ops.joining import flip, tril, triu
from minidl.ops.pointwise import abs, sign
from minidl.ops.powers import pow
from minidl.ops.selection import where
from minidl.ops.shapes import _expand, _permute, _reshape


def with_kept(shape, dim):
    """The shape that a reduction of ``shape`` over ``dim`` has with keepdim."""
    dims = wrap_dims(dim, len(shape))
    return tuple(1 if i in dims else n for i, n in enumerate(shape))


def spread(g, shape, dim, keepdim):
    """A reduction's gradient, broadcast to its input's shape."""
    if not keepdim and len(shape):
        g = _reshape(g, with_kept(shape, dim))
    return _expand(g, shape)


def _in_dtype(input, dtype):
    return input if dtype is None else input.astype(dtypes.numpy_dtype(dtype))


def _counted(input):
    """In int64, as integers are added up."""
    return input if input.dtype == dtypes.INT64 else input.astype(dtypes.INT64)


def _numbered(name):
    """PyTorch numbers a reduction's node 0 over everything, 1 over some dimensions."""
    return lambda shape, kept: f"{name}Backward{0 if kept.get('dim') is None else 1}"


@op(
    input=lambda g, input_shape, dim, keepdim: spread(g, input_shape, dim, keepdim), shown=_numbered("Sum"),
)  # fmt: skip
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum of elements over ``dim`` (an int, several, or None for all). Integers and bools sum as int64.

    Raises ``IndexError`` for a dimension out of range. Source: ``torch.sum``.

    >>> import minidl
    >>> minidl.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(0)
    tensor([4., 6.])
    """
    if dtype is not None:
        input = _in_dtype(input, dtype)
    elif not dtypes.is_floating(input.dtype):
        input = _counted(input)
    return of(input).sum(input, wrap_dims(dim, input.ndim), keepdim)


def _count(shape, dim):
    return math.prod(shape[d] for d in wrap_dims(dim, len(shape)))


def _mean_rule(g, input_shape, dim, keepdim):
    return spread(div(g, _count(input_shape, dim)), input_shape, dim, keepdim)


@op(input=_mean_rule, shown=_numbered("Mean"))
def mean(input, dim=None, keepdim=False, *, dtype=None):
    """The arithmetic mean over ``dim``. Raises ``RuntimeError`` for integers; NaN of nothing. Source: ``torch.mean``.

    >>> import minidl
    >>> minidl.tensor([1.0, 2.0, 6.0]).mean()
    tensor(3.)
    """
    input = _in_dtype(input, dtype)
    if not dtypes.is_floating(input.dtype):
        which = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
            f"Got: {dtypes.scalar_name(input.dtype)}. Hint: convert it with .float() or pass dtype=."
        )
    space, dims = of(input), wrap_dims(dim, input.ndim)
    count = math.prod(input.shape[d] for d in dims)
    total = space.sum(input, dims, keepdim)
    return space.div(total, space.full((), count, input.dtype))


def _prod_rule(g, input, result, dim, keepdim):
    """The product of all other elements: result / x, or, where some x is 0, each product formed without its element."""
    shape = tuple(input.shape)
    if dim is not None and not shape:
        return g
    g = spread(g, shape, dim, keepdim)
    if not any(eq(input, 0)):
        return mul(g, div(spread(result, shape, dim, keepdim), input))
    if dim is None:
        return mul(g, _reshape(_others(_reshape(input, (-1,)), 0), shape))
    return mul(g, _others(input, wrap_dim(dim, len(shape))))


def _others(input, dim):
    """For each element along ``dim`` the product of the others; O(n^2), exact at zeros."""
    n, last = input.shape[dim], input.ndim
    order = (*(d for d in range(last) if d != dim), dim)
    moved = _permute(input, order)
    shape = tuple(moved.shape)
    pairs = _expand(_reshape(moved, (*shape[:-1], 1, n)), (*shape[:-1], n, n))
    ones = tril(triu(add(mul(pairs, 0.0), 1.0), 0), 0)
    out = prod(where(eq(ones, 1), 1.0, pairs), -1)
    return _permute(out, tuple(sorted(range(last), key=order.__getitem__)))


@op(input=_prod_rule, shown=_numbered("Prod"))
def prod(input, dim=None, keepdim=False, *, dtype=None):
    """The product of elements over ``dim`` (one int, or None for all). Integers multiply as int64. Source:
    ``torch.prod``.

    >>> import minidl
    >>> minidl.tensor([2.0, 3.0]).prod()
    tensor(6.)
    """
    if dtype is not None:
        input = _in_dtype(input, dtype)
    elif not dtypes.is_floating(input.dtype):
        input = _counted(input)
    return of(input).prod(input, wrap_dims(dim, input.ndim), keepdim)


@op(input=lambda g, dim: cumsum_reverse(g, dim))
def cumsum(input, dim, *, dtype=None):
    """Running sums along ``dim``; integers as int64. Source: ``torch.cumsum``.

    >>> import minidl
    >>> minidl.tensor([1.0, 2.0, 3.0]).cumsum(0)
    tensor([1., 3., 6.])
    """
    if dtype is not None:
        input = _in_dtype(input, dtype)
    elif not dtypes.is_floating(input.dtype):
        input = _counted(input)
    refuse_bool(input, "cumsum")
    dim = wrap_dim(dim, input.ndim)
    return of(input).cumsum(input, dim) if input.ndim else of(input).copy(input)


def cumsum_reverse(g, dim):
    """Running sums from the end."""
    return flip(cumsum(flip(g, (dim,)), dim), (dim,)) if g.ndim else g


def _truth(name, what):
    def forward(input, dim=None, keepdim=False):
        out = getattr(of(input), name)(input, wrap_dims(dim, input.ndim), keepdim)
        return out.astype(input.dtype) if input.dtype == dtypes.uint8.numpy else out

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""Whether {what} over ``dim`` (None for all) is true; zero is false. The result is bool
    (uint8 for uint8). Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.tensor([True, False]).{name}().dtype
    minidl.bool
    """
    return op(constant="input")(forward)


all, any = _truth("all", "every element"), _truth("any", "some element")


@op(constant="input")
def count_nonzero(input, dim=None):
    """How many elements over ``dim`` are not zero, int64. Source: ``torch.count_nonzero``.

    >>> import minidl
    >>> minidl.count_nonzero(minidl.tensor([0, 3, 4]))
    tensor(2)
    """
    space = of(input)
    return space.astype(space.count_nonzero(input, wrap_dims(dim, input.ndim)), dtypes.INT64)


@function()
def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The p-norm over ``dim``: (sum |x|^p)^(1/p); ``'fro'`` is 2, ``inf`` the largest |x|, ``-inf`` the
    smallest, 0 counts. Source: ``torch.norm``.

    >>> import minidl
    >>> minidl.tensor([3.0, 4.0]).norm()
    tensor(5.)
    """
    input = input if dtype is None else input.to(dtype)
    if not input.is_floating_point():
        raise RuntimeError(
            f"norm(): the desired output dtype should be floating point; input is {input.dtype!r}"
        )
    if input.dtype.itemsize == 2:  # the powers leave the range of 16 bits where the norm does not
        return norm(input.float(), p, dim, keepdim).to(input.dtype)
    if p == "nuc":
        return _nuclear(input, dim, keepdim)
    p = 2 if p in ("fro", None) else float(p)
    if p in (math.inf, -math.inf, 0, 1):
        return named(_simple_norm(input.abs(), p, dim, keepdim), "LinalgVectorNorm")
    return _euclid(input, dim, keepdim) if p == 2 else _powers(input, p, dim, keepdim)


def _simple_norm(size, p, dim, keepdim):
    """The norms of elements of this ``size`` that need no power: the largest, the smallest, the count, the sum."""
    if p == math.inf:
        return size.amax(() if dim is None else dim, keepdim)
    if p == -math.inf:
        return size.amin(() if dim is None else dim, keepdim)
    if p == 0:
        counted = where(eq(size, 0), 0.0, 1.0).to(size.dtype)
        size = where(eq(counted, 2), size, counted)  # whose gradient is 0
    return sum(size, dim, keepdim)


def _nuclear(input, dim, keepdim):
    """The sum of the singular values of matrices."""
    rows, columns = wrap_dims((-2, -1) if dim is None else dim, input.ndim)
    matrix = input.movedim((rows, columns), (-2, -1))
    out = sum(matrix.svd().S, -1)
    if not keepdim:
        return out
    first, second = sorted((rows, columns))
    return out.unsqueeze(first).unsqueeze(second)


def _powers_rule(g, input, result, dim, keepdim, p):
    """sign(x) |x / norm|^(p - 1); 0 where the norm is 0, and for p < 1 where x is."""
    shape, size = tuple(input.shape), abs(input)
    if p < 1:
        slope = where(eq(size, 0), 0.0, pow(size, p - 1))
        scale = mul(g, pow(result, 1 - p))
    else:
        slope = pow(size, p - 1)
        scale = where(eq(result, 0), 0.0, div(g, pow(result, p - 1)))
    return mul(mul(sign(input), slope), spread(scale, shape, dim, keepdim))


@op(input=_powers_rule, shown="LinalgVectorNorm", faces=(), method=False)
def _powers(input, p, dim, keepdim):
    """(sum |x|^p)^(1/p)"""
    space, dims = of(input), wrap_dims(dim, input.ndim)
    total = space.sum(space.pow(space.abs(input), p), dims, keepdim)
    return space.pow(total, 1 / p)


def _euclid_rule(g, input, result, dim, keepdim):
    """x / |x|, and 0 where |x| is 0."""
    shape = tuple(input.shape)
    size = where(eq(result, 0), 1.0, result)
    return mul(input, spread(div(g, size), shape, dim, keepdim))


@op(input=_euclid_rule, shown="LinalgVectorNorm", faces=(), method=False)
def _euclid(input, dim, keepdim):
    space = of(input)
    return space.sqrt(space.sum_squares(input, wrap_dims(dim, input.ndim), keepdim))


def _spread_evenly(g, input, result, dim, keepdim):
    """The gradient of amax / amin: equal elements share it."""
    shape = tuple(input.shape)
    chosen = eq(input, spread(result, shape, dim, keepdim))
    share = where(chosen, 1.0, mul(input, 0.0))
    return mul(share, spread(div(g, sum(share, dim, keepdim)), shape, dim, keepdim))


def _amaximum(name, what):
    def forward(input, dim=(), keepdim=False):
        dims = wrap_dims(dim, input.ndim)
        given = dim not in ((), [], None)
        empty = next((d for d in dims if input.shape[d] == 0), None)
        if given and empty is not None:
            raise IndexError(f"{name}(): Expected reduction dim {empty} to have non-zero size.")
        if input.size == 0 and not given:
            raise RuntimeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify "
                "the reduction dim with the 'dim' argument."
            )
        return getattr(of(input), name)(input, dims, keepdim)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""The {what} over ``dim``; NaN where there is one;
    equal elements share the gradient. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([2.0, 2.0]))
    tensor(2.)
    """
    return op(input=lambda g, input, result, dim, keepdim: _spread_evenly(g, input, result, dim, keepdim))(
        forward
    )


amax = _amaximum("amax", "largest element")
amin = _amaximum("amin", "smallest element")
