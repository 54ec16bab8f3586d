"""Products of small matrices in C++; larger ones are refused, NumPy hands them to a BLAS."""

from minidl._native import linear, matmul
