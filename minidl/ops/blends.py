"""Functions of two and three operands, elementwise, beside plain arithmetic."""

from minidl import dtypes
from minidl.autograd import Tensor, function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.arithmetic import add, binary, div, mul, reflected_sub, sub, zeros_of
from minidl.ops.casts import to
from minidl.ops.common import checked, floating, promote, refuse_bool, result_dtype, scalar_like
from minidl.ops.comparison import eq, ge, isnan, le, logical_and, logical_or
from minidl.ops.pointwise import exp2, log
from minidl.ops.powers import pow
from minidl.ops.selection import clamp, where


def _named(name, document):
    def decorate(forward):
        forward.__name__ = forward.__qualname__ = name
        forward.__doc__ = document
        return forward

    return decorate


def _floats(name, input, other):
    """Both operands promoted, integers to the default dtype."""
    input, other = promote(input, other)
    input, other = (floating(v) if hasattr(v, "dtype") else v for v in (input, other))
    return binary(name, input, other)


def _copysign_rule(g, input, result):
    return where(eq(input, 0), zeros_of(g), mul(g, div(result, input)))


@op(input=_copysign_rule, other=lambda g: zeros_of(g), number="other")
def copysign(input, other):
    """|input| with the sign of ``other``, elementwise. Source: ``torch.copysign``.

    >>> import minidl
    >>> minidl.copysign(minidl.tensor([1.0, -2.0]), -1.0)
    tensor([-1., -2.])
    """
    return _floats("copysign", input, other)


@op(
    input=lambda g, input, result: mul(g, div(input, result)),
    other=lambda g, other, result: mul(g, div(other, result)), number="",
)  # fmt: skip
def hypot(input, other):
    """sqrt(input^2 + other^2), elementwise, without overflow. Source: ``torch.hypot``.

    >>> import minidl
    >>> minidl.hypot(minidl.tensor([3.0]), minidl.tensor([4.0]))
    tensor([5.])
    """
    if not dtypes.is_floating(result_dtype(input, other)):
        raise NotImplementedError(f"\"hypot_cpu\" not implemented for '{dtypes.scalar_name(input.dtype)}'")
    return binary("hypot", input, other)


def _chosen(first, g, input, other, compare):
    """The gradient of the operand that fmax or fmin takes."""
    taken = logical_or(compare(input, other), isnan(other))
    return where(taken, g, 0.0) if first else where(taken, 0.0, g)


@op(
    input=lambda g, input, other: _chosen(True, g, input, other, ge),
    other=lambda g, input, other: _chosen(False, g, input, other, ge), number="",
)  # fmt: skip
def fmax(input, other):
    """The larger of each pair, the number where one is NaN. Source: ``torch.fmax``.

    >>> import minidl
    >>> minidl.fmax(minidl.tensor([1.0, float("nan")]), minidl.tensor([2.0, 3.0]))
    tensor([2., 3.])
    """
    return binary("fmax", input, other)


@op(
    input=lambda g, input, other: _chosen(True, g, input, other, le),
    other=lambda g, input, other: _chosen(False, g, input, other, le), number="",
)  # fmt: skip
def fmin(input, other):
    """The smaller of each pair, the number where one is NaN. Source: ``torch.fmin``.

    >>> import minidl
    >>> minidl.fmin(minidl.tensor([1.0, float("nan")]), minidl.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """
    return binary("fmin", input, other)


@op(
    input=lambda g, input, result: mul(g, exp2(sub(input, result))),
    other=lambda g, other, result: mul(g, exp2(sub(other, result))), number="",
)  # fmt: skip
def logaddexp2(input, other):
    """log2(2^input + 2^other), elementwise, without overflow. Source: ``torch.logaddexp2``.

    >>> import minidl
    >>> minidl.logaddexp2(minidl.tensor([1.0]), minidl.tensor([1.0]))
    tensor([2.])
    """
    if not dtypes.is_floating(result_dtype(input, other)):
        raise NotImplementedError(
            f"\"logaddexp2_cpu\" not implemented for '{dtypes.scalar_name(input.dtype)}'"
        )
    return binary("logaddexp2", input, other)


@op(input=lambda g: g, other=lambda g: zeros_of(g), number="")
def nextafter(input, other):
    """The number after ``input`` in the direction of ``other``. Source: ``torch.nextafter``.

    >>> import minidl
    >>> bool(minidl.nextafter(minidl.tensor(1.0), minidl.tensor(2.0)) > 1)
    True
    """
    if not dtypes.is_floating(input.dtype):
        raise NotImplementedError(
            f"\"nextafter_cpu\" not implemented for '{dtypes.scalar_name(input.dtype)}'"
        )
    return binary("nextafter", input, other)


@op(constant="input values")
def heaviside(input, values):
    """0 where input < 0 or NaN, 1 where input > 0, ``values`` where it is 0. Source: ``torch.heaviside``.

    >>> import minidl
    >>> minidl.heaviside(minidl.tensor([-1.0, 0.0, 2.0]), minidl.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return checked(of(input).heaviside, input, values)


def _of_integers(name, meaning):
    @_named(
        name,
        f"""The {meaning} of each pair of integers, not negative. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([6]), minidl.tensor([4])).shape
    torch.Size([1])
    """,
    )
    def forward(input, other):
        array = input if input.ndim else other
        refuse_bool(array, name)
        if dtypes.is_floating(result_dtype(input, other)):
            raise NotImplementedError(
                f"\"{name}_cpu\" not implemented for '{dtypes.scalar_name(array.dtype)}'"
            )
        return binary(name, input, other)

    return op(constant="input other", number="")(forward)


gcd = _of_integers("gcd", "greatest common divisor")
lcm = _of_integers("lcm", "least common multiple")


def _shift(name, sign, dunder, meaning):
    @_named(
        name,
        f"""input {sign} other, elementwise: the bits of integers moved {meaning}. Source: ``torch.{name}``.

    >>> import minidl
    >>> minidl.{name}(minidl.tensor([8]), 1).dtype
    minidl.int64
    """,
    )
    def forward(input, other):
        input, other = promote(input, other)
        array = input if hasattr(input, "dtype") else other
        if dtypes.is_floating(array.dtype) or array.dtype is dtypes.BOOL:
            text = f"\"{dunder}_cpu\" not implemented for '{dtypes.scalar_name(array.dtype)}'. Hint: use integers."
            raise NotImplementedError(text)
        input, other = (v if hasattr(v, "dtype") else scalar_like(array, v) for v in (input, other))
        return checked(getattr(of(array), name), input, other)

    return op(constant="input other", dunder=dunder)(forward)


bitwise_left_shift = _shift("bitwise_left_shift", "<<", "lshift", "up")
bitwise_right_shift = _shift("bitwise_right_shift", ">>", "rshift", "down")


def _xlogy_input(g, input, other, shift):
    flat = logical_and(eq(input, 0), le(other, -shift))
    return where(flat, 0.0, mul(g, log(add(other, shift))))


@op(
    input=lambda g, input, other, shift: _xlogy_input(g, input, other, shift),
    other=lambda g, input, other, shift: mul(g, div(input, add(other, shift))), number="", faces=(), method=False,
)  # fmt: skip
def _times_log(input, other, shift):
    """input * log(other + shift), 0 where input is 0, NaN where other is."""
    input, other = (floating(v) for v in promote(input, other))
    space = of(input)
    logged, zero = space.log1p(other) if shift else space.log(other), space.zeros((), input.dtype)
    out = checked(lambda a, b: space.where(space.eq(a, zero), zero, space.mul(a, b)), input, logged)
    return space.where(space.isnan(other), other, out)


def _tensors(input, other):
    """Two operands of which one may be a number, as tensors."""
    array = (input if isinstance(input, Tensor) else other)._array

    def made(value):
        if isinstance(value, Tensor):
            return value
        if not isinstance(value, (int, float)):
            raise TypeError(f"must be Tensor or Number, not {type(value).__name__}")
        dtype = array.dtype if dtypes.is_floating(array.dtype) else dtypes.get_default()
        return Tensor._from_array(of(array).full((), value, dtype))

    return made(input), made(other)


@function(shown="Xlogy")
def xlogy(input, other):
    """input * log(other), 0 where input is 0, NaN where other is. Source: ``torch.xlogy``.

    >>> import minidl
    >>> minidl.xlogy(minidl.tensor([0.0, 2.0]), minidl.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    return _times_log(*_tensors(input, other), 0)


@function(faces=("special",), method=False, shown="SpecialXlog1Py")
def xlog1py(input, other):
    """input * log(1 + other), 0 where input is 0, NaN where other is. Source: ``torch.special.xlog1py``.

    >>> import minidl
    >>> minidl.special.xlog1py(minidl.tensor([0.0, 2.0]), minidl.tensor([-1.0, 0.0]))
    tensor([0., 0.])
    """
    return _times_log(*_tensors(input, other), 1)


@function(tensors="input other", shown="Ldexp")
def ldexp(input, other):
    """input * 2^other, elementwise. Source: ``torch.ldexp``.

    >>> import minidl
    >>> minidl.ldexp(minidl.tensor([1.0]), minidl.tensor([3]))
    tensor([8.])
    """
    return mul(input, pow(2.0, other))


def _same_kind(input, name, other):
    if isinstance(other, Tensor) and other.dtype is not input.dtype:
        raise RuntimeError(
            f"expected dtype {_word(input)} for `{name}` but got dtype {_word(other)}. Hint: convert one with .to()."
        )


def _word(tensor):
    return dtypes.scalar_name(tensor._array.dtype).lower()


@function(tensors="input end")
def lerp(input, end, weight):
    """input + weight * (end - input), elementwise; ``weight`` is a number or a tensor. Source: ``torch.lerp``.

    >>> import minidl
    >>> minidl.lerp(minidl.zeros(2), minidl.ones(2), 0.25)
    tensor([0.2500, 0.2500])
    """
    _same_kind(input, "end", end)
    _same_kind(input, "weight", weight)
    if not input.is_floating_point():
        raise NotImplementedError(f"\"lerp\" not implemented for '{dtypes.scalar_name(input._array.dtype)}'")
    return named(
        add(input, mul(sub(end, input), weight)), f"LerpBackward{int(isinstance(weight, Tensor))}", (input,)
    )


@function(tensors="input tensor1 tensor2", shown="Addcmul")
def addcmul(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 * tensor2, elementwise. Source: ``torch.addcmul``.

    >>> import minidl
    >>> minidl.addcmul(minidl.ones(2), minidl.ones(2), minidl.ones(2), value=2)
    tensor([3., 3.])
    """
    return add(input, mul(tensor1, tensor2), alpha=value)


@function(tensors="input tensor1 tensor2", shown="Addcdiv")
def addcdiv(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 / tensor2, elementwise; not of integers alone. Source: ``torch.addcdiv``.

    >>> import minidl
    >>> minidl.addcdiv(minidl.ones(2), minidl.ones(2), minidl.ones(2) * 2)
    tensor([1.5000, 1.5000])
    """
    if not (tensor1.is_floating_point() or tensor2.is_floating_point()):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future release addcdiv will perform a "
            "true division of tensor1 and tensor2. Hint: convert one of them with .float()."
        )
    return add(input, div(tensor1, tensor2), alpha=value)


@function()
def float_power(input, exponent):
    """input to the power of exponent, in float64. Source: ``torch.float_power``.

    >>> import minidl
    >>> minidl.float_power(minidl.tensor([2]), 2).dtype
    minidl.float64
    """
    wide = [to(v, dtypes.float64) if isinstance(v, Tensor) else float(v) for v in (input, exponent)]
    return pow(*wide)


@function(tensors="input")
def rsub(input, other, *, alpha=1):
    """other - alpha * input. Source: ``torch.rsub``.

    >>> import minidl
    >>> minidl.rsub(minidl.tensor([1.0]), 3)
    tensor([2.])
    """
    out = reflected_sub(input, other) if alpha == 1 else sub(other, input, alpha=alpha)
    return named(out, f"RsubBackward{int(not isinstance(other, Tensor))}")


@function(tensors="input")
def clamp_min(input, min):
    """``clamp(input, min=min)``. Source: ``torch.clamp_min``.

    >>> import minidl
    >>> minidl.tensor([-1.0, 1.0]).clamp_min(0)
    tensor([0., 1.])
    """
    return named(clamp(input, min=min), f"ClampMinBackward{int(isinstance(min, Tensor))}", (input,))


@function(tensors="input")
def clamp_max(input, max):
    """``clamp(input, max=max)``. Source: ``torch.clamp_max``.

    >>> import minidl
    >>> minidl.tensor([-1.0, 1.0]).clamp_max(0)
    tensor([-1.,  0.])
    """
    return named(clamp(input, max=max), f"ClampMaxBackward{int(isinstance(max, Tensor))}", (input,))
