"""Data types and the functions of the standard about them."""

from typing import NamedTuple

import minidl
from minidl import dtypes
from minidl.array_api.operands import as_array, common_dtype, is_array

__all__ = [
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"),
    *("astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"),
]

_by_name = {d.name: d for d in dtypes.ALL}
bool, float32, float64 = _by_name["bool"], _by_name["float32"], _by_name["float64"]
int8, int16, int32, int64 = (_by_name[f"int{bits}"] for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (_by_name[f"uint{bits}"] for bits in (8, 16, 32, 64))

_SIGNED, _UNSIGNED = (int8, int16, int32, int64), (uint8, uint16, uint32, uint64)
KINDS = {
    "bool": (bool,),
    "signed integer": _SIGNED,
    "unsigned integer": _UNSIGNED,
    "integral": _SIGNED + _UNSIGNED,
    "real floating": (float32, float64),
    "complex floating": (),
    "numeric": (*_SIGNED, *_UNSIGNED, float32, float64),
}


class FloatInfo(NamedTuple):
    """Limits of a floating-point dtype, as Python floats."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: dtypes.dtype


class IntInfo(NamedTuple):
    """Limits of an integer dtype, as Python ints."""

    bits: int
    max: int
    min: int
    dtype: dtypes.dtype


def _dtype_of(value):
    return value.dtype if is_array(value) else value


def astype(x, dtype, /, *, copy=True, device=None):
    """The array in another dtype (and on another device); itself where that is its own, and ``copy`` false.

    >>> from minidl import array_api as xp
    >>> xp.astype(xp.asarray([1.5, -2.5]), xp.int32)
    tensor([ 1, -2], dtype=minidl.int32)
    """
    return as_array(x).to(x.device if device is None else device, dtype, copy=copy)


def can_cast(from_, to, /):
    """Whether promotion leads from a dtype (or an array's) to another one: to itself or a wider one of its kind, or on
    to a float.
    """
    own = _dtype_of(from_)
    try:
        return dtypes.of(dtypes.promote(own.numpy, to.numpy)) is to
    except RuntimeError:  # uint64 beside a signed integer
        return False


def finfo(type, /):
    """Limits of a floating-point dtype, or of an array's: ``bits eps max min smallest_normal dtype``."""
    own = _dtype_of(type)
    info = minidl.finfo(own)
    return FloatInfo(info.bits, info.eps, info.max, info.min, info.smallest_normal, own)


def iinfo(type, /):
    """Limits of an integer dtype, or of an array's: ``bits max min dtype``."""
    own = _dtype_of(type)
    info = minidl.iinfo(own)
    return IntInfo(info.bits, info.max, info.min, own)


def isdtype(dtype, kind):
    """Whether a dtype is of a kind, such as ``'real floating'``; is another dtype; or is one of a tuple of both.

    Raises ``ValueError`` for a kind that there is not.

    >>> from minidl import array_api as xp
    >>> xp.isdtype(xp.uint8, "integral"), xp.isdtype(xp.uint8, (xp.int8, "bool"))
    (True, False)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, dtypes.dtype):
        return dtype is kind
    if kind not in KINDS:
        raise ValueError(f"there is no kind {kind!r}; the kinds are {', '.join(KINDS)}")
    if kind in ("real floating", "numeric") and dtype.is_floating_point:
        return True  # float16 and bfloat16 too, which the standard does not name
    return dtype in KINDS[kind]


def result_type(*arrays_and_dtypes):
    """The dtype of arrays, dtypes and Python numbers together.

    >>> from minidl import array_api as xp
    >>> xp.result_type(xp.int8, xp.uint8), xp.result_type(xp.float32, 1.0)
    (minidl.int16, minidl.float32)
    """
    return common_dtype(*arrays_and_dtypes)
