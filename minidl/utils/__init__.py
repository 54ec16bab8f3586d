"""Utilities: ``data`` loads data sets in batches, ``checkpoint`` trades time for memory."""

from minidl.utils import checkpoint, data

__all__ = ["checkpoint", "data"]
