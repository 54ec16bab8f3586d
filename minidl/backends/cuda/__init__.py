"""The CUDA backend: arrays are CuPy's, the hot functions are the kernels of ``minidl._cuda``.

A family a module, found by its place; every function takes the array module and the extension first. The backend
``emulated`` runs the same functions on a CPU. CuPy is imported on first use, so importing minidl needs neither
CuPy nor a GPU.
"""

import functools

from minidl import build_info


def __getattr__(name):
    if name == "xp":
        return _cupy()
    if name == "Array":
        return _cupy().ndarray
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _cupy():
    import cupy

    return cupy


@functools.cache
def unavailable_reason():
    """Why there is no CUDA backend on this machine and what to do about it, or None."""
    try:
        runtime = _cupy().cuda.runtime
    except ImportError as error:
        return f"CuPy cannot be imported ({error}). Install it with pip install 'minidl[cuda13]'."
    except Exception as error:  # whatever a broken installation raises
        return f"CuPy cannot be imported ({error!r}). Reinstall it with pip install 'minidl[cuda13]'."
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        return f"CUDA reports no usable device ({error}). Install or update the NVIDIA driver."
    return None if count else "the CUDA driver sees no device."


@functools.cache
def _load():
    try:
        from minidl import _cuda
    except ImportError as error:
        record = build_info.extension("cuda")
        return None, f"minidl._cuda does not load: {error}" if record["built"] else record["reason"]
    return _cuda, None


def extension():
    """``minidl._cuda``, or None where it does not load: then CuPy serves every function."""
    return _load()[0]


def extension_reason():
    """Why ``extension()`` is None, or None."""
    return _load()[1]


def asarray(array):
    """A CuPy array with the values of a NumPy array."""
    return _cupy().asarray(array)


def to_numpy(array):
    """A NumPy array with the values of a CuPy array."""
    return array.get()
