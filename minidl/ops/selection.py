"""Choosing between operands: where, maximum, minimum, clamp."""

from minidl import dtypes
from minidl.autograd import Tensor, function, op
from minidl.autograd.node import named
from minidl.backends import of
from minidl.ops.arithmetic import binary, is_number, mul
from minidl.ops.common import broadcast_error, fitting, promote, refuse_bool
from minidl.ops.comparison import eq, ge, gt, le, logical_and, logical_or, lt, ne
from minidl.ops.indexing import nonzero


@op(
    input=lambda g, input, other: where(eq(input, other), mul(g, 0.5), where(lt(input, other), 0.0, g)),
    other=lambda g, input, other: where(eq(input, other), mul(g, 0.5), where(lt(other, input), 0.0, g)),
    number="",
)  # fmt: skip
def maximum(input, other):
    """The larger of each pair; NaN where either is. Equal elements share the gradient. Source: ``torch.maximum``.

    >>> import minidl
    >>> minidl.maximum(minidl.tensor([1.0, 5.0]), minidl.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    return binary("maximum", input, other)


@op(
    input=lambda g, input, other: where(eq(input, other), mul(g, 0.5), where(gt(input, other), 0.0, g)),
    other=lambda g, input, other: where(eq(input, other), mul(g, 0.5), where(gt(other, input), 0.0, g)),
    number="",
)  # fmt: skip
def minimum(input, other):
    """The smaller of each pair; NaN where either is. Equal elements share the gradient. Source: ``torch.minimum``.

    >>> import minidl
    >>> minidl.minimum(minidl.tensor([1.0, 5.0]), minidl.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    return binary("minimum", input, other)


@op(
    input=lambda g, condition: where(condition, g, 0.0), other=lambda g, condition: where(condition, 0.0, g),
    constant="condition", faces=(), method=False,
)  # fmt: skip
def _where(condition, input, other):
    if is_number(input) and is_number(other):
        kind = dtypes.get_default() if isinstance(input, float) or isinstance(other, float) else dtypes.INT64
        input = of(condition).full(
            (), input, dtypes.BOOL if isinstance(input, bool) and isinstance(other, bool) else kind
        )
    for number, array in ((input, other), (other, input)):
        if number.__class__ is int and array.dtype.kind in "iu":
            fitting(array, number)  # raises where it does not fit
    input, other = promote(input, other)
    if condition.dtype != dtypes.BOOL:
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{dtypes.of(condition.dtype)!r}"
        )
    try:
        return of(condition).where(condition, input, other)
    except ValueError:
        for a, b in ((condition, input), (condition, other), (input, other)):
            error = broadcast_error(a, b) if hasattr(a, "shape") and hasattr(b, "shape") else None
            if error is not None:
                raise error from None
        raise


@function(method=False, tensors="condition")
def where(condition, input=None, other=None):
    """``input`` where ``condition`` (bool) holds, ``other`` elsewhere; broadcast and promoted.

    With the condition alone: the indices of its true elements. Source: ``torch.where``.

    >>> import minidl
    >>> minidl.where(minidl.tensor([True, False]), 1.0, minidl.tensor([5.0, 6.0]))
    tensor([1., 6.])
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    return _where(condition, input, other)


def _clamp_rule(g, input, min, max):
    inside = None
    if min is not None:
        inside = ge(input, min)
    if max is not None:
        inside = le(input, max) if inside is None else logical_and(inside, le(input, max))
    return where(inside, g, 0.0)


@op(input=_clamp_rule, shown="ClampBackward1", faces=(), method=False)
def _clamp(input, min, max):
    limits = [v.item() if hasattr(v, "item") else v for v in (min, max)]
    dtype = input.dtype
    for limit in limits:
        dtype = dtype if limit is None else dtypes.promote_scalar(dtype, limit.__class__)
    input = input if dtype == input.dtype else input.astype(dtype)
    refuse_bool(input, "clamp")
    return of(input).clamp(input, *(None if v is None else fitting(input, v) for v in limits))


@function(aliases=("clip",), tensors="input")
def clamp(input, min=None, max=None):
    """``input`` limited to [min, max], elementwise; either limit may be None, a number or a tensor.

    The gradient passes where the limits do not bind (at the limit too). Raises ``RuntimeError`` where both are None.
    Source: ``torch.clamp``.

    >>> import minidl
    >>> minidl.clamp(minidl.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if not isinstance(min, Tensor) and not isinstance(max, Tensor):
        return _clamp(input, min, max)
    out = input if min is None else where(_binds(lt, input, min), min, input)
    return named(out if max is None else where(_binds(gt, out, max), max, out), "Clamp", (input,))


def _binds(beyond, input, limit):
    """Where ``limit`` takes the place of ``input``: where that lies ``beyond`` it, or where the limit is NaN."""
    bound = beyond(input, limit)
    if isinstance(limit, Tensor) and limit.is_floating_point():
        return logical_or(bound, ne(limit, limit))
    return bound
