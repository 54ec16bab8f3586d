"""Softmax and cross entropy in C++ for float32 and float64, any axis, any layout."""

from minidl import _native
from minidl._native import (
    cross_entropy,
    cross_entropy_backward,
    first_out_of_range,
    log_softmax,
    log_softmax_backward,
    softmax,
    softmax_backward,
)


def logsumexp(input, dims, keepdim):
    if len(dims) != 1 or not input.size:
        return NotImplemented
    out = _native.logsumexp_rows(input, dims[0])
    if out is NotImplemented:
        return out
    kept = (1,) if keepdim else ()
    return out.reshape((*input.shape[: dims[0]], *kept, *input.shape[dims[0] + 1 :]))
