"""Backends: namespaces of functions on raw arrays, one a device. The only floor that knows array libraries."""

import contextlib
import importlib
import os
import warnings

import numpy as np

from minidl.backends import (
    cudnn,
    device_memory,
    exchange,
    faults,
    meta,
    mkl,
    mkldnn,
    mps,
    openmp,
    pinned,
    probes,
)  # fmt: skip
from minidl.backends.namespace import Backend, trace_fallbacks
from minidl.device import CPU, device, mixed
from minidl.errors import DeviceError

__all__ = [
    "Backend",
    "active",
    "adopted",
    "copy_across",
    "cudnn",
    "device_of",
    "exchange_device",
    "exported",
    "imported",
    "is_pinned",
    "mkl",
    "mkldnn",
    "mps",
    "of",
    "on",
    "openmp",
    "pin",
    "reference",
    "to_numpy",
    "trace_fallbacks",
    "transfer",
    "used_on",
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


def _cpu_capability():
    """The vector instructions of the CPU's kernels, as ``torch.backends.cpu.get_cpu_capability`` names them."""
    known = {"x86-64-v3": "AVX2", "x86-64-v4": "AVX512"}
    return known.get(probes.instruction_set if cpu.overrides else None, "DEFAULT")


cpu = _cpu_backend()
cpu.get_cpu_capability = _cpu_capability
_BY_CLASS = {np.ndarray: cpu}
_BY_TYPE = {"cpu": cpu}
_classes = (np.ndarray,)  # the keys of _BY_CLASS


def _load(type):
    """The namespace of a device type other than cpu, made on first use. Raises ``DeviceError`` with the reason."""
    global _classes
    if type == "meta":
        _BY_CLASS[meta.MetaArray] = _BY_TYPE[type] = meta.namespace()
        _classes = tuple(_BY_CLASS)
        return _BY_TYPE[type]
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
    device_memory.watch(room.xp)
    if type == "cuda" and extension is None:
        warnings.warn(
            f"device 'cuda' works without minidl's kernels, slower: {room.extension_reason()} "
            "Hint: install a wheel with them, or build where nvcc is.",
            RuntimeWarning,
            stacklevel=3,
        )
    overrides = "minidl.backends.cuda" if extension is not None else None
    made = Backend(type, room.xp, "minidl.backends.reference", overrides, bind=(room.xp, extension))
    _BY_CLASS[room.Array] = _BY_TYPE[type] = made
    _classes = tuple(_BY_CLASS)
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
    return value.__class__ in _BY_CLASS or isinstance(value, _classes)


def device_of(array):
    """The ``device`` on which an array lives."""
    backend = of(array)
    if backend is cpu:
        return CPU
    type = next(t for t, found in _BY_TYPE.items() if found is backend)
    return device(type) if type != "cuda" else device(type, array.device.id)


def to_numpy(array):
    """The array on the host: itself for NumPy, a copy otherwise. Raises what a kernel found wrong on the way to it."""
    if isinstance(array, np.ndarray):
        if array.__class__ is meta.MetaArray:
            raise NotImplementedError(meta.NO_DATA)
        return array
    host = array.get()
    faults.check()
    return host


def owned(host):
    """A NumPy array that can be written and is nothing but an array: what a file is mapped to is copied."""
    return host if type(host) is np.ndarray and host.flags.writeable else np.array(host, subok=False)


def transfer(array, where, non_blocking=False):
    """A copy of an array on another device; the array itself where it is there already.

    ``non_blocking``: the call need not wait where the host's side is page-locked. A copy on the host is made so for
    it, and holds its values when the stream, or an event behind the copy, was waited for.
    """
    target, source = on(where), of(array)
    if source is target and (where.index is None or device_of(array) == where):
        return array
    if "meta" in (source.name, target.name):
        return meta.transferred(array, target.name == "meta")
    if target.xp is np:
        with _current(source.xp, device_of(array)):
            host = pinned.to_host(source.xp, array, non_blocking)
        if not non_blocking:
            faults.check()
        return host
    host = array if source.xp is np else transfer(array, CPU)
    with _current(target.xp, where):
        return pinned.to_device(target.xp, host, non_blocking)


def copy_across(target, source, non_blocking=False):
    """Copies ``source`` into ``target``, one of them on the host and both of one shape, straight where it can be.

    Returns whether it was done: both need one dtype and C-contiguous memory.
    """
    if meta.MetaArray in (source.__class__, target.__class__):
        meta.transferred(source, target.__class__ is meta.MetaArray)
        return True
    if source.dtype != target.dtype or not (source.flags.c_contiguous and target.flags.c_contiguous):
        return False
    if not source.size or of(source) is of(target) or not (is_host(source) or is_host(target)):
        return False
    device = device_of(target if is_host(source) else source)
    with _current(on(device).xp, device):
        if is_host(source):
            pinned.fill(on(device).xp, target, source, non_blocking)
        else:
            pinned.read(on(device).xp, source, target, non_blocking)
    if is_host(target) and not non_blocking:
        faults.check()
    return True


def exported(array, stream, max_version, dl_device, copy):
    """A DLPack capsule of an array, for the stream of who takes it. Raises ``BufferError`` off the current GPU."""
    place = exchange_device(array)
    if not is_host(array) and place[1] != of(array).xp.cuda.runtime.getDevice():
        raise BufferError(
            f"Can't export tensors on a different CUDA device index. Expected: {place[1]}. Current device: "
            f"{of(array).xp.cuda.runtime.getDevice()}. Hint: export it within minidl.cuda.device({place[1]})."
        )
    return exchange.export(array, place, stream, max_version, dl_device, copy)


def exchange_device(array):
    """DLPack's (device type, device number) of an array."""
    where = device_of(array)
    kind = {"cpu": exchange.CPU, "cuda": exchange.CUDA, "emulated": exchange.EMULATED}[where.type]
    return kind, where.index or 0


def imported(source, copy=None):
    """An array over the memory of what has ``__dlpack__``, or of a capsule, safe to use on the current stream."""
    return exchange.imported(source, lambda type: on(type).xp, copy)


def adopted(source, where=None):
    """An array over the memory of what has ``__cuda_array_interface__``, safe to use on the current stream."""
    return on("cuda" if where is None or where.type == "cpu" else where).xp.asarray(source)


def is_host(array):
    """Whether an array is NumPy's."""
    return isinstance(array, np.ndarray)


def _current(xp, where):
    """Makes the device of a copy the current one, which streams and new memory belong to."""
    return contextlib.nullcontext() if where.index is None else xp.cuda.Device(where.index)


def pin(array, type):
    """The host's array in memory that is page-locked for the devices of a type; itself where it is there."""
    return pinned.pin(on(type).xp, array)


def used_on(array, stream):
    """Keeps a device array's memory until a stream has done what it has when the array is dropped."""
    pinned.used_on(of(array).xp, array, stream)


def is_pinned(array):
    """Whether the host's array lies in page-locked memory. Without a device that was used, none does."""
    return any(
        pinned.holds(space.xp, array) for type, space in _BY_TYPE.items() if type not in ("cpu", "meta")
    )


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
