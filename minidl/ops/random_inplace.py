"""Tensor methods that fill a tensor with random numbers and return it."""

import math

from minidl import dtypes
from minidl.autograd import Tensor, function
from minidl.autograd.inplace import check_writable, write
from minidl.autograd.tensor import make
from minidl.backends import of
from minidl.ops.random import check_range, draw, draw_integers, float_dtype, integer_limits, normal_array
from minidl.ops.sampling import check_probability, kept_with_chance


def _filled(input, name, array):
    """``array`` written into ``input``."""
    return write(input, make(array, None), name)


def _prepared(input, name, floating=True):
    """Shape, NumPy dtype and device of a tensor about to be filled; refusals come before a number is drawn."""
    check_writable(input, name)
    if floating:
        float_dtype(input.dtype, name)
    return input._array.shape, input._array.dtype, input.device


@function(faces=())
def uniform_(input, low=0.0, to=1.0, *, generator=None):
    """Fills with uniform numbers in [low, to); all ``low`` where they are equal.

    Raises ``RuntimeError`` for ``low > to``, a bound that is not finite, or a dtype that is no float.
    Source: PyTorch's ``Tensor.uniform_``, whose first bound is called ``from``, a keyword of Python.

    >>> import minidl
    >>> bool((minidl.empty(4).uniform_(2, 3) >= 2).all())
    True
    """
    shape, dtype, where = _prepared(input, "uniform_")
    largest = dtypes.finfo(input.dtype).max
    for name, bound in (("from", low), ("to", to)):
        if not -largest <= bound <= largest:
            raise RuntimeError(f"{name} is out of bounds for {input.dtype!r}: {bound}")
    if low > to:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={to}")
    if to - low > largest:
        raise RuntimeError(f"uniform_ expects to-from <= {largest}, but found to={to} and from={low}")
    array = draw("philox_uniform", shape, dtype, generator, where)
    if (low, to) != (0, 1):
        array = of(array).stretch_uniform(array, float(low), float(to))
    return _filled(input, "uniform_", array)


@function(faces=())
def normal_(input, mean=0.0, std=1.0, *, generator=None):
    """Fills with normal numbers. Raises ``RuntimeError`` for a negative ``std`` or a dtype that is no float."""
    return _filled(
        input, "normal_", normal_array(*_prepared(input, "normal_")[:2], mean, std, generator, input.device)
    )


def truncated_normal_(input, mean=0.0, std=1.0, a=-2.0, b=2.0, *, generator=None):
    """Fills with normal numbers that lie in [a, b]: what ``nn.init.trunc_normal_`` does."""
    shape, dtype, where = _prepared(input, "trunc_normal_")
    if not std > 0 or not a <= b:
        raise RuntimeError(f"trunc_normal_ expects std > 0 and a <= b, but found std={std}, a={a}, b={b}")
    uniform = draw("philox_uniform", shape, dtypes.FLOAT64, generator, where)
    space = of(uniform)
    normal = space.truncated_normal(uniform, (a - mean) / std, (b - mean) / std)
    array = space.clamp(space.scale_and_shift(normal, std, mean), a, b)
    return _filled(input, "trunc_normal_", space.astype(array, dtype))


@function(faces=())
def exponential_(input, lambd=1.0, *, generator=None):
    """Fills with exponential numbers: density lambd exp(-lambd x) for x > 0.

    Raises ``RuntimeError`` unless lambd > 0, or for a dtype that is no float.
    """
    shape, dtype, where = _prepared(input, "exponential_")
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    array = draw("philox_exponential", shape, dtype, generator, where)
    return _filled(input, "exponential_", of(array).scale_and_shift(array, 1.0 / lambd, 0.0))


@function(faces=())
def bernoulli_(input, p=0.5, *, generator=None):
    """Fills with 1 at chance ``p`` and 0 otherwise; ``p`` is a number or a tensor of chances that broadcasts.

    Raises ``RuntimeError`` for a chance outside [0, 1]. Source: PyTorch's ``Tensor.bernoulli_``.

    >>> import minidl
    >>> minidl.empty(3).bernoulli_(1)
    tensor([1., 1., 1.])
    """
    shape, dtype, where = _prepared(input, "bernoulli_", floating=False)
    check_probability(p, "bernoulli_")
    kept = kept_with_chance(p._array if isinstance(p, Tensor) else p, shape, generator, where)
    return _filled(input, "bernoulli_", of(kept).astype(kept, dtype))


@function(faces=())
def random_(input, low=None, to=None, *, generator=None):
    """Fills with integers in [low, to), each equally likely; ``random_(to)`` begins at 0.

    ``random_()`` goes up to the largest integer of the dtype, for floats up to where they hold every integer.
    Raises ``RuntimeError`` for an empty range or one that the dtype cannot hold. Source: PyTorch's ``Tensor.random_``.

    >>> import minidl
    >>> bool((minidl.empty(9, dtype=minidl.int64).random_(3) < 3).all())
    True
    """
    shape, dtype, where = _prepared(input, "random_", floating=False)
    if to is None:
        low, to = 0, integer_limits(dtype)[1] + 1 if low is None else low
    low = 0 if low is None else low
    if not math.isfinite(low) or not math.isfinite(to):
        raise RuntimeError(f"random_ expects finite bounds, but got from={low}, to={to}")
    low, to = int(low), int(to)
    check_range(low, to, dtype, "random_")
    return _filled(input, "random_", draw_integers(shape, dtype, low, to, generator, where))
