"""Hypothesis strategies for shapes, dtypes, memory layouts, arrays and tensors."""

import math

import numpy as np
from hypothesis import strategies as st

from minidl import dtypes as _dtypes
from minidl.autograd.tensor import leaf
from minidl.testing.striding import LAYOUTS, SHARING, strided


def shapes(min_dims=0, max_dims=4, min_side=1, max_side=5):
    """Shapes: tuples of ``min_dims`` to ``max_dims`` sides of ``min_side`` to ``max_side`` (0 gives empty tensors).

    >>> from hypothesis import given
    >>> @given(shapes(max_dims=2))
    ... def check(shape):
    ...     assert len(shape) <= 2 and all(1 <= side <= 5 for side in shape)
    >>> check()
    """
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


@st.composite
def broadcastable_shapes(draw, count=2, max_dims=4, min_side=1, max_side=5):
    """``count`` shapes that broadcast together, as a tuple: each drops leading sides of one shape and sets some to 1.

    >>> import numpy as np
    >>> from hypothesis import given
    >>> @given(broadcastable_shapes(3))
    ... def check(three):
    ...     np.broadcast_shapes(*three)
    >>> check()
    """
    full = draw(shapes(0, max_dims, min_side, max_side))
    found = []
    for _ in range(count):
        kept = full[draw(st.integers(0, len(full))) :]
        ones = draw(st.lists(st.booleans(), min_size=len(kept), max_size=len(kept)))
        found.append(tuple(1 if one else side for side, one in zip(kept, ones, strict=True)))
    return tuple(found)


def dtypes(kind="floating"):
    """minidl dtypes: ``'floating'`` (float32, float64), ``'reduced'`` (16-bit floats), ``'integer'`` or ``'all'``."""
    names = [d.name for d in _dtypes.available()]
    chosen = {
        "floating": ["float32", "float64"],
        "reduced": [n for n in ("float16", "bfloat16") if n in names],
        "integer": [n for n in names if "int" in n],
        "all": names,
    }
    if kind not in chosen:
        raise ValueError(f"dtypes: kind must be one of {', '.join(chosen)}, got {kind!r}")
    return st.sampled_from(chosen[kind]).map(_dtypes.named)


def elements(low=-3.0, high=3.0, away_from=(), margin=0.05, *, ties=False, special=(), dtype=_dtypes.float64):
    """Floats with two decimals in [``low``, ``high``], none within ``margin`` of a point of ``away_from``.

    Central differences need room around a value and short decimals shrink well, so gradient checks draw these:
    keep ``relu`` away from 0, ``floor`` from the integers.

    Args:
        ties: whole numbers only, so that equal ones are common.
        special: kinds of values that are drawn besides, as ``dtype`` has them: any of ``'huge'``, ``'tiny'``,
            ``'subnormal'``, ``'inf'``, ``'nan'``.
        dtype: whose special values; that of the array they are for.

    Raises ``ValueError`` where there is no such number.

    >>> from hypothesis import find
    >>> find(elements(special=["inf"]), lambda value: value > 3)
    inf
    """
    if ties:
        numbers = st.integers(math.ceil(low), math.floor(high)).map(float)
    else:
        least, most = math.ceil(round(low * 100, 6)), math.floor(round(high * 100, 6))
        if least > most:
            raise ValueError(f"elements: no number of two decimals lies between {low} and {high}")
        numbers = st.integers(least, most).map(lambda hundredths: hundredths / 100)
    if away_from:
        numbers = numbers.filter(lambda value: all(abs(value - point) >= margin for point in away_from))
    if not special:
        return numbers
    return numbers | st.sampled_from([value for kind in special for value in _special(kind, dtype)])


def _special(kind, dtype):
    limits = _dtypes.finfo(dtype)
    known = {
        "huge": (limits.max, limits.max / 3, -limits.max),
        "tiny": (limits.tiny, -limits.tiny),
        "subnormal": (limits.tiny / 4, -limits.tiny / 2),
        "inf": (math.inf, -math.inf),
        "nan": (math.nan,),
    }
    if kind not in known:
        raise ValueError(f"elements: special must be among {', '.join(known)}, got {kind!r}")
    return tuple(float(value) for value in known[kind])


def axes(ndim, *, count=None):
    """An axis of ``ndim`` dimensions, counted from either end; with ``count``, a tuple of up to so many different ones.

    As in PyTorch an array without dimensions has the axes 0 and -1.

    >>> from hypothesis import given
    >>> @given(axes(3, count=2))
    ... def check(dims):
    ...     assert 1 <= len({dim % 3 for dim in dims}) == len(dims) <= 2
    >>> check()
    """
    ndim = max(ndim, 1)
    one = st.integers(0, ndim - 1).flatmap(lambda dim: st.sampled_from([dim, dim - ndim]))
    if count is None:
        return one
    return st.lists(one, min_size=1, max_size=min(count, ndim), unique_by=lambda dim: dim % ndim).map(tuple)


def permutations(size):
    """Orders of ``size`` things, as tuples; they shrink towards 0, 1, 2, ...

    >>> from hypothesis import find
    >>> find(permutations(3), lambda order: order[0] != 0)
    (1, 0, 2)
    """
    return st.permutations(range(size)).map(tuple)


def index_arrays(size, shape=None, *, negative=False):
    """int64 arrays of indices into a dimension of ``size``, of a ``shape`` (or a strategy); empty ones for size 0.

    >>> from hypothesis import given
    >>> @given(index_arrays(4, (2, 3)))
    ... def check(index):
    ...     assert index.shape == (2, 3) and index.min() >= 0 and index.max() < 4
    >>> check()
    """
    places = st.integers(-size if negative else 0, size - 1) if size else st.nothing()
    return arrays(shape, _dtypes.int64, places)


@st.composite
def indices(draw, shape):
    """A basic index into ``shape``, as ``x[index]`` takes it: ints and slices from either end, None, one Ellipsis.

    Steps of slices are positive, as PyTorch demands.

    >>> from hypothesis import given
    >>> @given(indices((3, 4)))
    ... def check(index):
    ...     np.zeros((3, 4))[index]
    >>> check()
    """
    parts = []
    for side in shape[: draw(st.integers(0, len(shape)))]:
        bounds = st.none() | st.integers(-side, side)
        kinds = st.builds(slice, bounds, bounds, st.integers(1, 3))
        parts.append(draw(kinds if side == 0 else kinds | st.integers(-side, side - 1)))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)


@st.composite
def distinct_arrays(draw, shape=None, step=0.25, layout="contiguous"):
    """float64 arrays of which no two elements are equal: an order of multiples of ``step``, for max, sort and median.

    >>> from hypothesis import given
    >>> @given(distinct_arrays((2, 3)))
    ... def check(array):
    ...     assert len(np.unique(array)) == 6
    >>> check()
    """
    side = tuple(_drawn(draw, shapes() if shape is None else shape))
    count = int(np.prod(side))
    values = (np.array(draw(permutations(count)), np.float64) - count // 2) * step
    return strided(values.reshape(side), _drawn(draw, layout))


def layouts(*, expanded=True):
    """Names of memory layouts: contiguous, transposed, sliced, negative, and, where ``expanded``, two
    (expanded and overlapping) in which several elements share a place.
    """
    return st.sampled_from([layout for layout in LAYOUTS if expanded or layout not in SHARING])


@st.composite
def arrays(draw, shape=None, dtype=_dtypes.float64, elements=None, layout="contiguous"):
    """NumPy arrays. Each argument is a value or a strategy: ``shape``, a minidl or NumPy ``dtype``, ``layout``.

    ``elements`` draws one value; by default ``elements()`` for floats, small numbers for integers, both for bool.
    Raises ``ValueError`` for one that the dtype has not: 0.5 in integers, what overflows or vanishes in a narrow float.

    >>> from hypothesis import given
    >>> @given(arrays(shapes(1, 2), layout=layouts()))
    ... def check(array):
    ...     assert array.ndim in (1, 2) and array.dtype == "float64"
    >>> check()
    """
    side = tuple(_drawn(draw, shapes() if shape is None else shape))
    kind = _drawn(draw, dtype)
    kind = kind.numpy if isinstance(kind, _dtypes.dtype) else np.dtype(kind)
    count = int(np.prod(side))
    element = _default_elements(kind) if elements is None else elements
    values = draw(st.lists(element, min_size=count, max_size=count))
    return strided(_cast(np.array(values), kind).reshape(side), _drawn(draw, layout))


def _cast(values, kind):
    """Values as a dtype, where it has them."""
    with np.errstate(all="ignore"):
        found = values.astype(kind)
    if _dtypes.is_floating(kind):
        back = found.astype(np.float64)
        lost = (np.isfinite(back) != np.isfinite(values)) | ((back == 0) != (values == 0))
    else:
        lost = found != values
    if np.any(lost):
        raise ValueError(
            f"arrays: {kind} has no {values[lost][0]!r}. Hint: give elements of that dtype, as "
            "elements(special=..., dtype=minidl.float16) or hypothesis.strategies.integers()."
        )
    return found


@st.composite
def tensors(draw, shape=None, dtype=_dtypes.float64, elements=None, layout="contiguous", requires_grad=False):
    """Tensors on the memory of ``arrays(...)``, so with their strides. Float ones may require a gradient.

    >>> from hypothesis import given
    >>> @given(tensors(shapes(1, 1), requires_grad=True))
    ... def check(x):
    ...     assert x.requires_grad and x.dim() == 1
    >>> check()
    """
    return leaf(draw(arrays(shape, dtype, elements, layout)), requires_grad)


def _drawn(draw, value):
    return draw(value) if isinstance(value, st.SearchStrategy) else value


def _default_elements(kind):
    if kind == np.bool_:
        return st.booleans()
    if _dtypes.is_floating(kind):
        return elements()
    return st.integers(0 if kind.kind == "u" else -9, 9)
