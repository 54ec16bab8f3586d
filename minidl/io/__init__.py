"""Files: ``save`` and ``load`` of nested values with tensors, and idx files (MNIST)."""

from minidl.io.checkpoint import load, save
from minidl.io.idx import read_idx
from minidl.io.safe_globals import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals

__all__ = [
    "add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "read_idx", "safe_globals", "save",
]  # fmt: skip
