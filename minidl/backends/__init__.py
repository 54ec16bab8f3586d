"""Backends: namespaces of functions on raw arrays, one a device. The only floor that knows array libraries."""

import importlib
import os
import warnings

import numpy as np

from minidl.backends import cudnn, device_memory, faults, mkl, mkldnn, mps, openmp
from minidl.backends.namespace import Backend, trace_fallbacks
from minidl.device import device, mixed
from minidl.errors import DeviceError

__all__ = [
    "Backend",
    "active",
    "cudnn",
    "device_of",
    "mkl",
    "mkldnn",
    "mps",
    "of",
    "on",
    "openmp",
    "reference",
    "to_numpy",
    "trace_fallbacks",
    "transfer",
]

reference = Backend("reference", np, "minidl.backends.reference")


def _cpu_backend():
    """The namespace of NumPy arrays: native where its extension loads, unless MINIDL_BACKEND says reference."""
    choice = os.environ.get("MINIDL_BACKEND") or "native"
    if choice not in ("native", "reference"):
        # No error: the program that tells what is wrong, doctor, imports this too.
        warnings.warn(
            f"MINIDL_BACKEND={choice!r} is unknown and ignored; use 'native' or 'reference'",
            RuntimeWarning,
            stacklevel=2,
        )
        choice = "native"
    native = Backend("native", np, "minidl.backends.reference", overrides="minidl.backends.native")
    return native if choice == "native" and native.overrides else reference


cpu = _cpu_backend()
_BY_CLASS = {np.ndarray: cpu}
_BY_TYPE = {"cpu": cpu}


def _load(type):
    """The namespace of a device type other than cpu, made on first use. Raises ``DeviceError`` with the reason."""
    if type == "cuda":
        from minidl.backends import cuda as room
    else:
        from minidl.backends import emulated as room
    reason = room.unavailable_reason()
    if reason is not None:
        raise DeviceError(
            f"device {type!r} cannot be used: {reason} Hint: run `python -m minidl doctor` for every cause and its fix."
        )
    extension = room.extension()
    if type == "cuda":
        device_memory.watch(room.xp)
        if extension is None:
            warnings.warn(
                f"device 'cuda' works without minidl's kernels, slower: {room.extension_reason()} "
                "Hint: install a wheel with them, or build where nvcc is.",
                RuntimeWarning,
                stacklevel=3,
            )
    overrides = "minidl.backends.cuda" if extension is not None else None
    made = Backend(type, room.xp, "minidl.backends.reference", overrides, bind=(room.xp, extension))
    _BY_CLASS[room.Array] = _BY_TYPE[type] = made
    return made


def on(where):
    """The namespace that creates arrays on a device (a ``device``, or its type's name)."""
    type = where if where.__class__ is str else where.type
    found = _BY_TYPE.get(type)
    return _load(type) if found is None else found


def of(array, *others):
    """The namespace of arrays that live on one device. Raises ``DeviceError`` naming both devices otherwise."""
    found = _BY_CLASS.get(array.__class__)
    if found is None:
        found = _of_subclass(array)
    for other in others:
        if other.__class__ is not array.__class__ and is_array(other):
            raise mixed(device_of(array), device_of(other))
    return found


def _of_subclass(array):
    for cls, backend in _BY_CLASS.items():
        if isinstance(array, cls):
            return backend
    raise TypeError(f"expected an array, got {array.__class__.__name__}")


def is_array(value):
    """Whether ``value`` is an array of some backend."""
    return isinstance(value, tuple(_BY_CLASS))


def device_of(array):
    """The ``device`` on which an array lives."""
    type = next(t for t, backend in _BY_TYPE.items() if backend is of(array))
    return device(type) if type != "cuda" else device(type, array.device.id)


def to_numpy(array):
    """The array on the host: itself for NumPy, a copy otherwise. Raises what a kernel found wrong on the way to it."""
    if isinstance(array, np.ndarray):
        return array
    host = array.get()
    faults.check()
    return host


def transfer(array, where):
    """A copy of an array on another device; the array itself where it is there already."""
    target = on(where)
    if of(array) is target and (where.index is None or device_of(array) == where):
        return array
    host = to_numpy(array)
    return host if target.xp is np else target.xp.asarray(host)


def active():
    """Names of the backends that can be used here, each with the functions that it overrides."""
    found = {"reference": [], cpu.name: sorted(cpu.overrides)}
    for type in ("cuda", "emulated"):
        try:
            found[type] = sorted(on(type).overrides)
        except DeviceError:
            continue
    return found


def __getattr__(name):
    if name == "cuda":  # torch.backends.cuda: the kernels' package, imported without CuPy
        return importlib.import_module(f"{__name__}.cuda")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
