"""``xp``: a stand-in for the module ``cupy``, with the names and keywords that CuPy has and no others.

``names.json`` says which these are; ``tests/emulator/test_names.py`` compares it with an installed CuPy. Functions
unwrap their arrays, call NumPy, and wrap the results: 0-d arrays where NumPy gives scalars.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from minidl.backends import exchange
from minidl.backends.emulated import host, memory, streams
from minidl.backends.emulated.array import Array, checked_indices, operand, unwrapped, wrapped

NAMES = json.loads((Path(__file__).parent / "names.json").read_text())

# The functions that copy from the host, where CuPy takes NumPy arrays and lists.
_FROM_HOST = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")
_AT = {"add", "bitwise_and", "bitwise_or", "bitwise_xor", "maximum", "minimum", "subtract"}
_UFUNC_KEYWORDS = {"out", "dtype", "casting"}


def _call(function, args, kwargs):
    with checked_indices(args[1:]), np.errstate(all="ignore"):
        return wrapped(function(*unwrapped(args), **{key: unwrapped(value) for key, value in kwargs.items()}))


def _check_keywords(name, kwargs, known):
    unknown = set(kwargs) - set(known)
    if unknown:
        raise TypeError(f"cupy.{name} has no keyword {sorted(unknown)}")


class _Ufunc:
    """``cupy.ufunc``: operands are arrays and numbers."""

    def __init__(self, function):
        self._function = function
        self.__name__ = function.__name__

    def __call__(self, *args, **kwargs):
        _check_keywords(self.__name__, kwargs, _UFUNC_KEYWORDS)
        for arg in args:
            operand(arg)
        return _same_out(_call(self._function, args, kwargs), kwargs)

    def at(self, a, indices, b=None):
        if self.__name__ not in _AT:
            raise NotImplementedError(f"`cupy_{self.__name__}.at` is not supported yet")
        _call(self._function.at, (a, indices) if b is None else (a, indices, b), {})

    def reduce(self, array, axis=0, dtype=None, out=None, keepdims=False):
        return _call(self._function.reduce, (array, axis, dtype, out, keepdims), {})

    def accumulate(self, array, axis=0, dtype=None, out=None):
        return _call(self._function.accumulate, (array, axis, dtype, out), {})

    def outer(self, A, B):
        return _call(self._function.outer, (A, B), {})


def _same_out(result, kwargs):
    """The very array that was given as ``out``, as NumPy and CuPy return it."""
    out = kwargs.get("out")
    return result if out is None else out


def _function(name, parameters):
    function = getattr(np, name)

    def call(*args, **kwargs):
        if "**" not in parameters:
            _check_keywords(name, kwargs, parameters)
        if args and _is_array_parameter(parameters) and isinstance(args[0], list) and _holds_numbers(args[0]):
            raise TypeError(f"cupy.{name} takes an array, not a list")
        return _same_out(_call(function, args, kwargs), kwargs)

    call.__name__ = name
    return call


def _is_array_parameter(parameters):
    return bool(parameters) and parameters[0] in ("a", "x", "x1", "ary", "arr", "m", "prototype", "input")


def _holds_numbers(values):
    return any(isinstance(value, (bool, int, float, np.generic)) for value in values)


def _from_host(name, parameters):
    function = getattr(np, name)

    def call(a, *args, **kwargs):
        _check_keywords(name, kwargs, parameters)
        if not args and not kwargs and _is_page_locked(a):
            out = _empty(a.shape, a.dtype)
            out.set(a)
            return out
        if not isinstance(a, Array) and hasattr(a, "__cuda_array_interface__"):
            a = Array(np.asarray(_Foreign(a)))
        device = a._values if isinstance(a, Array) else a
        values = function(device, *unwrapped(args), **kwargs)
        if isinstance(a, Array):
            return a if values is device else Array(values)
        return Array(np.array(values) if np.may_share_memory(values, device) else values)

    call.__name__ = name
    return call


def _is_page_locked(a):
    """Whether CuPy copies straight from the host's array: it keeps that until then, and waits for nothing."""
    return isinstance(a, np.ndarray) and a.size and a.flags.c_contiguous and host.is_pinned(a.ctypes.data)


def _empty(shape, dtype=float, order="C"):
    if order not in ("C", None):
        return Array(np.empty(shape, dtype, order))
    return Array(memory.empty(shape, dtype))


def _empty_like(prototype, dtype=None, order="K", subok=None, shape=None):
    values = np.empty_like(operand(prototype), dtype=dtype, order=order, shape=shape)
    if values.flags.c_contiguous:
        return Array(memory.empty(values.shape, values.dtype))
    return Array(values)


def _linalg(name):
    """A function of ``cupy.linalg``."""
    function = getattr(np.linalg, name)
    return lambda *args, **kwargs: _call(function, args, kwargs)


class _Capsule:
    """A DLPack capsule as NumPy takes it."""

    def __init__(self, capsule):
        self._capsule = capsule

    def __dlpack__(self, **request):
        return self._capsule

    def __dlpack_device__(self):
        return 1, 0


class _Foreign:
    """What ``__cuda_array_interface__`` describes, as NumPy takes it; it keeps the owner of the memory."""

    def __init__(self, owner):
        found = owner.__cuda_array_interface__
        if found.get("stream") is not None:
            streams.current().wait_event(streams.numbered(found["stream"]).record())
        self._owner = owner
        self.__array_interface__ = {key: found.get(key) for key in ("shape", "typestr", "data", "strides")}
        self.__array_interface__["version"] = 3


class _Module:
    """Attributes are made from ``NAMES`` when they are first asked for."""

    ndarray = Array
    newaxis = None
    inf, nan, pi, e = np.inf, np.nan, np.pi, np.e
    empty, empty_like = staticmethod(_empty), staticmethod(_empty_like)
    lib = SimpleNamespace(
        stride_tricks=SimpleNamespace(
            as_strided=lambda x, shape=None, strides=None: Array(
                np.lib.stride_tricks.as_strided(operand(x), shape, strides)
            )
        )
    )
    linalg = SimpleNamespace(
        **{
            name: _linalg(name)
            for name in ("inv", "solve", "slogdet", "det", "cholesky", "qr", "svd", "eigh")
        }
    )
    cuda = SimpleNamespace(
        Device=streams.Device,
        Event=streams.Event,
        Stream=streams.Stream,
        alloc_pinned_memory=host.alloc_pinned_memory,
        get_current_stream=streams.current,
        memory=SimpleNamespace(OutOfMemoryError=memory.OutOfMemoryError),
        set_allocator=memory.set_allocator,
        runtime=SimpleNamespace(
            getDevice=lambda: 0,
            getDeviceCount=lambda: 1,
            memGetInfo=memory.mem_get_info,
            memoryTypeHost=1,
            pointerGetAttributes=lambda ptr: SimpleNamespace(type=int(host.is_pinned(ptr))),
        ),
    )

    @staticmethod
    def diagonal(a, offset=0, axis1=0, axis2=1):
        """A view that may be written, as CuPy's and not NumPy's."""
        values = np.diagonal(operand(a), offset, axis1, axis2)
        values.flags.writeable = True
        return Array(values)

    @staticmethod
    def get_default_memory_pool():
        return memory.pool

    @staticmethod
    def from_dlpack(array, *, device=None, copy=None):
        """An array over the same memory, which the current stream may use."""
        if array.__dlpack_device__()[0] != exchange.EMULATED:
            raise TypeError(f"Unsupported array type: {array.__dlpack_device__()[0]}")
        stream = streams.current().number or 1
        try:
            capsule = array.__dlpack__(stream=stream, max_version=(1, 0), copy=copy)
        except TypeError:
            if copy is not None:
                raise
            capsule = array.__dlpack__(stream=stream)
        return Array(np.from_dlpack(_Capsule(exchange.relabel(capsule, exchange.CPU))))

    @staticmethod
    def asnumpy(a):
        """A NumPy array with the values of ``a``."""
        return a.get()

    def __getattr__(self, name):
        kind = NAMES.get(name)
        if kind is None:
            raise AttributeError(f"CuPy has no attribute {name!r} that stands for NumPy's")
        if kind in ("class", "value"):
            made = getattr(np, name)
        elif kind == "ufunc":
            made = _Ufunc(getattr(np, name))
        elif name in _FROM_HOST:
            made = _from_host(name, kind)
        else:
            made = _function(name, kind)
        setattr(self, name, made)
        return made

    def __repr__(self):
        return "<emulated stand-in for the module 'cupy'>"


xp = _Module()
