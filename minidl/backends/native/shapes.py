"""Shapes in C++, any dtype of up to eight bytes."""

from minidl import _native


def tril(input, diagonal):
    return _triangle(input, diagonal, True)


def triu(input, diagonal):
    return _triangle(input, diagonal, False)


def _triangle(input, diagonal, lower):
    if input.dtype.itemsize > 8 or not input.flags.c_contiguous or not input.flags.aligned:
        return NotImplemented
    out = _native.empty(input.shape, input.dtype)
    _native.triangle(input, diagonal, lower, out)
    return out


def flip(input, dims):
    turned = tuple(slice(None, None, -1) if d in dims else slice(None) for d in range(input.ndim))
    return _native.copy(input[turned]) if input.ndim else NotImplemented
