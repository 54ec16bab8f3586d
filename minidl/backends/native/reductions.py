"""Reductions in C++ for float32 and float64."""

from minidl._native import amax, amin, argmax, argmin, cumprod, cumsum, prod, sum, sum_squares

__all__ = ["amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "prod", "sum", "sum_squares"]
