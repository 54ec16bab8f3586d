"""The CUDA backend: arrays are CuPy's, the hot functions are the kernels of ``minidl._cuda``.

A family a module, found by its place; every function takes the array module and the extension first. The backend
``emulated`` runs the same functions on a CPU. CuPy is imported on first use, so importing minidl needs neither
CuPy nor a GPU.
"""

import contextlib
import functools
import importlib

from minidl import build_info


def __getattr__(name):
    if name == "xp":
        return _cupy()
    if name == "Array":
        return _cupy().ndarray
    if name == "matmul":
        return importlib.import_module(f"{__name__}.matmul")
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


# --- torch.backends.cuda ----------------------------------------------------------------------------------------
# Which kernel computes an attention is chosen by its shape: the switches are remembered and change nothing.

_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built():
    """Whether minidl's CUDA kernels are there. Source: ``torch.backends.cuda.is_built``."""
    return build_info.extension("cuda")["built"]


def flash_sdp_enabled():
    """What ``enable_flash_sdp`` was given. Source: ``torch.backends.cuda.flash_sdp_enabled``."""
    return _attention["flash"]


def enable_flash_sdp(enabled):
    """Remembered. Source: ``torch.backends.cuda.enable_flash_sdp``."""
    _attention["flash"] = bool(enabled)


def mem_efficient_sdp_enabled():
    """What ``enable_mem_efficient_sdp`` was given. Source: ``torch.backends.cuda.mem_efficient_sdp_enabled``."""
    return _attention["mem_efficient"]


def enable_mem_efficient_sdp(enabled):
    """Remembered. Source: ``torch.backends.cuda.enable_mem_efficient_sdp``."""
    _attention["mem_efficient"] = bool(enabled)


def math_sdp_enabled():
    """What ``enable_math_sdp`` was given. Source: ``torch.backends.cuda.math_sdp_enabled``."""
    return _attention["math"]


def enable_math_sdp(enabled):
    """Remembered. Source: ``torch.backends.cuda.enable_math_sdp``."""
    _attention["math"] = bool(enabled)


def cudnn_sdp_enabled():
    """What ``enable_cudnn_sdp`` was given. Source: ``torch.backends.cuda.cudnn_sdp_enabled``."""
    return _attention["cudnn"]


def enable_cudnn_sdp(enabled):
    """Remembered. Source: ``torch.backends.cuda.enable_cudnn_sdp``."""
    _attention["cudnn"] = bool(enabled)


@contextlib.contextmanager
def sdp_kernel(enable_flash=True, enable_math=True, enable_mem_efficient=True, enable_cudnn=True):
    """Sets the switches within. Source: ``torch.backends.cuda.sdp_kernel``."""
    before = dict(_attention)
    _attention.update(
        flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn
    )
    try:
        yield
    finally:
        _attention.update(before)
