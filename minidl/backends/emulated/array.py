"""``Array``: a stand-in for ``cupy.ndarray`` that computes with NumPy and refuses what CuPy refuses."""

import contextlib
import operator
import weakref

import numpy as np

_NUMBERS = (bool, int, float, np.generic)
_METHODS = (
    "all any argmax argmin argpartition argsort astype choose clip compress conj copy cumprod cumsum diagonal dot "
    "fill flatten max mean min nonzero partition prod ravel repeat reshape round searchsorted sort squeeze std sum "
    "swapaxes take tobytes trace transpose var view"
)


_alive = weakref.WeakValueDictionary()  # arrays by the identity of their values, so that ``a[0].base is a``


class _Memory:
    """``array.data``: where the array lies, as CuPy tells it."""

    __slots__ = ("ptr",)

    def __init__(self, values):
        self.ptr = values.__array_interface__["data"][0]


class _Flags:
    """``array.flags``: the ones that CuPy has."""

    __slots__ = ("c_contiguous", "f_contiguous", "owndata")

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, getattr(values.flags, name))


class Array:
    """An array on the emulated device.

    There is no implicit way from or to NumPy: not ``numpy.asarray(a)``, not ``numpy.exp(a)``, not ``a + numpy_array``;
    ``a.get()`` copies to the host, ``xp.asarray`` to the device. Reductions and element access give 0-d arrays, never
    scalars; ``item``, ``float``, ``int`` and ``bool`` read one value.
    """

    __slots__ = ("__weakref__", "_values")
    __array_ufunc__ = None  # NumPy's operators and ufuncs hand over or raise TypeError
    __hash__ = None

    def __init__(self, values):
        self._values = values if isinstance(values, np.ndarray) else np.asarray(values)
        _alive[id(self._values)] = self

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(
            f"numpy.{function.__name__} does not take arrays of the emulated device; use xp.{function.__name__}"
        )

    data = property(lambda self: _Memory(self._values))
    flags = property(lambda self: _Flags(self._values))
    dtype = property(lambda self: self._values.dtype)
    shape = property(lambda self: self._values.shape)
    strides = property(lambda self: self._values.strides)
    ndim = property(lambda self: self._values.ndim)
    size = property(lambda self: self._values.size)
    nbytes = property(lambda self: self._values.nbytes)
    itemsize = property(lambda self: self._values.itemsize)
    T = property(lambda self: Array(self._values.T))
    mT = property(lambda self: Array(self._values.mT))
    real = property(lambda self: Array(self._values.real))

    @property
    def base(self):
        base = self._values.base
        if not isinstance(base, np.ndarray):
            return None
        found = _alive.get(id(base))
        return Array(base) if found is None else found

    def get(self):
        """A copy on the host."""
        return self._values.copy()

    def set(self, values):
        """Copies a NumPy array of the same shape and dtype to the device."""
        if not isinstance(values, np.ndarray) or (values.shape, values.dtype) != (self.shape, self.dtype):
            raise ValueError(f"set() takes a NumPy array of shape {self.shape} and dtype {self.dtype}")
        self._values[...] = values

    def item(self, *args):
        return self._values.item(*args)

    def tolist(self):
        return self._values.tolist()

    def __getitem__(self, index):
        with checked_indices(index):
            return Array(self._values[unwrapped(index)])

    def __setitem__(self, index, value):
        with checked_indices(index), np.errstate(all="ignore"):
            self._values[unwrapped(index)] = operand(value)

    def __len__(self):
        return len(self._values)

    def __iter__(self):
        return (Array(part) for part in self._values)

    def __bool__(self):
        return bool(self._values)

    def __int__(self):
        return int(self._values)

    def __float__(self):
        return float(self._values)

    def __copy__(self):
        return Array(self._values.copy())

    def __deepcopy__(self, memo):
        return Array(self._values.copy())

    def __repr__(self):
        return f"emulated {self._values!r}"


def operand(value):
    """The value of an operand: an array of this device, or a number."""
    if isinstance(value, Array):
        return value._values
    if isinstance(value, _NUMBERS):
        return value
    raise TypeError(
        f"Unsupported type {type(value)}: arrays of the emulated device meet only their like and numbers"
    )


@contextlib.contextmanager
def checked_indices(*arguments):
    """An index array that is out of range is a fault of the program: CuPy does not notice, and wraps around."""
    try:
        yield
    except IndexError as error:
        if any(_holds_array(argument) for argument in arguments):
            raise AssertionError(f"CuPy would not notice: {error}; check indices before") from error
        raise


def _holds_array(value):
    return isinstance(value, Array) or (isinstance(value, (tuple, list)) and any(map(_holds_array, value)))


def unwrapped(value):
    """An argument with its arrays unwrapped, inside sequences and slices too; NumPy arrays are refused."""
    if isinstance(value, Array):
        return value._values
    if isinstance(value, np.ndarray):
        raise TypeError(
            "Unsupported type <class 'numpy.ndarray'>: copy it to the device with xp.asarray first"
        )
    if isinstance(value, (tuple, list)):
        return type(value)(unwrapped(part) for part in value)
    return value


def wrapped(value):
    """A result with its arrays and NumPy scalars wrapped; other values as they are."""
    if isinstance(value, (np.ndarray, np.generic)):
        return Array(value)
    if isinstance(value, (tuple, list)):
        return (
            type(value)(wrapped(part) for part in value)
            if type(value) in (tuple, list)
            else tuple(map(wrapped, value))
        )
    return value


def _method(name):
    def method(self, *args, **kwargs):
        with checked_indices(args), np.errstate(all="ignore"):
            return wrapped(getattr(self._values, name)(*unwrapped(args), **_unwrapped_keywords(kwargs)))

    method.__name__ = name
    return method


def _unwrapped_keywords(kwargs):
    return {key: unwrapped(value) for key, value in kwargs.items()}


def _operator(function, reflected):
    def method(self, other):
        if not isinstance(other, (Array, *_NUMBERS)):
            return NotImplemented
        pair = (operand(other), self._values) if reflected else (self._values, operand(other))
        with np.errstate(all="ignore"):
            return Array(function(*pair))

    return method


def _inplace(function):
    def method(self, other):
        if not isinstance(other, (Array, *_NUMBERS)):
            return NotImplemented
        with np.errstate(all="ignore"):
            self._values = function(self._values, operand(other))
        return self

    return method


def _unary(function):
    return lambda self: Array(function(self._values))


for _name in _METHODS.split():
    setattr(Array, _name, _method(_name))
for _name in (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
):
    _function = getattr(operator, f"__{_name}__")
    setattr(Array, f"__{_name}__", _operator(_function, reflected=False))
    setattr(Array, f"__r{_name}__", _operator(_function, reflected=True))
    if _name != "matmul":  # CuPy has no in-place matmul
        setattr(Array, f"__i{_name}__", _inplace(getattr(operator, f"__i{_name}__")))
for _name in ("lt", "le", "eq", "ne", "gt", "ge"):
    setattr(Array, f"__{_name}__", _operator(getattr(operator, f"__{_name}__"), reflected=False))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Array, f"__{_name}__", _unary(getattr(operator, f"__{_name}__")))
