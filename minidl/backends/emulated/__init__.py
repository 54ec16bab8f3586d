"""The CUDA backend on a CPU, for tests: the functions of ``backends/cuda`` with ``minidl._emulated``.

``minidl._emulated`` holds the kernels of ``csrc/cuda`` compiled for the host, one fiber a CUDA thread
(``csrc/emulator``). ``MINIDL_EMULATOR_SEED`` shuffles the order of threads and blocks. ``Array`` and ``xp`` stand
in for CuPy's ``ndarray`` and module: they have CuPy's names and keywords and refuse what CuPy refuses, so code that
works here works with CuPy.
"""

import functools

from minidl import build_info
from minidl.backends.emulated.array import Array
from minidl.backends.emulated.module import xp

__all__ = ["Array", "asarray", "extension", "to_numpy", "unavailable_reason", "xp"]


@functools.cache
def _load():
    try:
        from minidl import _emulated
    except ImportError as error:
        record = build_info.extension("emulated")
        return None, f"minidl._emulated does not load: {error}." if record[
            "built"
        ] else f"{record['reason']}."
    return _emulated, None


def extension():
    """``minidl._emulated``, or None where it does not load."""
    return _load()[0]


def unavailable_reason():
    """Why there is no emulated backend, or None."""
    return _load()[1]


def asarray(array):
    """A copy of a NumPy array on the emulated device."""
    return xp.asarray(array)


def to_numpy(array):
    """A NumPy array with the values of an emulated array."""
    return array.get()
