"""Utilities: ``data`` loads data sets in batches, ``checkpoint`` trades time for memory, ``dlpack`` shares memory."""

from minidl.utils import checkpoint, data, dlpack, hooks

__all__ = ["checkpoint", "data", "dlpack", "hooks"]
