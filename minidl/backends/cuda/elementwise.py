"""Elementwise functions of float32 and float64 arrays, any strides, one kernel each."""

from minidl.backends.device_calls import broadcast_shape, stream, view


def _output(xp, shape, *inputs):
    """An empty result, in the memory order of an input that has its shape."""
    for input in inputs:
        if input.shape == shape:
            return xp.empty(shape, input.dtype) if input.flags.c_contiguous else xp.empty_like(input)
    return xp.empty(shape, inputs[0].dtype)


def _unary(name):
    def call(xp, ext, input):
        if input.dtype.char not in "fd":
            return NotImplemented
        out = _output(xp, input.shape, input)
        getattr(ext, name)(view(input), view(out), stream(xp))
        return out

    call.__name__ = name
    return call


def _operand(value):
    """An array for the extension; a number as it is."""
    return value if value.__class__ in (float, int) else view(value)


def _binary(name):
    def call(xp, ext, input, other):
        arrays = [x for x in (input, other) if x.__class__ not in (float, int)]
        if (
            any(x.__class__ is bool or x.dtype != arrays[0].dtype for x in arrays)
            or arrays[0].dtype.char not in "fd"
        ):
            return NotImplemented
        shape = broadcast_shape(arrays[0].shape, arrays[-1].shape)
        if shape is None:
            return NotImplemented
        out = _output(xp, shape, *arrays)
        getattr(ext, name)(_operand(input), _operand(other), view(out), stream(xp))
        return out

    call.__name__ = name
    return call


neg, abs, square, reciprocal = _unary("neg"), _unary("abs"), _unary("square"), _unary("reciprocal")
sqrt, rsqrt, exp, log = _unary("sqrt"), _unary("rsqrt"), _unary("exp"), _unary("log")
sin, cos, tanh, sigmoid, relu = (_unary(name) for name in ("sin", "cos", "tanh", "sigmoid", "relu"))
add, sub, mul, div, pow = (_binary(name) for name in ("add", "sub", "mul", "div", "pow"))
maximum, minimum = _binary("maximum"), _binary("minimum")
relu_grad, tanh_grad, sigmoid_grad = (_binary(name) for name in ("relu_grad", "tanh_grad", "sigmoid_grad"))
