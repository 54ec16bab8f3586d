"""Initial values: functions that fill a tensor in place, off the tape, and return it.

fan_in and fan_out are the numbers of inputs to and outputs of a unit: a weight (O, I, *kernel) has fan_in
I * prod(kernel) and fan_out O * prod(kernel). Source: PyTorch's ``torch.nn.init``.
"""

import functools
import math
import warnings

from minidl import backends, dtypes
from minidl.autograd import no_grad
from minidl.autograd.inplace import write
from minidl.autograd.tensor import make
from minidl.ops import random_inplace
from minidl.ops.create import eye as identity
from minidl.ops.random import draw, randperm

_GAINS = {
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d", "sigmoid"), 1.0),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), 1.0),
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 0.75,  # lower than its fixed point asks for: gradients stay stable in residual networks
}


def calculate_gain(nonlinearity, param=None):
    """The factor by which weights are scaled so that a nonlinearity keeps the variance of its input.

    linear, conv, sigmoid: 1; tanh: 5/3; relu: sqrt(2); leaky_relu: sqrt(2 / (1 + param^2)), param 0.01 by default;
    selu: 3/4. Raises ``ValueError`` for another name, or a ``param`` that is no number.

    >>> from minidl import nn
    >>> nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(
            f"Unsupported nonlinearity {nonlinearity}; supported are leaky_relu, {', '.join(_GAINS)}"
        )
    return _GAINS[nonlinearity]


def _calculate_fan_in_and_fan_out(tensor):
    if tensor.ndim < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _calculate_correct_fan(tensor, mode):
    modes = ["fan_in", "fan_out"]
    if str(mode).lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]


@no_grad()
def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """U(a, b): uniform in [a, b).

    >>> import minidl
    >>> minidl.nn.init.uniform_(minidl.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """N(mean, std^2)."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """N(mean, std^2) under the condition of lying in [a, b]; the bounds are values, not multiples of ``std``.

    Warns where the mean is more than 2 ``std`` outside of the bounds: few numbers are left to draw from there.

    >>> import minidl
    >>> bool((minidl.nn.init.trunc_normal_(minidl.empty(100), std=0.02, a=-0.04, b=0.04).abs() <= 0.04).all())
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=3,
        )
    return random_inplace.truncated_normal_(tensor, mean, std, a, b, generator=generator)


@no_grad()
def constant_(tensor, val):
    """Every element ``val``.

    >>> import minidl
    >>> minidl.nn.init.constant_(minidl.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    return tensor.fill_(val)


def ones_(tensor):
    """Every element 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor):
    """Every element 0."""
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor):
    """The identity matrix, (n, m). Raises ``ValueError`` unless ``tensor`` has 2 dimensions."""
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, got {tensor.ndim}")
    return tensor.copy_(identity(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


@no_grad()
def dirac_(tensor, groups=1):
    """The convolution (O, I, *kernel) that returns its input: 1 at the centre from channel i to channel i, else 0.

    Each of ``groups`` does so for its own channels. Raises ``ValueError`` unless ``tensor`` has 3, 4 or 5 dimensions
    and ``groups`` divides O.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, got {tensor.ndim}")
    if tensor.shape[0] % groups != 0:
        raise ValueError(f"dim 0 must be divisible by groups: {tensor.shape[0]} by {groups}")
    outputs = tensor.shape[0] // groups
    centre = tuple(size // 2 for size in tensor.shape[2:])
    tensor.zero_()
    for group in range(groups):
        for channel in range(min(outputs, tensor.shape[1])):
            tensor[(group * outputs + channel, channel, *centre)] = 1
    return tensor


@no_grad()
def xavier_uniform_(tensor, gain=1.0, generator=None):
    """U(-a, a) with a = gain sqrt(6 / (fan_in + fan_out)). Source: X. Glorot, Y. Bengio, AISTATS 2010.

    Raises ``ValueError`` for fewer than 2 dimensions.

    >>> import minidl
    >>> from minidl import nn
    >>> bool((nn.init.xavier_uniform_(minidl.empty(3, 5)).abs() <= (6 / 8) ** 0.5).all())
    True
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = gain * math.sqrt(6.0 / max(fan_in + fan_out, 1))
    return tensor.uniform_(-bound, bound, generator=generator)


@no_grad()
def xavier_normal_(tensor, gain=1.0, generator=None):
    """N(0, std^2) with std = gain sqrt(2 / (fan_in + fan_out)). Source: X. Glorot, Y. Bengio, AISTATS 2010."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return tensor.normal_(0.0, gain * math.sqrt(2.0 / max(fan_in + fan_out, 1)), generator=generator)


def _kaiming_std(tensor, a, mode, nonlinearity):
    """gain / sqrt(fan), None for a tensor without elements."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=4)
        return None
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))


@no_grad()
def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """U(-b, b) with b = gain sqrt(3 / fan).

    ``mode`` says which fan is meant ('fan_in', 'fan_out'); the gain is that of ``nonlinearity``, with slope ``a``.
    Raises ``ValueError`` for fewer than 2 dimensions or another mode.
    Source: K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return tensor.uniform_(-bound, bound, generator=generator)


@no_grad()
def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """N(0, std^2) with std = gain / sqrt(fan); see ``kaiming_uniform_``. Source: K. He et al., ICCV 2015."""
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else tensor.normal_(0.0, std, generator=generator)


@no_grad()
def orthogonal_(tensor, gain=1, generator=None):
    """A random (semi-)orthogonal matrix times ``gain``: of shape (rows, columns), with all later dimensions flattened.

    Q of the QR factors of a normal matrix, signs such that R has a positive diagonal, which makes Q uniform among all
    orthogonal matrices. Raises ``ValueError`` for fewer than 2 dimensions.
    Source: A. Saxe et al., ICLR 2014; F. Mezzadri, "How to generate random matrices from the classical compact
    groups", 2007.
    """
    if tensor.ndim < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, got {tensor.ndim}")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    tall = (max(rows, columns), min(rows, columns))
    normal = draw("philox_normal", tall, dtypes.FLOAT64, generator, tensor.device)
    cpu = backends.on("cpu")  # not every device can factorise, and it happens once
    basis = cpu.orthonormal_columns(backends.to_numpy(normal))
    basis = cpu.scale_and_shift(basis.T if rows < columns else basis, gain, 0).reshape(tuple(tensor.shape))
    filled = backends.transfer(cpu.astype(basis, tensor.dtype.numpy), tensor.device)
    return write(tensor, make(filled, None), "orthogonal_")


@no_grad()
def sparse_(tensor, sparsity, std=0.01, generator=None):
    """N(0, std^2), and in each column the fraction ``sparsity`` of the elements, rounded up, 0.

    ``tensor``: (rows, columns). Raises ``ValueError`` unless it has 2 dimensions. Source: J. Martens, ICML 2010.
    """
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, got {tensor.ndim}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0.0, std, generator=generator)
    for column in range(columns):
        chosen = randperm(rows, generator=generator, device=tensor.device)[:zeros]
        tensor[chosen, column] = 0
    return tensor


def _deprecated(function):
    """``function`` under its name of old, without the underscore."""
    name = function.__name__

    @functools.wraps(function)
    def old(*args, **kwargs):
        warnings.warn(
            f"`nn.init.{name[:-1]}` is now deprecated in favor of `nn.init.{name}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    old.__name__ = old.__qualname__ = name[:-1]
    old.__doc__ = (
        f"``{name}`` under its old name, with a ``FutureWarning``. Source: ``torch.nn.init.{name[:-1]}``."
    )
    return old


uniform, normal, constant, eye, dirac = map(_deprecated, (uniform_, normal_, constant_, eye_, dirac_))
xavier_uniform, xavier_normal = map(_deprecated, (xavier_uniform_, xavier_normal_))
kaiming_uniform, kaiming_normal = map(_deprecated, (kaiming_uniform_, kaiming_normal_))
orthogonal, sparse = map(_deprecated, (orthogonal_, sparse_))
