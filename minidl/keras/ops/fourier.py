"""Fourier transforms of pairs (real, imaginary): ``fft``, ``fft2``, ``ifft2``, ``rfft``, ``irfft``.

There are no complex tensors: a transform is real products with cosines and sines, so gradients of every order hold. A
length is split by its factors, as J. Cooley and J. Tukey do ("An algorithm for the machine calculation of complex
Fourier series", 1965); what is at most ``_WHOLE`` long, or prime, is one product with the matrix.
"""

import numpy as np

from minidl import cat, zeros_like
from minidl.keras.ops.operation import floating, operation
from minidl.ops.create import as_tensor

_WHOLE = 64


@operation
def fft(x):
    """sum over n of x_n e^(-2 pi i n k / N) along the last dimension, of (real, imaginary) to (real, imaginary).

    >>> from minidl.keras import ops
    >>> ops.fft((ops.ones((1, 4)), ops.zeros((1, 4))))[0].round(decimals=6).abs().tolist()
    [[4.0, 0.0, 0.0, 0.0]]
    """
    return _transformed(*_parts(x, 1))


@operation
def fft2(x):
    """``fft`` along the last dimension, then the one before it."""
    return _over_two(*_parts(x, 2))


@operation
def ifft2(x):
    """What ``fft2`` makes x of."""
    real, imaginary = _parts(x, 2)
    real, imaginary = _over_two(real, -imaginary)  # the conjugate of the transform of the conjugate
    size = real.shape[-1] * real.shape[-2]
    return real / size, -imaginary / size


@operation
def rfft(x, fft_length=None):
    """The first N // 2 + 1 terms of ``fft`` of real x, cut or filled by zeros to ``fft_length`` = N."""
    x = floating(x)
    x = _fitted(x, fft_length or x.shape[-1])
    terms = x.shape[-1] // 2 + 1
    real, imaginary = _transformed(x, zeros_like(x))
    return real[..., :terms], imaginary[..., :terms]


@operation
def irfft(x, fft_length=None):
    """The real x of length N = ``fft_length`` (2 (terms - 1) by default) that ``rfft`` makes these terms of."""
    real, imaginary = _parts(x, 1)
    length = fft_length or 2 * (real.shape[-1] - 1)
    terms = length // 2 + 1
    real, imaginary = _fitted(real, terms), _fitted(imaginary, terms)
    mirrored = (..., slice(1, (length + 1) // 2))  # term N - k is the conjugate of term k
    real = cat([real, real[mirrored].flip(-1)], -1)
    imaginary = cat([imaginary, -imaginary[mirrored].flip(-1)], -1)
    return _transformed(real, -imaginary)[0] / length


def _parts(x, rank):
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"Input `x` should be a tuple of two tensors - real and imaginary. Received: x={x}")
    real, imaginary = floating(x[0]), floating(x[1])
    if real.shape != imaginary.shape:
        raise ValueError(
            "Input `x` should be a tuple of two tensors - real and imaginary. Both the real and imaginary parts should "
            f"have the same shape. Received: x[0].shape = {tuple(real.shape)}, x[1].shape = {tuple(imaginary.shape)}"
        )
    if real.ndim < rank:
        raise ValueError(f"Input should have rank >= {rank}. Received: input.shape = {tuple(real.shape)}")
    return real, imaginary


def _fitted(x, length):
    """x cut, or filled by zeros, to ``length`` in its last dimension."""
    if x.shape[-1] >= length:
        return x[..., :length]
    return cat([x, x.new_zeros((*x.shape[:-1], length - x.shape[-1]))], -1)


def _like(array, x):
    return as_tensor(array, dtype=x.dtype, device=x.device)


def _over_two(real, imaginary):
    real, imaginary = (part.swapaxes(-1, -2) for part in _transformed(real, imaginary))
    return tuple(part.swapaxes(-1, -2) for part in _transformed(real, imaginary))


def _transformed(real, imaginary):
    """The transform along the last dimension, of length N."""
    length = real.shape[-1]
    factor = _factor(length)
    if factor == length:
        n = np.arange(length)
        return _times(real, imaginary, np.outer(n, n), length, matrix=True)
    # n = factor n1 + n2 and k = k1 + rest k2: transforms over n1, turned by n2 k1 / N, then transforms over n2
    rest = length // factor
    split = [
        part.unflatten(-1, (rest, factor)).swapaxes(-1, -2) for part in (real, imaginary)
    ]  # (..., n2, n1)
    turns = np.outer(np.arange(factor), np.arange(rest))
    split = _times(*_transformed(*split), turns, length)  # (..., n2, k1)
    split = _transformed(*(part.swapaxes(-1, -2) for part in split))  # (..., k1, k2)
    return tuple(part.swapaxes(-1, -2).flatten(-2) for part in split)


def _factor(length):
    """The largest factor that is at most ``_WHOLE``, the length itself where it is prime beyond."""
    if length <= _WHOLE:
        return length
    return next((factor for factor in range(_WHOLE, 1, -1) if length % factor == 0), length)


def _times(real, imaginary, turns, length, matrix=False):
    """(real + i imaginary) times e^(-2 pi i turns / length): elementwise, or as a product with that matrix."""
    angle = 2 * np.pi / length * (turns % length)
    cosines, sines = _like(np.cos(angle), real), _like(np.sin(angle), real)
    if matrix:
        return real @ cosines + imaginary @ sines, imaginary @ cosines - real @ sines
    return real * cosines + imaginary * sines, imaginary * cosines - real * sines
