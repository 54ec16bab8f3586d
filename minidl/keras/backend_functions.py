"""Functions of tensors by the names of Keras 2's ``K``, on ``keras.ops``: for programs that still use them."""

from minidl.keras import ops, random
from minidl.keras.engine.variable import Variable

# isort: off
from minidl.keras.ops import (
    abs, all, any, arange, argmin, cast, clip, cos, dot, dtype, elu, equal, exp, expand_dims, eye, greater,
    greater_equal, less, less_equal, log, logsumexp, max, maximum, mean, min, minimum, ndim, not_equal, one_hot,
    ones, ones_like, prod, relu, reshape, round, sigmoid, sign, sin, softmax, softplus, softsign, sqrt, square,
    squeeze, stack, std, stop_gradient, sum, tanh, tile, transpose, var, zeros, zeros_like,
)  # fmt: skip
# isort: on

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "batch_flatten", "binary_crossentropy", "cast",
    "categorical_crossentropy", "clip", "concatenate", "constant", "cos", "dot", "dtype", "elu", "equal", "exp",
    "expand_dims", "eye", "flatten", "gather", "greater", "greater_equal", "l2_normalize", "less", "less_equal",
    "log", "logsumexp", "max", "maximum", "mean", "min", "minimum", "ndim", "not_equal", "one_hot", "ones",
    "ones_like", "permute_dimensions", "pow", "prod", "random_normal", "random_uniform", "relu", "repeat",
    "repeat_elements", "reshape", "round", "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "softsign",
    "sparse_categorical_crossentropy", "sqrt", "square", "squeeze", "stack", "std", "stop_gradient", "sum",
    "switch", "tanh", "tile", "transpose", "truncated_normal", "var", "variable", "zeros", "zeros_like",
]  # fmt: skip

permute_dimensions, pow, flatten = ops.transpose, ops.power, ops.ravel
variable = Variable


def shape(x):
    """The sizes; None where a symbolic tensor's is unknown."""
    return ops.shape(x)


def argmax(x, axis=-1):
    """The place of the largest along ``axis``."""
    return ops.argmax(x, axis)


def concatenate(tensors, axis=-1):
    """The tensors one after another along ``axis``."""
    return ops.concatenate(tensors, axis)


def constant(value, dtype=None, shape=None, name=None):
    """A tensor of ``value``."""
    made = ops.cast(ops.convert_to_tensor(value), dtype)
    return made if shape is None else ops.broadcast_to(made, shape)


def gather(reference, indices):
    """The rows of ``reference`` that ``indices`` name."""
    return ops.take(reference, indices, axis=0)


def batch_flatten(x):
    """Every sample in one dimension."""
    rest = 1
    for n in x.shape[1:]:
        rest *= n
    return ops.reshape(x, (-1, rest))


def l2_normalize(x, axis=None):
    """x / |x| along ``axis``."""
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))


def repeat(x, n):
    """(N, F) as (N, n, F)."""
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def repeat_elements(x, rep, axis):
    """Every entry ``rep`` times along ``axis``."""
    return ops.repeat(x, rep, axis=axis)


def switch(condition, then_expression, else_expression):
    """One of two tensors, entry by entry."""
    return ops.where(condition, then_expression, else_expression)


def binary_crossentropy(target, output, from_logits=False):
    """-(t log p + (1 - t) log(1 - p)), entry by entry."""
    return ops.binary_crossentropy(target, output, from_logits)


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-sum(t log p) over the classes."""
    return ops.categorical_crossentropy(target, output, from_logits, axis)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-log p of the class that ``target`` names."""
    return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)


def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Draws of the normal distribution."""
    return random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Draws between two numbers."""
    return random.uniform(shape, minval, maxval, dtype, seed)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Draws of the normal distribution, cut at two standard deviations."""
    return random.truncated_normal(shape, mean, stddev, dtype, seed)
