"""Random numbers by ``minidl._native``: the bits of ``backends/reference/random.py``, faster."""

import numpy as np

from minidl import _native
from minidl.backends.native.ordering import sort_first

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_WORDS = (np.dtype(np.uint32), np.dtype(np.uint64))
_INT64_MAX = 2**63 - 1


def philox_bits(shape, dtype, seed, offset):
    return _filled(_native.random_bits, _WORDS, shape, dtype, seed, offset)


def philox_uniform(shape, dtype, seed, offset):
    return _filled(_native.random_uniform, _FLOATS, shape, dtype, seed, offset)


def philox_normal(shape, dtype, seed, offset):
    return _filled(_native.random_normal, _FLOATS, shape, dtype, seed, offset)


def philox_exponential(shape, dtype, seed, offset):
    return _filled(_native.random_exponential, _FLOATS, shape, dtype, seed, offset)


def philox_randint(shape, dtype, seed, offset, low, span):
    if low > _INT64_MAX:
        return NotImplemented
    out = _native.empty(shape, np.dtype(np.int64))
    _native.random_integers(out, low, span % 2**64, seed, offset)
    return out.astype(dtype, copy=False)


def philox_multinomial(weights, num_samples, replacement, seed, offset):
    if replacement or weights.dtype != _FLOATS[1] or not weights.size:
        return NotImplemented
    clocks = philox_exponential(weights.shape, weights.dtype, seed, offset)
    return sort_first(_native.div(clocks, weights), weights.ndim - 1, False, num_samples)[1]


def _filled(fill, dtypes, shape, dtype, seed, offset):
    if dtype not in dtypes:
        return NotImplemented
    out = _native.empty(shape, dtype)
    fill(out, seed, offset)
    return out
