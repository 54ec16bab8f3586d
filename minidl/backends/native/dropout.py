"""Dropout in C++ for float32 and float64 in C order."""

from minidl._native import dropout, masked_scale
