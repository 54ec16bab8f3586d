"""Activation functions and their gradients, any strides, one kernel each."""


def _function(name, numbers):
    """One of an array and as many numbers."""

    def call(xp, ext, input, *given):
        return getattr(ext, name)(xp, input, *given) if len(given) == numbers else NotImplemented

    call.__name__ = name
    return call


def _gradient(name, numbers):
    def call(xp, ext, g, input, *given):
        return getattr(ext, name)(xp, g, input, *given) if len(given) == numbers else NotImplemented

    call.__name__ = name
    return call


for _name, _numbers in {
    "leaky_relu": 1, "elu": 3, "silu": 0, "softplus": 2, "mish": 0, "log_sigmoid": 0, "hardsigmoid": 0,
    "hardswish": 0, "hardtanh": 2,
}.items():  # fmt: skip
    globals()[_name] = _function(_name, _numbers)
    globals()[f"{_name}_grad"] = _gradient(f"{_name}_grad", _numbers)


def softshrink(xp, ext, input, lambd):
    return ext.softshrink(xp, input, lambd)


def hardshrink(xp, ext, input, lambd):
    return ext.hardshrink(xp, input, lambd)


def threshold(xp, ext, input, threshold, value):
    return ext.threshold(xp, input, threshold, value)


def gelu(xp, ext, input, approximate):
    return (ext.gelu_tanh if approximate == "tanh" else ext.gelu_erf)(xp, input)


def gelu_grad(xp, ext, g, input, approximate):
    return (ext.gelu_tanh_grad if approximate == "tanh" else ext.gelu_erf_grad)(xp, g, input)
