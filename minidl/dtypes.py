"""Data types and PyTorch's promotion rules between them.

Below the tensor, arrays carry NumPy dtypes; a ``dtype`` object here is the public name of one.
"""

import contextlib
import sys

import numpy as np


def face():
    """The name that programs know the package by: ``minidl``, or ``torch`` where ``import torch`` gives minidl."""
    return "torch" if sys.modules.get("torch") is sys.modules["minidl"] else "minidl"


class dtype:
    """A tensor's element type, such as ``minidl.float32``. ``numpy`` is the NumPy dtype behind it.

    It prints under the package's name, which is ``torch`` where minidl is torch: programs compare that text.
    """

    __slots__ = ("is_floating_point", "is_signed", "itemsize", "name", "numpy")

    is_complex = False

    def __init__(self, name, numpy_dtype):
        self.name = name
        self.numpy = np.dtype(numpy_dtype)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = name.startswith(("float", "bfloat"))
        self.is_signed = self.is_floating_point or name.startswith("int")

    def __repr__(self):
        return f"{face()}.{self.name}"

    def __reduce__(self):
        return named, (self.name,)

    def to_complex(self):
        raise NotImplementedError("complex tensors are not supported; keep real and imaginary parts apart")


class _Complex(dtype):
    """A complex type: it can be named and compared with a tensor's type, and nothing can be of it."""

    __slots__ = ()

    is_complex = True

    def __init__(self, name, itemsize):
        self.name, self.itemsize = name, itemsize
        self.is_floating_point, self.is_signed = False, True

    @property
    def numpy(self):
        return self.to_complex()


bool_ = dtype("bool", np.bool_)
uint8 = dtype("uint8", np.uint8)
uint16 = dtype("uint16", np.uint16)
uint32 = dtype("uint32", np.uint32)
uint64 = dtype("uint64", np.uint64)
int8 = dtype("int8", np.int8)
int16 = dtype("int16", np.int16)
int32 = dtype("int32", np.int32)
int64 = dtype("int64", np.int64)
float16 = dtype("float16", np.float16)
float32 = dtype("float32", np.float32)
float64 = dtype("float64", np.float64)
ALL = [bool_, uint8, uint16, uint32, uint64, int8, int16, int32, int64, float16, float32, float64]

ALIASES = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "short": "int16",
    "int": "int32",
    "long": "int64",
}
COMPLEX = [_Complex("complex32", 4), _Complex("complex64", 8), _Complex("complex128", 16)]
_BY_NAME = {d.name: d for d in ALL}
_COMPLEX_BY_NAME = {d.name: d for d in COMPLEX}
_BY_NUMPY = {d.numpy: d for d in ALL}

BOOL, INT64, FLOAT32, FLOAT64 = bool_.numpy, int64.numpy, float32.numpy, float64.numpy
FLOATS = {d.numpy for d in ALL if d.is_floating_point}
_CATEGORY = {d.numpy: 0 if d is bool_ else 2 if d.is_floating_point else 1 for d in ALL}
_SCALAR_CATEGORY = {bool: 0, int: 1, float: 2}
_PYTHON_TYPES = {bool: "bool", int: "int64"}
_default = [FLOAT32]


def _bfloat16():
    """Registers bfloat16 when it is first asked for: NumPy has none, and ml_dtypes is optional."""
    try:
        import ml_dtypes
    except ImportError:
        raise AttributeError(
            "minidl.bfloat16 needs ml_dtypes, which is not installed: pip install ml_dtypes"
        ) from None
    made = dtype("bfloat16", ml_dtypes.bfloat16)
    ALL.append(made)
    FLOATS.add(made.numpy)
    _CATEGORY[made.numpy] = 2
    _BY_NUMPY[made.numpy] = made
    return _BY_NAME.setdefault("bfloat16", made)


def __getattr__(name):
    if name == "bfloat16":
        return named(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def available():
    """All dtypes that can be used here: bfloat16 is among them where ml_dtypes is installed."""
    with contextlib.suppress(AttributeError):
        named("bfloat16")
    return tuple(ALL)


def named(name):
    """The dtype called ``name``: ``named('float32')``. Raises ``AttributeError`` where there is none."""
    name = ALIASES.get(name, name)
    found = _BY_NAME.get(name) or _COMPLEX_BY_NAME.get(name)
    if found is None and name == "bfloat16":
        found = _bfloat16()
    if found is None:
        raise AttributeError(f"minidl has no dtype {name!r}; it has {', '.join(_BY_NAME)}")
    return found


def of_arrays(name):
    """As ``named``, but of those alone that an array can have: no complex one."""
    found = named(name)
    if found.is_complex:
        raise AttributeError(f"minidl has no arrays of dtype {name!r}; it has {', '.join(_BY_NAME)}")
    return found


def of(numpy_dtype):
    """The ``dtype`` of a NumPy dtype. Raises ``TypeError`` for one that minidl does not have (complex, str, object)."""
    found = _BY_NUMPY.get(numpy_dtype)
    if found is None:
        plain = np.dtype(numpy_dtype)
        found = named("bfloat16") if plain.name == "bfloat16" else _BY_NUMPY.get(plain.newbyteorder("="))
    if found is None:
        advice = "complex is not supported: keep real and imaginary parts as two tensors"
        if np.dtype(numpy_dtype).kind != "c":
            advice = "supported are " + ", ".join(_BY_NAME)
        raise TypeError(f"can't convert array of type {np.dtype(numpy_dtype)} to a tensor; {advice}")
    return found


_SCALAR_NAMES = {
    "bool": "Bool", "uint8": "Byte", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64", "int8": "Char",
    "int16": "Short", "int32": "Int", "int64": "Long", "float16": "Half", "bfloat16": "BFloat16", "float32": "Float",
    "float64": "Double",
}  # fmt: skip


def scalar_name(numpy_dtype):
    """What PyTorch's error texts call a dtype: ``Long`` for int64."""
    return _SCALAR_NAMES[of(numpy_dtype).name]


def of_class(name):
    """The dtype that PyTorch's class ``name`` is of: int64 of ``LongTensor``. None where there is no such class."""
    scalar = name.removesuffix("Tensor")
    found = (each for each, called in _SCALAR_NAMES.items() if called == scalar)
    return named(next(found)) if scalar in _SCALAR_NAMES.values() and scalar != name else None


def numpy_dtype(value):
    """The NumPy dtype meant by a ``dtype``, a Python type, a NumPy dtype or scalar type."""
    if isinstance(value, dtype):
        return value.numpy
    if value is float:
        return _default[0]
    if value is bool or value is int:
        return _BY_NAME[_PYTHON_TYPES[value]].numpy
    if isinstance(value, (np.dtype, type)):
        return of(value).numpy
    raise TypeError(f"dtype must be a minidl.dtype, not {value.__class__.__name__}")


def get_default():
    """The NumPy dtype of new floating-point tensors."""
    return _default[0]


def set_default_dtype(d):
    """Makes ``d`` (a floating-point dtype) the type of new floating-point tensors; the first default is float32."""
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    _default[0] = d.numpy


def get_default_dtype():
    """The type of new floating-point tensors."""
    return of(_default[0])


def is_floating(numpy_dtype):
    """Whether a NumPy dtype is one of the floating-point types (bfloat16 included)."""
    return numpy_dtype in FLOATS


def category(numpy_dtype):
    """0 for bool, 1 for integers, 2 for floating-point types."""
    return _CATEGORY[numpy_dtype]


def _same_category(a, b):
    if a == b:
        return a
    names = {of(a).name, of(b).name}
    if names == {"float16", "bfloat16"}:
        return FLOAT32
    if "bfloat16" in names:
        return a if of(b).name == "bfloat16" else b
    wider = np.promote_types(a, b)
    if _CATEGORY[wider] != _CATEGORY[a]:  # uint64 beside a signed integer: no integer type holds both
        raise RuntimeError(
            f"Promotion for uint16, uint32, uint64 types is not supported, attempted to promote {of(a)!r} and "
            f"{of(b)!r}. Hint: convert one operand with .to(minidl.int64)."
        )
    return wider


def promote(a, b):
    """The result type of two tensors' NumPy dtypes: the higher category (bool < integer < float) wins, then
    the wider.
    """
    key = (a, b)
    found = _PROMOTED.get(key)
    if found is None:
        ca, cb = _CATEGORY[a], _CATEGORY[b]
        found = _PROMOTED[key] = _same_category(a, b) if ca == cb else a if ca > cb else b
    return found


_PROMOTED = {}


def promote_scalar(a, kind):
    """The result type of a tensor's NumPy dtype ``a`` and a Python scalar of type ``kind``: a scalar never
    widens its category.
    """
    category = _SCALAR_CATEGORY[kind]
    if _CATEGORY[a] >= category:
        return a
    return _default[0] if category == 2 else INT64


def promote_types(type1, type2):
    """The dtype to which PyTorch promotes ``type1`` with ``type2``."""
    for position, given in enumerate((type1, type2), 1):
        if not isinstance(given, dtype):
            raise TypeError(
                f"promote_types(): argument 'type{position}' (position {position}) must be torch.dtype, not "
                f"{type(given).__name__}"
            )
    return of(promote(type1.numpy, type2.numpy))


class finfo:
    """Limits of a floating-point dtype: ``bits eps max min tiny smallest_normal resolution dtype``."""

    def __init__(self, type=None):
        type = get_default_dtype() if type is None else type
        if not type.is_floating_point:
            raise TypeError(f"finfo() requires a floating point input type, got {type!r}. Hint: use iinfo.")
        info = _float_info(type)
        self.bits, self.dtype = info.bits, type.name
        for name in ("eps", "max", "min", "tiny", "smallest_normal", "resolution"):
            setattr(self, name, float(getattr(info, name)))

    def __repr__(self):
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


def _float_info(type):
    if type.name != "bfloat16":
        return np.finfo(type.numpy)
    import ml_dtypes

    return ml_dtypes.finfo(type.numpy)


class iinfo:
    """Limits of an integer dtype: ``bits max min dtype``."""

    def __init__(self, type):
        if type.is_floating_point or type is bool_:
            raise TypeError(f"iinfo() requires an integer input type, got {type!r}. Hint: use finfo.")
        info = np.iinfo(type.numpy)
        self.bits, self.max, self.min, self.dtype = info.bits, int(info.max), int(info.min), type.name

    def __repr__(self):
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
