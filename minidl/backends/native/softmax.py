"""Softmax and cross entropy in C++ for float32 and float64, any axis, any layout: the extension's functions
themselves.
"""

from minidl._native import (
    cross_entropy,
    cross_entropy_backward,
    first_out_of_range,
    log_softmax,
    log_softmax_backward,
    softmax,
    softmax_backward,
)
