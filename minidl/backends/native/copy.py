"""Copies in C++, any dtype of up to eight bytes."""

from minidl._native import copy

__all__ = ["copy"]
