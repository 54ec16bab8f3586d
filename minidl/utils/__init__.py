"""Utilities: ``minidl.utils.data`` loads data sets in batches, ``minidl.utils.dlpack`` shares memory."""

from minidl.utils import data, dlpack

__all__ = ["data", "dlpack"]
