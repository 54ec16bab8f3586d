"""Utilities: ``minidl.utils.data`` loads data sets in batches."""

from minidl.utils import data

__all__ = ["data"]
