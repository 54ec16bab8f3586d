"""Order statistics and moments: median, mode, quantile, kthvalue, covariance, sums without NaN."""

from minidl import dtypes, return_types
from minidl.autograd import Saved, Tensor, function, op
from minidl.autograd.node import named
from minidl.backends import is_host, of
from minidl.ops.arithmetic import div, mul
from minidl.ops.common import as_index, refuse_bool, wrap_dim
from minidl.ops.comparison import isnan, logical_not
from minidl.ops.indexing import index_select
from minidl.ops.matmul import matmul
from minidl.ops.ordering import _along, sort
from minidl.ops.pointwise import floor, sqrt
from minidl.ops.reductions import amax, amin, mean, norm, sum
from minidl.ops.selection import clamp, where
from minidl.ops.shapes import movedim, unsqueeze

_TUPLES = {
    name: return_types.define(name, "values indices") for name in ("kthvalue", "median", "nanmedian", "mode")
}
Aminmax = return_types.define("aminmax", "min max")


def _statistic(name):
    """An op that picks one element along a dimension: ``(values, indices)``."""

    def forward(input, k, dim, keepdim):
        space = of(input)
        if input.ndim == 0:
            return (space.copy(input), space.zeros((), dtypes.INT64)), Saved(places=None)
        values, places = _PICKS[name](space, input, k, dim)
        if keepdim:
            values, places = space.unsqueeze(values, dim), space.unsqueeze(places, dim)
        return (values, places), Saved(places=places)

    forward.__name__ = f"_{name}_along"
    return op(
        input=lambda g0, input_shape, places, dim, keepdim: _along(g0, input_shape, places, dim, keepdim),
        returns=_TUPLES[name], shown=f"{name.capitalize()}Backward{int('median' in name)}", faces=(), method=False,
    )(forward)  # fmt: skip


def _kth(space, input, k, dim):
    return space.select(input, dim, k)


def _middle(space, input, ignore_nan, dim):
    """The lower median; NaN where there is one, or the median of the others."""
    n = input.shape[dim]
    integral = not dtypes.is_floating(input.dtype)
    if integral or (is_host(input) and not space.isnan(input).any()):
        return space.select(input, dim, (n - 1) // 2 + 1)
    values, order = space.sort(input, dim, False)
    bad = space.isnan(values)
    count = space.sum(space.astype(bad, dtypes.INT64), (dim,), True)
    if ignore_nan:
        place = space.clamp(space.floor_divide(n - count - 1, 2), space.zeros((), dtypes.INT64), None)
    else:
        first_bad = space.argmax(bad, dim, True)
        place = space.where(count > 0, first_bad, space.full((), (n - 1) // 2, dtypes.INT64))
    return tuple(space.squeeze(space.take_along(a, dim, place), (dim,)) for a in (values, order))


_PICKS = {
    "kthvalue": _kth,
    "median": lambda space, input, k, dim: _middle(space, input, False, dim),
    "nanmedian": lambda space, input, k, dim: _middle(space, input, True, dim),
    "mode": lambda space, input, k, dim: space.mode(input, dim),
}
_kthvalue_along, _median_along, _nanmedian_along, _mode_along = map(_statistic, _PICKS)


def _check_length(name, input, dim):
    if input.ndim and input.shape[dim] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")


@function(tensors="input")
def kthvalue(input, k, dim=-1, keepdim=False):
    """The ``k``-th smallest value along ``dim`` (k from 1 on) and its index. Source: ``torch.kthvalue``.

    >>> import minidl
    >>> minidl.kthvalue(minidl.tensor([3.0, 1.0, 2.0]), 2).values
    tensor(2.)
    """
    d = wrap_dim(dim, input.ndim)
    refuse_bool(input._array, "kthvalue_cpu")
    _check_length("kthvalue", input, d)
    if not 1 <= as_index(k, "k") <= (input.shape[d] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {d}")
    return _kthvalue_along(input, k, d, keepdim)


def _median(name, along, what):
    def forward(input, dim=None, keepdim=False):
        refuse_bool(input._array, f"{name}_out")
        if dim is None:
            if input.numel() == 0:
                return input.sum() * float("nan")
            return named(along(input.reshape(-1), 0, 0, False).values, name.capitalize())
        d = wrap_dim(dim, input.ndim)
        _check_length(name, input, d)
        return along(input, 0, d, keepdim)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""The median, of two the lower one: of all elements, or along ``dim`` with its index; {what}.
    Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([3.0, 1.0, 2.0]))
    tensor(2.)
    """
    return function(tensors="input")(forward)


median = _median("median", _median_along, "NaN where there is one")
nanmedian = _median("nanmedian", _nanmedian_along, "NaN is left out")


@function(tensors="input")
def mode(input, dim=-1, keepdim=False):
    """The most frequent value along ``dim``, of several the smallest, and an index of it. Source: ``torch.mode``.

    >>> import minidl
    >>> minidl.mode(minidl.tensor([1, 2, 2])).values
    tensor(2)
    """
    d = wrap_dim(dim, input.ndim)
    _check_length("mode", input, d)
    return _mode_along(input, 0, d, keepdim)


def _positions(q, count, interpolation):
    """The places below and above the quantiles, and the weight of the one above."""
    rank = mul(q, count - 1)
    if interpolation == "nearest":
        rank = rank.round()
    low = floor(rank)
    if interpolation == "lower":
        rank = low
    if interpolation == "higher":
        rank = rank.ceil()
        low = rank
    weight = rank - low
    if interpolation == "midpoint":
        weight = where(weight > 0, 0.5, weight)
    return low, clamp(low + 1, max=count - 1) if isinstance(count, int) else low + 1, weight


def _quantile(name, input, q, dim, keepdim, interpolation, ignore_nan):
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    _check_quantile(name, input, q)
    scalar = not isinstance(q, Tensor)
    q = input.new_tensor([q]) if scalar else q
    lead = () if scalar or q.ndim == 0 else (q.shape[0],)
    if dim is None:
        ndim, flat = input.ndim, input.reshape(-1)
        kept = (1,) * ndim
    else:
        dim = wrap_dim(dim, input.ndim)
        flat = movedim(input, dim, -1) if input.ndim else input.reshape(1)
        kept = tuple(1 if d == dim else n for d, n in enumerate(input.shape))
    if flat.shape[-1] == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    out = _interpolated(sort(flat, -1).values, q.reshape(-1), interpolation, ignore_nan)
    out = movedim(out, -1, 0)
    if not lead:
        out = out[0]
    return out.reshape(lead + kept) if keepdim else out


def _check_quantile(name, input, q):
    if not input.is_floating_point() or input.dtype.itemsize == 2:
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Tensor):
        if q.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if q.dtype is not input.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        if q.numel() and not bool(((q >= 0) & (q <= 1)).all()):
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    elif not 0 <= q <= 1:
        raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")


def _interpolated(ranked, q, interpolation, ignore_nan):
    """Quantiles (..., len(q)) of values in order along the last dimension; NaN lies last there."""
    bad = isnan(ranked)
    if not ignore_nan:
        low, high, weight = _positions(q, ranked.shape[-1], interpolation)
        below, above = (index_select(ranked, ranked.ndim - 1, place.long()) for place in (low, high))
        out = below + (above - below) * weight
        return where(bad.any(-1, keepdim=True), float("nan"), out)
    count = sum(logical_not(bad).to(ranked.dtype), -1, True)
    low, high, weight = _positions(q, clamp(count, min=1), interpolation)
    top = clamp(count - 1, min=0)
    below, above = (ranked.gather(-1, place.minimum(top).long()) for place in (low, high))
    return below + (above - below) * weight


@function(tensors="input", shown="SqueezeBackward4")
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """The ``q``-quantiles of all elements or along ``dim``; several q come as the first dimension.
    Source: ``torch.quantile``.

    >>> import minidl
    >>> minidl.quantile(minidl.tensor([0.0, 1.0, 2.0]), 0.25)
    tensor(0.5000)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@function(tensors="input", shown="SqueezeBackward4")
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """``quantile`` of what is not NaN. Source: ``torch.nanquantile``.

    >>> import minidl
    >>> minidl.nanquantile(minidl.tensor([0.0, 1.0, float("nan")]), 0.5)
    tensor(0.5000)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


@function(tensors="input", shown="Aminmax")
def aminmax(input, *, dim=None, keepdim=False):
    """The smallest and the largest element, of all or along ``dim``. Source: ``torch.aminmax``.

    >>> import minidl
    >>> minidl.aminmax(minidl.tensor([1.0, 3.0])).max
    tensor(3.)
    """
    if input.numel() == 0 and dim is None:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    dims = () if dim is None else (as_index(dim, "dim"),)
    if dim is not None and input.ndim and input.shape[wrap_dim(dim, input.ndim)] == 0:
        raise IndexError(f"aminmax(): Expected reduction dim {dim} to have non-zero size.")
    return Aminmax(amin(input, dims, keepdim), amax(input, dims, keepdim))


@function(tensors="input", shown="Nansum")
def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """``sum`` with NaN as zero. Source: ``torch.nansum``.

    >>> import minidl
    >>> minidl.nansum(minidl.tensor([1.0, float("nan")]))
    tensor(1.)
    """
    clean = where(isnan(input), 0.0, input) if input.is_floating_point() else input
    return sum(clean, dim, keepdim, dtype=dtype)


@function(tensors="input")
def nanmean(input, dim=None, keepdim=False, *, dtype=None):
    """``mean`` of what is not NaN. Source: ``torch.nanmean``.

    >>> import minidl
    >>> minidl.nanmean(minidl.tensor([1.0, 3.0, float("nan")]))
    tensor(2.)
    """
    if not input.is_floating_point():
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype!r}"
        )
    count = sum(logical_not(isnan(input)), dim, keepdim)
    return div(nansum(input, dim, keepdim, dtype=dtype), count)


@function(tensors="input")
def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariance matrix of variables (rows) over observations (columns). Source: ``torch.cov``.

    >>> import minidl
    >>> minidl.cov(minidl.tensor([[0.0, 2.0], [2.0, 0.0]]))
    tensor([[ 2., -2.],
            [-2.,  2.]])
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    if input.dtype is dtypes.bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input.reshape(1, -1) if input.ndim < 2 else input
    weights, total = _weights(rows, fweights, aweights)
    if not rows.is_floating_point():
        rows = rows.to(dtypes.get_default_dtype())
    if weights is None:
        centred = rows - mean(rows, 1, True)
        scale = total - correction
    else:
        w_sum = sum(weights)
        centred = rows - unsqueeze(sum(rows * weights, 1) / w_sum, 1)
        if fweights is None or aweights is None:
            scale = w_sum - correction * (sum(weights * aweights) / w_sum if aweights is not None else 1)
        else:
            scale = w_sum - correction * sum(weights * aweights) / w_sum
        scale = clamp(scale, min=0)
    if weights is None:
        scale = max(scale, 0)
    product = matmul(centred, (centred if weights is None else centred * weights).t())
    return (div(product, scale) if not isinstance(scale, int) or scale else product * float("inf")).squeeze()


def _weights(rows, fweights, aweights):
    """The product of the weights, or None, and the number of observations."""
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        if w is None:
            continue
        if w.ndim > 1:
            raise RuntimeError(
                f"cov(): expected {name} to have one or fewer dimensions but got {name} with {w.ndim} dimensions"
            )
        if (name == "fweights") == w.is_floating_point():
            kind = "integral" if name == "fweights" else "floating point"
            raise RuntimeError(
                f"cov(): expected {name} to have {kind} dtype but got {name} with {w.dtype.name} dtype"
            )
        if w.numel() != rows.shape[1]:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                f"{w.numel()} != {rows.shape[1]}"
            )
        if w.numel() and bool((w < 0).any()):
            raise RuntimeError(f"cov(): {name} cannot be negative")
    given = [w.reshape(-1) for w in (fweights, aweights) if w is not None]
    if not given:
        return None, rows.shape[1]
    return (given[0] if len(given) == 1 else given[0] * given[1]), rows.shape[1]


@function(tensors="input")
def corrcoef(input):
    """The matrix of correlation coefficients of variables (rows) over observations (columns).
    Source: ``torch.corrcoef``.

    >>> import minidl
    >>> minidl.corrcoef(minidl.tensor([[0.0, 2.0], [2.0, 0.0]])).shape
    torch.Size([2, 2])
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    c = cov(input)
    if c.ndim == 0:
        return c / c
    deviation = sqrt(c.diagonal())
    return clamp(c / deviation.reshape(-1, 1) / deviation, -1, 1)


@function(tensors="input other", shown="Dist")
def dist(input, other, p=2):
    """The p-norm of input - other. Source: ``torch.dist``.

    >>> import minidl
    >>> minidl.dist(minidl.zeros(2), minidl.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return norm(input - other, p)


@function(tensors="input", shown="Renorm")
def renorm(input, p, dim, maxnorm):
    """Slices along ``dim`` scaled down to a p-norm of at most ``maxnorm``. Source: ``torch.renorm``.

    >>> import minidl
    >>> minidl.renorm(minidl.tensor([[3.0, 4.0]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000]])
    """
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    dim = wrap_dim(dim, input.ndim)
    rest = tuple(d for d in range(input.ndim) if d != dim)
    size = norm(input, p, rest, True)
    return input * where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)
