"""Random numbers that are a pure function of (seed, offset): Philox-4x32-10.

Block n of a stream is four 32-bit words: philox(counter=(n mod 2^32, n div 2^32, 0, 0), key=(seed mod 2^32,
seed div 2^32)). A draw of `count` elements that takes W words an element reads the words 0 .. count * W - 1 that
start at block `offset`, element i the words W * i .. W * i + W - 1, and so uses `ceil(count * W / 4)` blocks.
Nothing depends on how many threads, which device or which backend fills the array: each gives the same stream.

    function             words an element     element
    philox_bits          1 (uint32) 2 (uint64)   the words, the first one lowest
    philox_uniform       1, float64 2            the top bits as a fraction: 11 (float16), 8 (bfloat16), 24, 53
    philox_normal        1, float64 2            Box-Muller of elements 2j and 2j + 1 together
    philox_exponential   1, float64 2            -log(u)
    philox_randint       2, span > 2^32: 4       low + floor(word * span / 2^64 or 2^128)
    philox_randperm      2                       order of (word, index)

Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011;
G. Box, M. Muller, "A note on the generation of random normal deviates", 1958.
"""

import math

import numpy as np

from minidl.backends.reference.special import erfinv as _erfinv

_WORD = 0xFFFFFFFF
_DOUBLE_WORD = 0xFFFFFFFFFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)  # golden ratio and sqrt(3) - 1: the key's step each round
_ROUNDS = 10
_FRACTION_BITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


def philox_bits(xp, shape, dtype, seed, offset):
    """Uniform bits as uint32 or uint64 of the given `shape`."""
    count = math.prod(shape)
    wide = np.dtype(dtype).itemsize == 8
    words = _words(xp, count * (2 if wide else 1), seed, offset)
    return (_pair(words) if wide else words.astype(dtype)).reshape(shape)


def philox_uniform(xp, shape, dtype, seed, offset):
    """Uniform floats in [0, 1), every multiple of 2^-bits equally likely (bits: 11, 8, 24, 53 by dtype)."""
    bits = _FRACTION_BITS[np.dtype(dtype).name]
    if bits == 53:
        fraction = philox_bits(xp, shape, np.uint64, seed, offset) >> 11
    else:
        fraction = philox_bits(xp, shape, np.uint32, seed, offset) >> (32 - bits)
    return (fraction.astype(np.float64) * 2.0**-bits).astype(dtype)


def philox_normal(xp, shape, dtype, seed, offset):
    """Standard normal floats; computed in float64, so that backends agree to a few units in the last place."""
    count = math.prod(shape)
    uniform = _open_uniform(xp, count + count % 2, dtype, seed, offset)
    radius = xp.sqrt(xp.log(uniform[0::2]) * -2.0)
    angle = uniform[1::2] * (2.0 * math.pi)
    pairs = xp.stack([radius * xp.cos(angle), radius * xp.sin(angle)], axis=1)
    return pairs.reshape(-1)[:count].reshape(shape).astype(dtype)


def philox_exponential(xp, shape, dtype, seed, offset):
    """Exponential floats of rate 1: -log(u) with u inside (0, 1), so neither 0 nor infinite."""
    uniform = _open_uniform(xp, math.prod(shape), dtype, seed, offset)
    return (-xp.log(uniform)).reshape(shape).astype(dtype)


def philox_randint(xp, shape, dtype, seed, offset, low, span):
    """Integers in [low, low + span), 1 <= span <= 2^64; the chance of a value is off by less than 2^-32 of itself."""
    count = math.prod(shape)
    if span <= 1 << 32:
        word = _pair(_words(xp, 2 * count, seed, offset))
        index = _multiply_high(word, span)
    else:
        words = _words(xp, 4 * count, seed, offset).reshape(count, 4)
        index = _multiply_high_wide(_pair(words[:, 2:].reshape(-1)), _pair(words[:, :2].reshape(-1)), span)
    # Unsigned arithmetic wraps, so that adding a negative low as its two's complement is exact.
    return (index + _unsigned(low)).astype(np.int64).astype(dtype).reshape(shape)


def philox_randperm(xp, n, dtype, seed, offset):
    """A permutation of 0 .. n - 1: the indices in the order of random keys; equal keys keep the order of their indices.

    The index lies in the low bits of its own key, so one sort of integers gives the permutation, ties included.
    """
    if n == 0:
        return xp.zeros((0,), dtype=dtype)
    index_bits = max(n - 1, 1).bit_length()
    keys = philox_bits(xp, (n,), np.uint64, seed, offset) >> index_bits << index_bits
    order = xp.sort(keys | xp.arange(n, dtype=np.uint64))
    return (order & ((1 << index_bits) - 1)).astype(dtype)


def philox_multinomial(xp, weights, num_samples, replacement, seed, offset):
    """Indices (..., num_samples) into the last axis of `weights` (..., K), float64, drawn in proportion to them.

    With replacement: inversion of the cumulative weights, one float64 uniform a sample. Without: the `num_samples`
    least arrival times of K exponential clocks whose rates are the weights, one float64 exponential a weight.
    """
    batch = weights.shape[:-1]
    if not replacement:
        clocks = philox_exponential(xp, weights.shape, np.float64, seed, offset)
        return xp.argsort(clocks / weights, axis=-1, kind="stable")[..., :num_samples].astype(np.int64)
    cumulative = xp.cumsum(weights, axis=-1)
    target = philox_uniform(xp, (*batch, num_samples), np.float64, seed, offset) * cumulative[..., -1:]
    flat = cumulative.reshape(-1, weights.shape[-1])
    rows = zip(flat, target.reshape(-1, num_samples), strict=True)
    found = [xp.searchsorted(row, wanted, side="right") for row, wanted in rows]
    picked = xp.stack(found).reshape(*batch, num_samples) if found else xp.zeros((*batch, num_samples))
    # Rounding may put a target on the total itself: the last weight above zero is meant.
    last = (cumulative < cumulative[..., -1:]).sum(axis=-1, keepdims=True)
    return xp.minimum(picked, last).astype(np.int64)


def stretch_uniform(xp, uniform, low, high):
    """Uniforms in [0, 1) moved to [low, high); rounding to the dtype never gives `high` itself, unless low is high."""
    dtype = uniform.dtype
    stretched = (uniform.astype(np.float64) * (high - low) + low).astype(dtype)
    if low == high:
        return stretched
    below = np.asarray(high).astype(dtype)
    if float(below) >= high:
        below = np.nextafter(below, np.asarray(-np.inf).astype(dtype))
    return xp.minimum(stretched, dtype.type(below))


def truncated_normal(xp, uniform, low, high):
    """Standard normals under the condition of lying in [low, high], by inversion of float64 uniforms in [0, 1)."""
    below, above = (math.erf(bound / math.sqrt(2.0)) for bound in (low, high))
    normal = math.sqrt(2.0) * _erfinv(xp, uniform * (above - below) + below)
    return xp.minimum(xp.maximum(normal, low), high)


def orthonormal_columns(xp, input):
    """The factor Q of `input` (n, m), n >= m, with the signs for which R has a positive diagonal."""
    basis, triangle = xp.linalg.qr(input)
    diagonal = xp.diagonal(triangle)
    return basis * xp.where(diagonal < 0, -1.0, 1.0)


def scale_and_shift(xp, input, scale, shift):
    """input * scale + shift, in input's dtype; scale and shift are numbers or arrays."""
    return (input * scale + shift).astype(input.dtype)


def all_within(xp, input, low, high):
    """Whether every element lies in [low, high], as a 0-d bool array; NaN does not."""
    return ((input >= low) & (input <= high)).all()


def _words(xp, count, seed, offset):
    """The first `count` words from block `offset` on, each 32 bits wide in a uint64."""
    blocks = -(-count // 4)
    counter = xp.arange(blocks, dtype=np.uint64) + _unsigned(offset)
    zero = xp.zeros((blocks,), dtype=np.uint64)
    block = _philox(counter & _WORD, counter >> 32, zero, zero, _unsigned(seed))
    return xp.stack(block, axis=1).reshape(-1)[:count]


def _philox(c0, c1, c2, c3, seed):
    """Ten rounds over arrays of counters; every array holds 32-bit values in uint64, so products are exact."""
    key0, key1 = int(seed) & _WORD, int(seed) >> 32
    for _ in range(_ROUNDS):
        product0, product1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1 = (product1 >> 32) ^ c1 ^ key0, product1 & _WORD
        c2, c3 = (product0 >> 32) ^ c3 ^ key1, product0 & _WORD
        key0, key1 = (key0 + _WEYL[0]) & _WORD, (key1 + _WEYL[1]) & _WORD
    return c0, c1, c2, c3


def _pair(words):
    """uint64 of each two words, the first one lowest."""
    return words[0::2] | (words[1::2] << 32)


def _open_uniform(xp, count, dtype, seed, offset):
    """Float64 uniforms inside (0, 1): the middles of 2^32 intervals, of 2^52 where `dtype` is float64."""
    if np.dtype(dtype).itemsize == 8:
        fraction, bits = philox_bits(xp, (count,), np.uint64, seed, offset) >> 12, 52
    else:
        fraction, bits = _words(xp, count, seed, offset), 32
    return (fraction.astype(np.float64) + 0.5) * 2.0**-bits


def _multiply_high(word, span):
    """floor(word * span / 2^64) for uint64 `word` and 0 <= span < 2^64."""
    return _multiply(word, span)[0]


def _multiply(word, span):
    """The 128-bit product of uint64 `word` and `span` as (high, low) halves, from four 32-bit products."""
    span_low, span_high = span & _WORD, span >> 32
    word_low, word_high = word & _WORD, word >> 32
    low = word_low * span_low
    middle = word_high * span_low + (low >> 32)
    middle_low = word_low * span_high + (middle & _WORD)
    return word_high * span_high + (middle >> 32) + (middle_low >> 32), word * span


def _multiply_high_wide(high_word, low_word, span):
    """floor((high_word * 2^64 + low_word) * span / 2^128); a span of 2^64 keeps the high word."""
    if span == 1 << 64:
        return high_word
    high, low = _multiply(high_word, span)
    carry = low + _multiply_high(low_word, span) < low
    return high + carry.astype(np.uint64)


def _unsigned(value):
    """A Python integer as the uint64 of the same value modulo 2^64."""
    return np.uint64(int(value) & _DOUBLE_WORD)
