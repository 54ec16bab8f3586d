"""Choosing between two arrays in C++, any dtype of up to eight bytes."""

from minidl._native import where

__all__ = ["where"]
