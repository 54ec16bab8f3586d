"""Reductions in C++ for float32 and float64."""

from minidl._native import sum
