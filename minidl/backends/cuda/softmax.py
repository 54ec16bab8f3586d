"""Softmax, log-softmax and their gradients along any axis, any strides."""

from minidl.backends.device_calls import empty_alike, stream, view

_FLOATS = frozenset("feEd")


def softmax(xp, ext, input, dim):
    return _forward(xp, ext, input, dim, False)


def log_softmax(xp, ext, input, dim):
    return _forward(xp, ext, input, dim, True)


def softmax_backward(xp, ext, grad, output, dim):
    return _backward(xp, ext, grad, output, dim, False)


def log_softmax_backward(xp, ext, grad, output, dim):
    return _backward(xp, ext, grad, output, dim, True)


def _forward(xp, ext, input, dim, log):
    if input.dtype.char not in _FLOATS:
        return NotImplemented
    out = empty_alike(xp, input)
    ext.softmax(view(input), dim % input.ndim, log, view(out), stream(xp))
    return out


def _backward(xp, ext, grad, output, dim, log):
    dtype, shape = grad.dtype, grad.shape
    if dtype.char not in _FLOATS or output.dtype != dtype or output.shape != shape:
        return NotImplemented
    out = empty_alike(xp, output)
    ext.softmax_backward(view(grad), view(output), dim % len(shape), log, view(out), stream(xp))
    return out
