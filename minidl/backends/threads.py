"""How many threads the CPU kernels use, and NumPy's BLAS; without the compiled extension the kernels are missing."""

import ctypes
import functools
from pathlib import Path

import numpy as np

try:
    from minidl import _native
    from minidl._native import get_num_threads
except ImportError:
    _native = None

    def get_num_threads():
        """Threads that the CPU kernels use, the caller included."""
        return 1


_SETTERS = ("scipy_openblas_set_num_threads64_", "scipy_openblas_set_num_threads", "openblas_set_num_threads")


@functools.cache
def _blas_setters():
    """What sets the threads of the OpenBLAS that NumPy's wheels bring along; empty for another BLAS."""
    package = Path(np.__file__).parent
    folders = package.parent / "numpy.libs", package / ".dylibs", package / ".libs"
    found = []
    for file in (file for folder in folders for file in sorted(folder.glob("*openblas*"))):
        try:
            library = ctypes.CDLL(str(file))
        except OSError:
            continue
        found += [getattr(library, name) for name in _SETTERS if hasattr(library, name)][:1]
    return found


def set_num_threads(count):
    """Sets the number of threads of the CPU kernels and of NumPy's BLAS; ``ValueError`` for count < 1."""
    if _native is not None:
        _native.set_num_threads(count)
    elif count < 1:
        raise ValueError(f"set_num_threads expects a positive integer, got {count}")
    for setter in _blas_setters():
        setter(ctypes.c_int(count))


__all__ = ["get_num_threads", "set_num_threads"]
