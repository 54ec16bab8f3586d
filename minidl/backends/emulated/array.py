"""``Array``: a stand-in for ``cupy.ndarray`` that computes with NumPy and refuses what CuPy refuses."""

import contextlib
import operator
import weakref

import numpy as np

from minidl.backends import exchange
from minidl.backends.emulated import host, memory, streams

_NUMBERS = (bool, int, float, np.generic)
_METHODS = (
    "all any argmax argmin argpartition argsort astype choose clip compress conj copy cumprod cumsum diagonal dot "
    "fill flatten max mean min nonzero partition prod ravel repeat reshape round searchsorted sort squeeze std sum "
    "swapaxes take tobytes trace transpose var view"
)


_roots = (
    weakref.WeakValueDictionary()
)  # by the identity of what owns the values, the array that views have as base


class _Memory:
    """``array.data``: where the array lies, as CuPy tells it."""

    __slots__ = ("_values", "ptr")

    def __init__(self, values):
        self._values = values  # which keeps the memory, as CuPy's pointer does
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

    __slots__ = ("__weakref__", "_held", "_root")
    __array_ufunc__ = None  # NumPy's operators and ufuncs hand over or raise TypeError
    __hash__ = None

    def __init__(self, values):
        self._held = values if isinstance(values, np.ndarray) else np.asarray(values)
        owner = self._held
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        self._root = _roots.get(id(owner))
        if self._root is None and owner is not self._held and not memory.is_buffer(owner):
            self._root = Array(owner)
        if self._root is None:
            _roots[id(owner)] = self

    @property
    def _values(self):
        """The values for work that runs now on the current stream: what was given to that before is done first."""
        streams.current().run()
        return self._held

    @_values.setter
    def _values(self, values):
        self._held = values

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(
            f"numpy.{function.__name__} does not take arrays of the emulated device; use xp.{function.__name__}"
        )

    data = property(lambda self: _Memory(self._held))
    flags = property(lambda self: _Flags(self._held))
    dtype = property(lambda self: self._held.dtype)
    shape = property(lambda self: self._held.shape)
    strides = property(lambda self: self._held.strides)
    ndim = property(lambda self: self._held.ndim)
    size = property(lambda self: self._held.size)
    nbytes = property(lambda self: self._held.nbytes)
    itemsize = property(lambda self: self._held.itemsize)
    T = property(lambda self: Array(self._held.T))
    mT = property(lambda self: Array(self._held.mT))
    real = property(lambda self: Array(self._held.real))

    base = property(lambda self: self._root)

    def get(self, stream=None, order="C", out=None, blocking=True):
        """A copy on the host. Into page-locked memory, and not ``blocking``, it takes its turn in the stream."""
        stream = streams.current() if stream is None else stream
        if blocking and stream.is_capturing():
            stream.synchronize()  # refuses
        if out is None:
            return self._values.copy(order)
        _check_host(out, self)
        flags = out.flags
        if not (flags.c_contiguous or flags.f_contiguous):
            raise RuntimeError("`out` cannot be specified when copying to non-contiguous ndarray")
        address = out.ctypes.data
        if blocking or not host.is_pinned(address):
            stream.run()
            out[...] = self._values
            return out
        out[...] = np.frombuffer(b"\xff" * out.nbytes, out.dtype).reshape(out.shape)
        source = (
            Array(self._held) if _alike(self.flags, flags) else self.copy("C" if flags.c_contiguous else "F")
        )
        host.copy_later(stream, "get", out, source._held, address)
        return out

    def set(self, arr, stream=None):
        """Copies a NumPy array of the same shape and dtype to the device, in the stream's turn if it is page-locked."""
        _check_host(arr, self)
        if not (self.flags.c_contiguous or self.flags.f_contiguous):
            raise RuntimeError("Cannot set to non-contiguous array")
        stream = streams.current() if stream is None else stream
        if _alike(self.flags, arr.flags) and host.is_pinned(arr.ctypes.data):
            host.copy_later(stream, "set", self._held, arr, arr.ctypes.data)
            return
        stream.run()
        self._held[...] = arr

    @property
    def __cuda_array_interface__(self):
        held = self._held.__array_interface__
        found = {key: held[key] for key in ("shape", "typestr", "descr")}
        strides = None if self.flags.c_contiguous else self.strides
        data = (held["data"][0] if self.size else 0, False)
        return {
            **found,
            "version": 3,
            "stream": streams.current().number or 1,
            "strides": strides,
            "data": data,
        }

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        if dl_device is None or dl_device == self.__dlpack_device__():
            if copy is True:
                raise BufferError("copy=True only supported for copy to CPU.")
        elif dl_device == (exchange.CPU, 0):
            if copy is False:
                raise ValueError("GPU memory cannot be exported to CPU without copy.")
            return self.get().__dlpack__(max_version=max_version)
        else:
            raise BufferError("unsupported device requested.")
        if stream is not None and (stream < -1 or stream == 0):
            raise ValueError(
                f"On CUDA, the valid stream is -1, 1, 2, or any larger value, but {stream} was provided"
            )
        taker = streams.numbered(1 if stream is None else stream)
        if stream != -1 and taker is not streams.current():
            taker.wait_event(streams.current().record())
        return exchange.relabel(self._held.__dlpack__(max_version=max_version), exchange.EMULATED)

    def __dlpack_device__(self):
        return exchange.EMULATED, 0

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


def _check_host(values, array):
    """Raises what CuPy raises where a NumPy array has not the shape and dtype of a device's."""
    if not isinstance(values, np.ndarray):
        raise TypeError("Only numpy.ndarray can be set to cupy.ndarray, or obtained from it")
    if values.dtype != array.dtype:
        raise TypeError(f"{values.dtype} array cannot be copied from or to {array.dtype} array")
    if values.shape != array.shape:
        raise ValueError(f"Shape mismatch. Old shape: {array.shape}, new shape: {values.shape}")


def _alike(flags, others):
    """Whether two arrays are dense in the same order."""
    return (flags.c_contiguous and others.c_contiguous) or (flags.f_contiguous and others.f_contiguous)


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
