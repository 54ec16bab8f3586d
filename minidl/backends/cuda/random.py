"""Random numbers: the bits of ``backends/reference/random.py``, a block of the stream a thread.

The position in the stream is the host's (seed, offset). The kernels add to it what a word in device memory holds, where
they are given its address: what a captured step needs, whose arguments stay as they were.
"""

import numpy as np

from minidl.backends.device_calls import stream, view

_NO_WORD = 0
_INT64 = np.dtype(np.int64)
_INT64_MAX = 2**63 - 1


def philox_bits(xp, ext, shape, dtype, seed, offset):
    return _filled(xp, ext.random_bits, "ILQ", shape, dtype, seed, offset)


def philox_uniform(xp, ext, shape, dtype, seed, offset):
    return _filled(xp, ext.random_uniform, "feEd", shape, dtype, seed, offset)


def philox_normal(xp, ext, shape, dtype, seed, offset):
    return _filled(xp, ext.random_normal, "feEd", shape, dtype, seed, offset)


def philox_exponential(xp, ext, shape, dtype, seed, offset):
    return _filled(xp, ext.random_exponential, "feEd", shape, dtype, seed, offset)


def philox_randint(xp, ext, shape, dtype, seed, offset, low, span):
    if low > _INT64_MAX:
        return NotImplemented
    out = xp.empty(shape, _INT64)
    ext.random_integers(view(out), low, span % 2**64, seed, offset, _NO_WORD, stream(xp))
    return out.astype(dtype, copy=False)


def _filled(xp, fill, served, shape, dtype, seed, offset):
    dtype = np.dtype(dtype)
    if dtype.char not in served:
        return NotImplemented
    out = xp.empty(shape, dtype)
    fill(view(out), seed, offset, _NO_WORD, stream(xp))
    return out
