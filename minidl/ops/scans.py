"""Scans along a dimension, differences and integrals by the trapezoidal rule."""

from minidl import dtypes, return_types
from minidl.autograd import Saved, Tensor, function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul, sub
from minidl.ops.common import as_index, refuse_bool, wrap_dim
from minidl.ops.comparison import gt, lt, ne
from minidl.ops.joining import cat, flip, narrow
from minidl.ops.memory_formats import clone
from minidl.ops.pointwise import abs, exp, log
from minidl.ops.reductions import cumsum, cumsum_reverse, sum
from minidl.ops.selection import where
from minidl.ops.shapes import _expand, _permute, _reshape, movedim

Extreme = {name: return_types.define(name, "values indices") for name in ("cummax", "cummin")}


def _scan(name, input, dim):
    """A backend's scan; 0-d arrays count as one element."""
    d = wrap_dim(dim, input.ndim)
    space = of(input)
    return getattr(space, name)(input, d) if input.ndim else space.copy(input)


def _cumprod_rule(g, input, result, dim):
    """sum over later k of g_k prod_k / x_i; where some x is 0, each product formed without its element."""
    if not len(input.shape):
        return g
    if not any_zero(input):
        return div(cumsum_reverse(mul(g, result), dim), input)
    return _cumprod_with_zeros(g, input, dim)


def any_zero(input):
    """Whether an element is zero."""
    return bool(_has_zero(input))


@op(constant="input", faces=(), method=False)
def _has_zero(input):
    space = of(input)
    return space.any(space.eq(input, space.zeros((), input.dtype)), tuple(range(input.ndim)), False)


def _cumprod_with_zeros(g, input, dim):
    """O(n^2): d prod_k / d x_i = prod of x_j, j <= k, j != i, for i <= k."""
    ndim = len(input.shape)
    dim = wrap_dim(dim, ndim)
    order = (*(d for d in range(ndim) if d != dim), dim)
    back = tuple(sorted(range(ndim), key=order.__getitem__))
    x, weight = _permute(input, order), _permute(g, order)
    lead, n = tuple(x.shape)[:-1], x.shape[-1]
    square = (*lead, n, n)
    rows = _expand(_reshape(x, (*lead, 1, n)), square)  # [i, j] = x_j
    without = where(_on_diagonal(rows), 1.0, rows)
    products = cumprod(without, -1)  # [i, k] = prod_{j <= k, j != i} x_j
    inside = where(_below_diagonal(rows), 0.0, products)  # k < i does not depend on x_i
    return _permute(sum(mul(inside, _expand(_reshape(weight, (*lead, 1, n)), square)), -1), back)


@op(constant="input", faces=(), method=False)
def _on_diagonal(input):
    space, n = of(input), input.shape[-1]
    return space.broadcast_to(space.eye(n, n, dtypes.BOOL), input.shape)


@op(constant="input", faces=(), method=False)
def _below_diagonal(input):
    space, n = of(input), input.shape[-1]
    return space.broadcast_to(space.tril(space.full((n, n), True, dtypes.BOOL), -1), input.shape)


@op(input=_cumprod_rule)
def cumprod(input, dim, *, dtype=None):
    """Running products along ``dim``; integers as int64. Source: ``torch.cumprod``.

    >>> import minidl
    >>> minidl.tensor([1.0, 2.0, 3.0]).cumprod(0)
    tensor([1., 2., 6.])
    """
    if dtype is not None:
        input = input.astype(dtypes.numpy_dtype(dtype))
    elif not dtypes.is_floating(input.dtype):
        input = input.astype(dtypes.INT64)
    refuse_bool(input, "cumprod")
    return _scan("cumprod", input, dim)


def _extreme(name, what):
    def forward(input, dim):
        if input.ndim == 0 and dim not in (0, -1):
            raise IndexError(f"{name}(): Expected reduction dim -1 or 0 for scalar but got {dim}")
        d, space = wrap_dim(dim, input.ndim), of(input)
        if input.ndim == 0:
            return (space.copy(input), space.zeros((), dtypes.INT64)), Saved(places=None)
        values, places = getattr(space, name)(input, d)
        return (values, places), Saved(places=places)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""The {what} so far along ``dim`` and its index, of equal ones the last. NaN wins.
    Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([1.0, 1.0]), 0).indices
    tensor([0, 1])
    """

    def rule(g0, places, dim):
        return _collected(g0, places, dim)

    return op(input=rule, returns=Extreme[name])(forward)


def _collected(g, places, dim):
    return g if places is None else _gathered_back(g, places, dim)


@op(
    g=lambda g0, places, dim: _picked(g0, places, dim), constant="places", faces=(), method=False,
)  # fmt: skip
def _gathered_back(g, places, dim):
    space = of(g)
    return space.add_along(space.zeros(g.shape, g.dtype), wrap_dim(dim, g.ndim), places, g)


@op(
    g=lambda g0, places, dim: _gathered_back(g0, places, dim), constant="places", faces=(), method=False,
)  # fmt: skip
def _picked(g, places, dim):
    return of(g).take_along(g, wrap_dim(dim, g.ndim), places)


cummax, cummin = _extreme("cummax", "largest element"), _extreme("cummin", "smallest element")


def _logcumsumexp_rule(g, input, result, input_dtype, dim):
    """exp(x_i) sum over later k of g_k exp(-result_k), positive and negative g apart and in logarithms."""
    if not len(input.shape):
        return g
    nothing = -1e4 if input_dtype.itemsize == 2 else -1e30  # its exponential is 0; infinity would give NaN
    parts = []
    for mine in (gt(g, 0), lt(g, 0)):
        size = where(mine, log(where(mine, abs(g), 1.0)), nothing)
        summed = flip(logcumsumexp(flip(sub(size, result), (dim,)), dim), (dim,))
        parts.append(exp(add(summed, input)))
    return sub(parts[0], parts[1])


@op(input=_logcumsumexp_rule)
def logcumsumexp(input, dim):
    """log of the running sums of exponentials along ``dim``. Source: ``torch.logcumsumexp``.

    >>> import minidl
    >>> minidl.logcumsumexp(minidl.zeros(2), 0)
    tensor([0.0000, 0.6931])
    """
    if not dtypes.is_floating(input.dtype):
        raise NotImplementedError(
            f"\"logcumsumexp_out_cpu\" not implemented for '{dtypes.scalar_name(input.dtype)}'"
        )
    return _scan("logcumsumexp", input, dim)


@function(tensors="input")
def diff(input, n=1, dim=-1, prepend=None, append=None):
    """Differences of neighbours along ``dim``, ``n`` times over, after ``prepend`` and ``append`` are joined to it.
    Source: ``torch.diff``.

    >>> import minidl
    >>> minidl.diff(minidl.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    n = as_index(n, "n")
    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = wrap_dim(dim, input.ndim)
    for name, part in (("prepend", prepend), ("append", append)):
        if part is not None and part.ndim != input.ndim:
            raise RuntimeError(f"diff expects prepend or append to be the same dimension as input: {name}")
    if n == 0:
        return named(clone(input), "CopyBackwards")
    parts = [p for p in (prepend, input, append) if p is not None]
    out = cat(parts, dim) if len(parts) > 1 else input
    for _ in range(min(n, out.shape[dim])):
        length = max(out.shape[dim] - 1, 0)
        upper, lower = narrow(out, dim, 1, length), narrow(out, dim, 0, length)
        out = ne(upper, lower) if out.dtype is dtypes.bool_ else sub(upper, lower)
    return out


def _steps(name, y, x, dx, dim):
    """Sums of neighbours along ``dim`` and the distances between them, a number or a tensor."""
    dim = wrap_dim(dim, y.ndim)
    length = y.shape[dim] - 1
    if length < 0:
        raise RuntimeError(f"{name}(): the dimension to integrate over must not be empty")
    pairs = narrow(y, dim, 1, length) + narrow(y, dim, 0, length)
    if x is None:
        return pairs, dx
    if not isinstance(x, Tensor):
        return pairs, x
    if x.ndim == 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(
                f"{name}(): There must be one `x` value for each sample point: `x` has {x.shape[0]} and `y` has "
                f"{y.shape[dim]}"
            )
        x = x.reshape([-1 if d == dim else 1 for d in range(y.ndim)])
    along = dim - y.ndim + x.ndim
    if along < 0:
        return pairs, x
    return pairs, diff(x, dim=along) if x.shape[along] > 1 else x * 0


@function(tensors="y", aliases=("trapz",), method=False)
def trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integral of ``y`` along ``dim`` by the trapezoidal rule, at the points ``x`` or at distance ``dx``.
    Source: ``torch.trapezoid``.

    >>> import minidl
    >>> minidl.trapezoid(minidl.tensor([1.0, 2.0, 3.0]))
    tensor(4.)
    """
    if y.ndim and y.shape[wrap_dim(dim, y.ndim)] == 0:
        return sum(y, dim) * 1.0
    pairs, steps = _steps("trapezoid", y, x, dx, dim)
    area = sum(pairs * steps, wrap_dim(dim, y.ndim) - y.ndim) / 2.0
    return named(area, "MulBackward1" if x is None else "DivBackward1")


@function(tensors="y", method=False)
def cumulative_trapezoid(y, x=None, *, dx=1, dim=-1):
    """The running integrals of ``y`` along ``dim`` by the trapezoidal rule. Source: ``torch.cumulative_trapezoid``.

    >>> import minidl
    >>> minidl.cumulative_trapezoid(minidl.tensor([1.0, 2.0, 3.0]))
    tensor([1.5000, 4.0000])
    """
    pairs, steps = _steps("cumulative_trapezoid", y, x, dx, dim)
    area = cumsum(pairs * steps, wrap_dim(dim, y.ndim) - y.ndim) / 2.0
    return named(area, "Cumsum" if x is None else "DivBackward1")


def _spaced(spacing, count):
    """Distances, one number or vector a dimension."""
    if isinstance(spacing, (list, tuple)):
        return list(spacing)
    return [1 if spacing is None else spacing] * count


@function(method=False, tensors="input", shown="Cat")
def gradient(input, *, spacing=None, dim=None, edge_order=1):
    """Estimates of the derivative along each dimension by central differences, one-sided at the borders.

    ``spacing`` is a number, or for each dimension a number or a vector of coordinates. Source: ``torch.gradient``.

    >>> import minidl
    >>> minidl.gradient(minidl.tensor([1.0, 4.0, 9.0]))
    (tensor([3., 4., 5.]),)
    """
    dims = range(input.ndim) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    dims = [wrap_dim(d, input.ndim) for d in dims]
    if isinstance(spacing, (list, tuple)) and len(spacing) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = "
            f"{input.ndim}', since dim argument was not given, but got a list of length {len(spacing)}"
            if dim is None
            else "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to "
            f"have the same length, but got a spacing argument of length {len(spacing)} and a dim argument of length "
            f"{len(dims)}."
        )
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    for d in dims:
        if input.shape[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    return tuple(
        movedim(_derivative(movedim(input, d, -1), h, edge_order), -1, d)
        for d, h in zip(dims, _spaced(spacing, len(dims)), strict=True)
    )


def _derivative(y, spacing, edge_order):
    """The derivative along the last dimension."""
    n = y.shape[-1]
    if isinstance(spacing, Tensor) and spacing.ndim:
        if spacing.numel() != n:
            raise RuntimeError(
                f"torch.gradient expected each tensor in spacing to have the same length as the dimension: {n}, but "
                f"got {spacing.numel()}"
            )
        h = diff(spacing)
    else:
        h = y.new_ones(n - 1) * spacing
    a, b = h[:-1], h[1:]
    left, middle, right = y[..., :-2], y[..., 1:-1], y[..., 2:]
    inner = -left * b / (a * (a + b)) + middle * (b - a) / (a * b) + right * a / (b * (a + b))
    if edge_order == 1 or n < 3:
        first, last = (y[..., 1:2] - y[..., :1]) / h[:1], (y[..., -1:] - y[..., -2:-1]) / h[-1:]
    else:
        first, last = _edge(y[..., :1], y[..., 1:2], y[..., 2:3], h[:1], h[1:2]), None
        last = -_edge(y[..., -1:], y[..., -2:-1], y[..., -3:-2], h[-1:], h[-2:-1])
    return cat([first, inner, last], -1)


def _edge(y0, y1, y2, a, b):
    """The derivative at the first of three points, at distances a and b."""
    return -y0 * (2 * a + b) / (a * (a + b)) + y1 * (a + b) / (a * b) - y2 * a / (b * (a + b))
