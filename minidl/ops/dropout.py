"""Dropout: random elements, or channels, set to zero in training, the rest scaled up so that the mean stays.

The draw comes from the device's default generator (float32 uniforms, one an element or channel), so the same seed drops
the same elements on every backend. Outside training, and where p is 0, the input itself is returned.
Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
"""

import warnings

from minidl import backends, dtypes
from minidl.autograd import Saved, function, op
from minidl.autograd.inplace import write
from minidl.autograd.node import named
from minidl.autograd.tensor import make
from minidl.backends import of
from minidl.ops.arithmetic import add, mul
from minidl.ops.generator import chosen
from minidl.ops.random import draw
from minidl.ops.selection import where
from minidl.ops.windows import is_tensor

_FUNCTIONAL = {"faces": ("functional",), "method": False}
_SELU_LOW = -1.7580993408473766  # -scale * alpha of SELU: what it gives far on the negative side


@op(
    input=lambda g, mask, scale: masked_scale(g, mask, scale),
    constant="mask",
    inplace=True,
    shown="Mul",
    faces=(),
    method=False,
)
def masked_scale(input, mask, scale):
    """input * mask * scale, with a bool mask that broadcasts to the input."""
    return of(input).masked_scale(input, mask, scale)


@op(input=lambda g, mask, scale: masked_scale(g, mask, scale), shown="Mul", faces=(), method=False)
def _drop(input, p, scale, seed, offset):
    """Draws a mask and applies it, in one pass."""
    out, mask = of(input).dropout(input, p, scale, seed, offset)
    return out, Saved(mask=mask)


def _keep(input, p, shape):
    """A bool tensor of ``shape``: True with probability 1 - p."""
    array = input._array
    uniform = draw("philox_uniform", shape, dtypes.FLOAT32, None, backends.device_of(array))
    return make(of(array).keep_mask(uniform, p), None)


def _check(input, p, training):
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if training and not input.is_floating_point():
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {input.dtype!r}. "
            "Hint: dropout needs floating-point input; convert it with .float()."
        )


def _scale(p):
    return 0.0 if p == 1 else 1 / (1 - p)


def _dropped(input, p, shape, inplace):
    return (masked_scale.op.inplace if inplace else masked_scale)(input, _keep(input, p, shape), _scale(p))


@function(faces=("functional",))
def dropout(input, p=0.5, training=True, inplace=False):
    """Sets each element to zero with probability p, and multiplies the others by 1 / (1 - p).

    Shapes: input (*), output (*). Raises ``ValueError`` for p outside [0, 1], ``RuntimeError`` for integers.

    >>> import minidl
    >>> x = minidl.ones(3)
    >>> minidl.nn.functional.dropout(x, 0.5, training=False) is x
    True
    """
    is_tensor(input, "dropout", "input", 1)
    _check(input, p, training)
    if not training or p == 0:
        return input
    if inplace:
        return _dropped(input, p, tuple(input.shape), inplace)
    seed, offset = chosen(None, input.device).reserve(input.numel(), 1)
    return _drop(input, float(p), _scale(p), seed, offset)


def _channel_shape(input, batched):
    """The shape of one draw a channel: (N, C, 1, ...), or (C, 1, ...) without a batch."""
    kept = 2 if batched else 1
    return (*input.shape[:kept], *(1 for _ in input.shape[kept:]))


def _channels(name, input, p, training, inplace, batched):
    _check(input, p, training)
    if not training or p == 0:
        return input
    return _dropped(input, p, _channel_shape(input, batched), inplace)


@function(**_FUNCTIONAL)
def dropout1d(input, p=0.5, training=True, inplace=False):
    """Sets each channel to zero with probability p, and multiplies the others by 1 / (1 - p).

    Shapes: input (N, C, L) or (C, L). Raises ``RuntimeError`` for other ranks, and as ``dropout``.
    """
    is_tensor(input, "dropout1d", "input", 1)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs)."
        )
    return _channels("dropout1d", input, p, training, inplace, input.ndim == 3)


def _warn_rank(name, ndim, spatial):
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        f"release. To retain the behavior and silence this warning, please use dropout instead. Note that {name} "
        f"exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel dimension, "
        f"and an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs).",
        stacklevel=3,
    )


@function(**_FUNCTIONAL)
def dropout2d(input, p=0.5, training=True, inplace=False):
    """Sets each channel to zero with probability p, and multiplies the others by 1 / (1 - p).

    Shapes: input (N, C, H, W). As in PyTorch, three dimensions are taken as (N, C, L), with a warning, and other
    ranks warn and have their first two dimensions taken as (N, C).
    Source: J. Tompson et al., "Efficient object localization using convolutional networks", 2015.
    """
    is_tensor(input, "dropout2d", "input", 1)
    if input.ndim not in (3, 4):
        _warn_rank("dropout2d", input.ndim, 2)
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain "
            "the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _channels("dropout2d", input, p, training, inplace, True)


@function(**_FUNCTIONAL)
def dropout3d(input, p=0.5, training=True, inplace=False):
    """Sets each channel to zero with probability p, and multiplies the others by 1 / (1 - p).

    Shapes: input (N, C, D, H, W) or (C, D, H, W); other ranks warn as in PyTorch.
    """
    is_tensor(input, "dropout3d", "input", 1)
    if input.ndim not in (4, 5):
        _warn_rank("dropout3d", input.ndim, 3)
    out = _channels("dropout3d", input, p, training, inplace, input.ndim != 4)
    return out if input.ndim != 4 or inplace else named(out, "SqueezeBackward1", (input,))


def _alpha(input, p, training, inplace, shape, name):
    """a (x or SELU's lower limit) + b, with a and b such that mean 0 and variance 1 stay."""
    _check(input, p, training)
    if not training or p == 0:
        return input
    if p == 1:
        return write(input, mul(input, 0.0), name) if inplace else mul(input, 0.0)
    scale = ((1 - p) * (1 + p * _SELU_LOW**2)) ** -0.5
    shift = -scale * _SELU_LOW * p
    out = add(where(_keep(input, p, shape), mul(input, scale), scale * _SELU_LOW), shift)
    return write(input, out, name) if inplace else out


@function(**_FUNCTIONAL)
def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Dropout for SELU networks: elements go to SELU's lower limit, and mean and variance are kept.

    Shapes: input (*), output (*). Raises as ``dropout``.
    Source: G. Klambauer et al., "Self-normalizing neural networks", 2017.
    """
    is_tensor(input, "alpha_dropout", "input", 1)
    return _alpha(input, p, training, inplace, tuple(input.shape), "alpha_dropout_")


@function(**_FUNCTIONAL)
def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """``alpha_dropout`` of whole channels. Shapes: input (N, C, *). Raises ``RuntimeError`` below two dimensions."""
    is_tensor(input, "feature_alpha_dropout", "input", 1)
    if input.ndim < 2 and training and p != 0:
        raise RuntimeError(f"Feature dropout requires at least 2 dimensions in the input, got {input.ndim}")
    return _alpha(input, p, training, inplace, _channel_shape(input, True), "feature_alpha_dropout_")
