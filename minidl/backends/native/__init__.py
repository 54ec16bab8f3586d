"""Overrides of the reference by C++ on NumPy arrays: a family a module, found by its place.

A package without ``minidl._native``, or with one that does not load here, has no overrides: the reference
serves.
"""

from minidl import build_info

try:
    from minidl import _native
except ImportError as error:
    _native = None
    _load_error = str(error)
    __path__ = []  # every family imports the extension


def unavailable_reason():
    """Why there is no native backend, or None."""
    if _native is not None:
        return None
    record = build_info.extension("native")
    return f"minidl._native does not load: {_load_error}" if record["built"] else record["reason"]


def instruction_set():
    """The level whose kernels run, such as ``"x86-64-v4"``; None without the extension. The environment variable
    ``MINIDL_CPU`` (``v2``, ``v3`` or ``v4``) lowers it.
    """
    return getattr(_native, "instruction_set", None)
