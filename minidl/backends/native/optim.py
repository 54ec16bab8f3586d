"""Optimizer steps in C++ for float32 and float64: the extension's functions themselves."""

from minidl._native import adam_step, sgd_step
