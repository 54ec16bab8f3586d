"""Initial values of parameters: each function fills a tensor in place, off the tape, and returns it.

With fan_in and fan_out the number of inputs to and outputs of a unit: a weight (O, I, k...) has fan_in I * prod(k) and
fan_out O * prod(k).
"""

import math
import warnings

from minidl.autograd.modes import no_grad
from minidl.ops.arithmetic import mul
from minidl.ops.create import eye
from minidl.ops.matmul import matmul
from minidl.ops.random import randn, randperm
from minidl.ops.reductions import sum
from minidl.ops.selection import where

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "
    ""ones_",
    "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip

_FLAT_GAIN = {
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "
    ""sigmoid",
}  # fmt: skip


def calculate_gain(nonlinearity, param=None):
    """The factor by which an activation asks its weights to be larger: sqrt(2) for 'relu', 5/3 for 'tanh', 1 for 'linear'.

    ``param`` is leaky_relu's slope. Raises ``ValueError`` for an unknown name. Source:
    ``torch.nn.init.calculate_gain``.

    >>> from minidl import nn
    >>> nn.init.calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity in _FLAT_GAIN:
        return 1
    if nonlinearity == "leaky_relu":
        if isinstance(param, bool) or not isinstance(param, (int, float, type(None))):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    gains = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 0.75}
    if nonlinearity not in gains:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return gains[nonlinearity]


def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """Fills with U(a, b).

    >>> import minidl
    >>> minidl.nn.init.uniform_(minidl.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """Fills with N(mean, std^2).

    >>> import minidl
    >>> minidl.nn.init.normal_(minidl.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Fills with N(mean, std^2) restricted to [a, b], by drawing anew what falls outside.

    Raises ``ValueError`` where [a, b] is empty or lies so far out that it holds less than 1e-4 of the distribution.

    >>> import minidl
    >>> minidl.nn.init.trunc_normal_(minidl.empty(100), std=0.02, a=-0.04, b=0.04).abs().max().item() <= 0.04
    True
    """
    below = [0.5 * (1 + math.erf((limit - mean) / (std * math.sqrt(2)))) for limit in (a, b)]
    if not below[1] - below[0] > 1e-4:
        raise ValueError(
            f"trunc_normal_: [{a}, {b}] holds less than 1e-4 of the normal distribution with mean {mean} "
            f"and std {std}. "
            "Hint: limits are absolute, not in units of std."
        )
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may "
            "be incorrect.",
            stacklevel=2,
        )
    with no_grad():
        tensor.normal_(mean, std, generator=generator)
        while True:
            inside = (tensor >= a) & (tensor <= b)
            if bool(inside.all()):
                return tensor
            anew = randn(tensor.shape, dtype=tensor.dtype, device=tensor.device, generator=generator) * std + mean
            tensor.copy_(where(inside, tensor, anew))


def constant_(tensor, val):
    """Fills with ``val``.

    >>> import minidl
    >>> minidl.nn.init.constant_(minidl.empty(2), 0.3)
    tensor([0.3000, 0.3000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor):
    """Fills with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor):
    """Fills with 0."""
    return constant_(tensor, 0.0)


def eye_(tensor):
    """Fills a matrix with the identity. Raises ``ValueError`` for another rank."""
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, got {tensor.ndim}")
    with no_grad():
        return tensor.copy_(eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


def dirac_(tensor, groups=1):
    """Fills a convolution's weight (O, I, k...) so that it hands its input channels on, as many as it can.

    Raises ``ValueError`` for a rank other than 3 to 5, or where ``groups`` does not divide O.
    """
    if not 3 <= tensor.ndim <= 5:
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, got {tensor.ndim}")
    if tensor.shape[0] % groups:
        raise ValueError(f"dim 0 must be divisible by groups, got {tensor.shape[0]} and {groups}")
    outputs = tensor.shape[0] // groups
    centre = tuple(size // 2 for size in tensor.shape[2:])
    with no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(outputs, tensor.shape[1])):
                tensor[(group * outputs + channel, channel, *centre)] = 1.0
        return tensor


def _fans(tensor):
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, "
            f"got shape {list(tensor.shape)}"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _xavier_std(tensor, gain):
    fan_in, fan_out = _fans(tensor)
    return gain * math.sqrt(2.0 / max(1, fan_in + fan_out))


def xavier_uniform_(tensor, gain=1.0, generator=None):
    """Fills with U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out)). Raises ``ValueError`` for rank < 2.

    Source: X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010.
    """
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor, gain=1.0, generator=None):
    """Fills with N(0, std^2), std = gain * sqrt(2 / (fan_in + fan_out)). Raises ``ValueError`` for rank < 2."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _kaiming_std(tensor, a, mode, nonlinearity):
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = _fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(1, fan))


def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Fills with U(-b, b), b = gain * sqrt(3 / fan); ``a`` is leaky_relu's slope. Raises ``ValueError`` for rank < 2.

    Source: K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Fills with N(0, std^2), std = gain / sqrt(fan); ``a`` is leaky_relu's slope. Raises ``ValueError`` for rank < 2."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor, gain=1, generator=None):
    """Fills with ``gain`` times a random matrix of orthonormal rows (or columns, where there are more rows than columns).

    Dimensions from the second on count as one. By Gram and Schmidt's method, run twice for accuracy. Raises
    ``ValueError`` for rank < 2. Source: A. Saxe, J. McClelland, S. Ganguli, "Exact solutions to the nonlinear
    dynamics of learning", ICLR 2014.
    """
    if tensor.ndim < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, got {tensor.ndim}")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    with no_grad():
        count, size = min(rows, columns), max(rows, columns)
        basis = randn(count, size, dtype=tensor.dtype, device=tensor.device, generator=generator)
        for i in range(count):
            vector = basis[i]
            for _ in range(2):
                if i:
                    vector = vector - matmul(matmul(basis[:i], vector), basis[:i])
                vector = vector / sum(mul(vector, vector)) ** 0.5
            basis[i] = vector
        wanted = basis if rows <= columns else basis.T
        return tensor.copy_(wanted.reshape(tensor.shape) * gain)


def sparse_(tensor, sparsity, std=0.01, generator=None):
    """Fills a matrix with N(0, std^2), but for a fraction ``sparsity`` of each column, which is 0.

    Raises ``ValueError`` for another rank. Source: J. Martens, "Deep learning via Hessian-free optimization",
    ICML 2010.
    """
    if tensor.ndim != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, got {tensor.ndim}")
    rows, columns = tensor.shape
    empty_rows = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            chosen = randperm(rows, generator=generator, device=tensor.device)[:empty_rows]
            tensor[chosen, column] = 0.0
        return tensor
