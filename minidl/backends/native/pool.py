"""Pooling in C++ for float32 and float64: the extension's functions themselves."""

from minidl._native import (
    adaptive_avg_pool,
    adaptive_avg_pool_grad,
    adaptive_max_pool,
    avg_pool,
    avg_pool_grad,
    max_pool,
    max_pool_gather,
    max_pool_grad,
    max_pool_indices,
)

__all__ = [
    "adaptive_avg_pool",
    "adaptive_avg_pool_grad",
    "adaptive_max_pool",
    "avg_pool",
    "avg_pool_grad",
    "max_pool",
    "max_pool_gather",
    "max_pool_grad",
    "max_pool_indices",
]
