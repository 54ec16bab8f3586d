"""Activation functions by Keras' names; each takes an array-like and gives a tensor with its gradient.

>>> from minidl import keras
>>> keras.activations.get("relu")(keras.utils.to_tensor([-1.0, 2.0]))
tensor([0., 2.])
"""

from minidl import arange, cumsum, exp, gather, maximum, sort, sqrt, where
from minidl.keras.identifiers import Identifiers
from minidl.keras.tensors import to_float
from minidl.nn import functional as F

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid",
    "hard_sigmoid_keras2", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid",
    "log_softmax", "mish", "relu", "relu6", "selu", "serialize", "sigmoid", "silu", "soft_shrink", "softmax",
    "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh",
    "tanh_shrink", "threshold",
]  # fmt: skip


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """max(x, 0); or x above ``threshold`` and at most ``max_value``, negative_slope * (x - threshold) below it."""
    x = to_float(x)
    if not negative_slope and max_value is None and not threshold:
        return F.relu(x)
    if negative_slope and max_value is None and not threshold:
        return F.leaky_relu(x, negative_slope)
    high = where(x > threshold, x, x.new_zeros(()))
    if max_value is not None:
        high = high.clamp(0, max_value)
    return high - negative_slope * F.relu(threshold - x) if negative_slope else high


def leaky_relu(x, negative_slope=0.2):
    """x where x > 0, negative_slope * x elsewhere."""
    return F.leaky_relu(to_float(x), negative_slope)


def relu6(x):
    """min(max(x, 0), 6)."""
    return F.relu6(to_float(x))


def softmax(x, axis=-1):
    """exp(x) / sum exp(x) over ``axis``, an int or a tuple of ints. Raises ``ValueError`` for a vector or scalar."""
    x = to_float(x)
    if x.ndim == 1:
        raise ValueError(
            f"Cannot apply softmax to a tensor that is 1D. Received input: shape {tuple(x.shape)}"
        )
    if isinstance(axis, int):
        return F.softmax(x, axis)
    axes = [a % x.ndim for a in axis]
    rest = [a for a in range(x.ndim) if a not in axes]
    moved = x.permute(*rest, *axes)
    flat = F.softmax(moved.reshape(*moved.shape[: len(rest)], -1), -1).reshape(moved.shape)
    order = [*rest, *axes]
    return flat.permute(*(order.index(a) for a in range(x.ndim)))


def log_softmax(x, axis=-1):
    """log(softmax(x)) over ``axis``."""
    return F.log_softmax(to_float(x), axis)


def elu(x, alpha=1.0):
    """x where x > 0, alpha * (e^x - 1) elsewhere."""
    return F.elu(to_float(x), alpha)


def celu(x, alpha=1.0):
    """max(x, 0) + min(alpha * (e^(x / alpha) - 1), 0)."""
    return F.celu(to_float(x), alpha)


def selu(x):
    """scale * elu(x, alpha) with the two constants that keep mean 0 and variance 1."""
    return F.selu(to_float(x))


def glu(x, axis=-1):
    """a * sigmoid(b) for the halves a and b of ``axis``."""
    return F.glu(to_float(x), axis)


def softplus(x):
    """log(1 + e^x)."""
    return F.softplus(to_float(x))


def softsign(x):
    """x / (1 + |x|)."""
    return F.softsign(to_float(x))


def soft_shrink(x, threshold=0.5):
    """x moved ``threshold`` towards 0; 0 where |x| <= threshold."""
    return F.softshrink(to_float(x), threshold)


def hard_shrink(x, threshold=0.5):
    """x where |x| > threshold, else 0."""
    return F.hardshrink(to_float(x), threshold)


def tanh_shrink(x):
    """x - tanh(x)."""
    return F.tanhshrink(to_float(x))


def threshold(x, threshold, default_value):
    """x where x > threshold, else ``default_value``."""
    return F.threshold(to_float(x), threshold, default_value)


def sparse_plus(x):
    """0 up to -1, (x + 1)^2 / 4 between -1 and 1, x from 1 on."""
    x = to_float(x)
    return where(x <= -1, x.new_zeros(()), where(x < 1, (x + 1) ** 2 * 0.25, x))


def sparse_sigmoid(x):
    """0 up to -1, (x + 1) / 2 between -1 and 1, 1 from 1 on."""
    return ((to_float(x) + 1) * 0.5).clamp(0, 1)


def squareplus(x, b=4):
    """(x + sqrt(x^2 + b)) / 2."""
    x = to_float(x)
    return (x + sqrt(x * x + b)) * 0.5


def sparsemax(x, axis=-1):
    """The nearest point of the simplex: max(x - tau, 0), with tau such that ``axis`` sums to 1.

    Source: A. Martins, R. Astudillo, "From softmax to sparsemax", ICML 2016.
    """
    x = to_float(x)
    axis = axis % x.ndim
    ordered = sort(x.detach(), axis, descending=True)[0]
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    rank = arange(1, x.shape[axis] + 1, dtype=x.dtype, device=x.device).reshape(shape)
    inside = (ordered * rank + 1) > cumsum(ordered, axis)
    count = inside.sum(axis, keepdim=True)
    # the threshold, computed on the tape from the entries of the support
    held = sort(x, axis, descending=True)[0]
    tau = (gather(cumsum(held, axis), axis, count - 1) - 1) / count.to(x.dtype)
    return maximum(x - tau, x * 0)


def gelu(x, approximate=False):
    """x * P(N <= x) for a standard normal N; ``approximate`` replaces erf by tanh."""
    return F.gelu(to_float(x), approximate="tanh" if approximate else "none")


def tanh(x):
    """Hyperbolic tangent."""
    return F.tanh(to_float(x))


def sigmoid(x):
    """1 / (1 + e^-x)."""
    return F.sigmoid(to_float(x))


def log_sigmoid(x):
    """log(sigmoid(x))."""
    return F.logsigmoid(to_float(x))


def exponential(x):
    """e^x."""
    return exp(to_float(x))


def hard_sigmoid(x):
    """x / 6 + 1/2, held between 0 and 1."""
    return F.hardsigmoid(to_float(x))


def hard_sigmoid_keras2(x):
    """x / 5 + 1/2, held between 0 and 1: what Keras 2 calls ``hard_sigmoid``, as files of Keras 2 mean it."""
    return (to_float(x) * 0.2 + 0.5).clamp(0, 1)


def hard_silu(x):
    """x * hard_sigmoid(x)."""
    return F.hardswish(to_float(x))


def hard_tanh(x):
    """x held between -1 and 1."""
    return F.hardtanh(to_float(x))


def silu(x):
    """x * sigmoid(x)."""
    return F.silu(to_float(x))


def mish(x):
    """x * tanh(softplus(x))."""
    return F.mish(to_float(x))


def linear(x):
    """x itself."""
    return x


swish, hard_swish = silu, hard_silu

_FUNCTIONS = (
    relu, leaky_relu, relu6, softmax, celu, elu, selu, softplus, softsign, squareplus, soft_shrink, sparse_plus,
    silu, gelu, glu, tanh, tanh_shrink, threshold, sigmoid, sparse_sigmoid, exponential, hard_sigmoid, hard_silu,
    hard_tanh, hard_shrink, hard_sigmoid_keras2, linear, mish, log_softmax, log_sigmoid, sparsemax,
)  # fmt: skip
_KNOWN = Identifiers(
    "activation function", "keras.activations", functions=_FUNCTIONS,
    aliases={"swish": "silu", "hard_swish": "hard_silu", "hardswish": "hard_silu", "hardtanh": "hard_tanh"},
)  # fmt: skip


def get(identifier):
    """The activation of a name, a config or a callable; None is ``linear``. ``ValueError`` names the closest."""
    return linear if identifier is None else _KNOWN.get(identifier)


def serialize(activation):
    """The name of an activation (or, of an object with a config, a dict)."""
    return _KNOWN.serialize(activation)


def deserialize(config, custom_objects=None):
    """The activation that ``serialize`` gave the name of."""
    return linear if config is None else _KNOWN.deserialize(config, custom_objects)
