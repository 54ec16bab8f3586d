"""Comparison, logic and bits: results without gradient."""

from minidl import dtypes
from minidl.autograd import Tensor, function, op
from minidl.backends import of
from minidl.ops.common import checked, promote, scalar_like


def _compare(name, input, other):
    input, other = promote(input, other)
    array = input if hasattr(input, "dtype") else other
    if not dtypes.is_floating(array.dtype):
        input, other = (v if hasattr(v, "dtype") else scalar_like(array, v) for v in (input, other))
    return checked(getattr(of(array), name), input, other)


def _comparison(name, sign, dunder, meaning, aliases=()):
    def forward(input, other):
        return _compare(name, input, other)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""input {sign} other, elementwise: {meaning}. Broadcasts and promotes; the result is
    bool. NaN compares false, but for ``ne``.

    Raises ``RuntimeError`` for shapes that do not broadcast. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([1, 2, 3]), 2).dtype
    minidl.bool
    """
    return op(constant="input other", number="other", dunder=dunder, aliases=aliases)(forward)


lt = _comparison("lt", "<", "lt", "less than", ("less",))
le = _comparison("le", "<=", "le", "less than or equal", ("less_equal",))
gt = _comparison("gt", ">", "gt", "greater than", ("greater",))
ge = _comparison("ge", ">=", "ge", "greater than or equal", ("greater_equal",))
eq = _comparison("eq", "==", "eq", "equal")
ne = _comparison("ne", "!=", "ne", "not equal", ("not_equal",))


def _logical(name, meaning):
    def forward(input, other):
        return checked(getattr(of(input), name), input, other)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""{meaning} of the operands' truth, elementwise; zero is false, NaN is true.
    The result is bool. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([True]), minidl.tensor([True])).shape
    torch.Size([1])
    """
    return op(constant="input other", number="", inplace=True)(forward)


logical_and = _logical("logical_and", "Conjunction")
logical_or = _logical("logical_or", "Disjunction")
logical_xor = _logical("logical_xor", "Exclusive disjunction")


@op(constant="input", inplace=True)
def logical_not(input):
    """Negation of the elements' truth. The result is bool. Source: ``torch.logical_not``.

    >>> import minidl
    >>> minidl.logical_not(minidl.tensor([0, 3]))
    tensor([ True, False])
    """
    return of(input).logical_not(input)


def _no_bits(name, dtype):
    return NotImplementedError(
        f"\"{name}_cpu\" not implemented for '{dtypes.scalar_name(dtype)}'. Hint: use integers."
    )


def _bitwise(name, sign, dunder, meaning):
    def forward(input, other):
        input, other = promote(input, other)
        array = input if hasattr(input, "dtype") else other
        if dtypes.is_floating(array.dtype):
            raise _no_bits(name, array.dtype)
        return checked(getattr(of(array), name), input, other)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""input {sign} other, elementwise: {meaning} of integers or bools. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([6]), minidl.tensor([1])).dtype
    minidl.int64
    """
    return op(constant="input other", dunder=dunder, inplace=True)(forward)


bitwise_and = _bitwise("bitwise_and", "&", "and", "conjunction of the bits")
bitwise_or = _bitwise("bitwise_or", "|", "or", "disjunction of the bits")
bitwise_xor = _bitwise("bitwise_xor", "^", "xor", "exclusive disjunction of the bits")


@op(constant="input", inplace=True)
def bitwise_not(input):
    """Every bit of integers, or the truth of bools, inverted. Source: ``torch.bitwise_not``.

    >>> import minidl
    >>> ~minidl.tensor([0, 1])
    tensor([-1, -2])
    """
    if dtypes.is_floating(input.dtype):
        raise _no_bits("bitwise_not", input.dtype)
    return of(input).bitwise_not(input)


def _invert(self):
    if self.is_floating_point():
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return bitwise_not(self)


Tensor.__invert__ = _invert


def _classify(name, meaning):
    def forward(input):
        if not dtypes.is_floating(input.dtype):
            space = of(input)
            return space.full(input.shape, name == "isfinite", dtypes.BOOL)
        return getattr(of(input), name)(input)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""Whether each element is {meaning}. The result is bool. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([1.0, float("nan"), float("inf")])).tolist().count(True)
    {1}
    """
    return op(constant="input")(forward)


isnan = _classify("isnan", "NaN")
isinf = _classify("isinf", "infinite")
isfinite = _classify("isfinite", "neither infinite nor NaN")


@function(tensors="input other")
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|, elementwise; NaN is close to NaN only with ``equal_nan``.
    Source: ``torch.isclose``.

    >>> import minidl
    >>> minidl.isclose(minidl.tensor([1.0, 2.0]), minidl.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    if input.dtype is not other.dtype:
        raise RuntimeError(f"{input.dtype!r} did not match {other.dtype!r}. Hint: convert one with .to().")
    close = eq(input, other)
    if input.is_floating_point():
        near = le((input - other).abs(), atol + rtol * other.abs())
        close = logical_or(close, logical_and(near, isfinite(input - other)))
        if equal_nan:
            close = logical_or(close, logical_and(isnan(input), isnan(other)))
        return close
    input, other = input.double(), other.double()
    return logical_or(close, le((input - other).abs(), atol + rtol * other.abs()))


@function(tensors="input other")
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether ``isclose`` holds everywhere. Source: ``torch.allclose``.

    >>> import minidl
    >>> minidl.allclose(minidl.tensor([1.0]), minidl.tensor([1.0 + 1e-9]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@function(tensors="input other")
def equal(input, other):
    """Whether both tensors have the same size and elements. Source: ``torch.equal``.

    >>> import minidl
    >>> minidl.equal(minidl.ones(2), minidl.ones(3))
    False
    """
    return input.shape == other.shape and bool(eq(input, other).all())
