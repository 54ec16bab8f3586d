"""Hypothesis strategies for shapes, dtypes, memory layouts, arrays and tensors."""

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


def elements(low=-3.0, high=3.0, away_from=(), margin=0.05):
    """Floats with two decimals in [``low``, ``high``], none within ``margin`` of a point of ``away_from``.

    Central differences need room around a value and short decimals shrink well, so gradient checks draw these:
    keep ``relu`` away from 0, ``floor`` from the integers.
    """
    numbers = st.integers(round(low * 100), round(high * 100)).map(lambda hundredths: hundredths / 100)
    return numbers.filter(lambda value: all(abs(value - point) >= margin for point in away_from))


def layouts(*, expanded=True):
    """Names of memory layouts: contiguous, transposed, sliced, negative, and, where ``expanded``, two
    (expanded and overlapping) in which several elements share a place.
    """
    return st.sampled_from([layout for layout in LAYOUTS if expanded or layout not in SHARING])


@st.composite
def arrays(draw, shape=None, dtype=_dtypes.float64, elements=None, layout="contiguous"):
    """NumPy arrays. Each argument is a value or a strategy: ``shape``, a minidl or NumPy ``dtype``, ``layout``.

    ``elements`` draws one value; by default ``elements()`` for floats, small numbers for integers, both for bool.

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
    return strided(np.array(values).astype(kind).reshape(side), _drawn(draw, layout))


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
