"""Files: ``save`` and ``load`` of nested values with tensors, and idx files (MNIST)."""

from minidl.io.checkpoint import load, save
from minidl.io.idx import read_idx

__all__ = ["load", "read_idx", "save"]
