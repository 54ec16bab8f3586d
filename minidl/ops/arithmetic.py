"""Arithmetic of two operands: broadcasting, PyTorch's promotion, Python numbers on either side."""

from minidl import backends, dtypes
from minidl.autograd import Tensor, op
from minidl.backends import of
from minidl.ops.common import NoTensor, checked, floating, promote, refuse_bool


def binary(name, input, other):
    """A backend's function of two operands, promoted first; one of them may be a Python number."""
    try:
        input, other = promote(input, other)
    except NoTensor:
        input, other = _two_numbers(input, other)
    space = of(input if hasattr(input, "dtype") else other)
    try:
        return getattr(space, name)(input, other)
    except ValueError:
        return checked(getattr(space, name), input, other)


def _two_numbers(input, other):
    """Two numbers promoted: the first one is a 0-d tensor then, as in PyTorch."""
    dtype = {bool: dtypes.BOOL, int: dtypes.INT64}.get(input.__class__) or dtypes.get_default()
    return promote(backends.on("cpu").full((), input, dtype), other)


def is_number(value):
    """Whether a raw operand is a Python number."""
    return isinstance(value, (bool, int, float))


def _is_bool(value):
    return value is True or value is False or getattr(value, "dtype", None) == dtypes.BOOL


@op(
    input=lambda g: g, other=lambda g, alpha: g if alpha == 1 else mul(g, alpha), dunder="add", inplace=True,
)  # fmt: skip
def add(input, other, *, alpha=1):
    """input + alpha * other, elementwise with broadcasting and type promotion.

    Shapes: any that broadcast. Raises ``RuntimeError`` where they do not. Source: ``torch.add``.

    >>> import minidl
    >>> minidl.add(minidl.tensor([1.0, 2.0]), 10, alpha=2)
    tensor([21., 22.])
    """
    if alpha != 1:
        input, other = _scaled(input, other, alpha)
    return binary("add", input, other)


def _scaled(input, other, alpha):
    """``input`` and ``alpha * other`` in their common dtype, which ``alpha`` does not widen."""
    input, other = (
        _two_numbers(input, other) if is_number(input) and is_number(other) else promote(input, other)
    )
    dtype = (input if hasattr(input, "dtype") else other).dtype
    alpha = alpha.item() if hasattr(alpha, "item") else alpha
    if isinstance(alpha, float) and not dtypes.is_floating(dtype):
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number. Hint: convert the input "
            "with .float()."
        )
    if dtype == dtypes.BOOL:
        alpha = bool(alpha)
    return input, (other * alpha if is_number(other) else binary("mul", other, alpha))


@op(
    input=lambda g: g, other=lambda g, alpha: mul(g, -alpha), dunder="sub", inplace=True, aliases=("subtract",),
)  # fmt: skip
def sub(input, other, *, alpha=1):
    """input - alpha * other, elementwise with broadcasting and type promotion.

    Shapes: any that broadcast. Raises ``RuntimeError`` where they do not, or for bool operands. Source: ``torch.sub``.

    >>> import minidl
    >>> minidl.sub(minidl.tensor([1.0, 2.0]), 0.5)
    tensor([0.5000, 1.5000])
    """
    return _difference(input, other, alpha)


def _difference(input, other, alpha=1):
    if _is_bool(input) or _is_bool(other):
        if _is_bool(input) and _is_bool(other):
            raise RuntimeError(
                "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
                "`logical_xor()` operator instead."
            )
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )
    if alpha != 1:
        input, other = _scaled(input, other, alpha)
    return binary("sub", input, other)


@op(
    input=lambda g: neg(g), other=lambda g: g, dunder="rsub", faces=(), method=False,
    shown=lambda shape, kept: f"RsubBackward{int(kept['edges'][1] is None)}",
)  # fmt: skip
def reflected_sub(input, other):
    """other - input, as ``2 - x`` is called."""
    return _difference(other, input)


@op(
    input=lambda g, other: mul(g, other), other=lambda g, input: mul(g, input),
    dunder="mul", inplace=True, aliases=("multiply",),
)  # fmt: skip
def mul(input, other):
    """input * other, elementwise with broadcasting and type promotion.

    Shapes: any that broadcast. Raises ``RuntimeError`` where they do not. Source: ``torch.mul``.

    >>> import minidl
    >>> minidl.tensor([1.0, 2.0]) * minidl.tensor([[3.0], [4.0]])
    tensor([[3., 6.],
            [4., 8.]])
    """
    return binary("mul", input, other)


def _div_input(g, other, rounding_mode):
    return zeros_of(g) if rounding_mode is not None else div(g, other)


def _div_other(g, input, other, rounding_mode):
    return zeros_of(g) if rounding_mode is not None else neg(mul(g, div(div(input, other), other)))


@op(constant="input", faces=(), method=False)
def zeros_of(input):
    """A gradient of zeros, whose own gradient is none."""
    return of(input).zeros(input.shape, input.dtype)


def _div_name(shape, kept):
    """PyTorch multiplies a number with a tensor's reciprocal; rounded quotients have a node of their own."""
    return "DivBackward2" if kept.get("rounding_mode") else "Mul" if is_number(kept.get("input")) else "Div"


@op(
    input=_div_input, other=_div_other, dunder="truediv", inplace=True, aliases=("divide", "true_divide"),
    shown=_div_name,
)  # fmt: skip
def div(input, other, *, rounding_mode=None):
    """input / other, elementwise; integers divide as floats unless ``rounding_mode`` is ``'floor'`` or ``'trunc'``.

    Raises ``RuntimeError`` for another rounding mode. Source: ``torch.div``.

    >>> import minidl
    >>> minidl.tensor([7, -7]) / 2
    tensor([ 3.5000, -3.5000])
    >>> minidl.div(minidl.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    if rounding_mode == "floor":
        return floor_quotient(input, other)
    if rounding_mode not in (None, "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    given = input, other
    try:
        input, other = promote(input, other)
    except NoTensor:
        given = input, other = _two_numbers(input, other)
    array = input if hasattr(input, "dtype") else other
    dtype, space = array.dtype, of(array)
    if not dtypes.is_floating(dtype):
        if rounding_mode == "trunc":
            refuse_bool(array, "div_trunc")
            refuse_zero(other)
            rest = binary("fmod", input, other)  # exact for every int64, as a quotient of floats is not
            return binary("floor_divide", binary("sub", input, rest), other)
        # from the operands as they came: in the common integer dtype one of them may have wrapped
        input, other = (floating(v) if hasattr(v, "dtype") else v for v in given)
    out = checked(space.div, input, other)
    return space.trunc(out) if rounding_mode == "trunc" else out


def refuse_zero(other):
    """Raises ``RuntimeError`` for an integer divisor of zero."""
    if (other == 0) if is_number(other) else bool((other == 0).any()):
        raise RuntimeError(
            "ZeroDivisionError: integer division by zero. Hint: convert to floating point first."
        )


def floor_quotient(input, other):
    """floor(input / other) of raw operands."""
    input, other = (
        _two_numbers(input, other) if is_number(input) and is_number(other) else promote(input, other)
    )
    array = input if hasattr(input, "dtype") else other
    if not dtypes.is_floating(array.dtype):
        refuse_bool(array, "div_floor")
        refuse_zero(other)
    return binary("floor_divide", input, other)


@op(input=lambda g: neg(g), dunder="neg", aliases=("negative",), inplace=True)
def neg(input):
    """-input, elementwise. Raises ``RuntimeError`` for bool. Source: ``torch.neg``.

    >>> import minidl
    >>> -minidl.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """
    if input.dtype == dtypes.BOOL:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the "
            "`~` or `logical_not()` operator instead."
        )
    return of(input).neg(input)


Tensor.__rdiv__ = Tensor.__rtruediv__  # which Python 2 called, and PyTorch still has
