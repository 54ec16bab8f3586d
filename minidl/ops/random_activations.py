"""Activations that draw: leaky ReLU with random slopes, and differentiable samples of a categorical distribution."""

import warnings

from minidl import dtypes
from minidl.autograd import function, modes
from minidl.autograd.inplace import write
from minidl.ops.activations import leaky_relu
from minidl.ops.comparison import le
from minidl.ops.create import empty_like, zeros_like
from minidl.ops.random import rand
from minidl.ops.selection import where
from minidl.ops.softmax import softmax


@function(faces=("functional",), method=False, tensors="input", inplace=True, shown="RreluWithNoise")
def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """x where x > 0, a x elsewhere: a uniform in [lower, upper), drawn an element, in training, else their mean.

    Any shape, floating point. Raises ``RuntimeError`` where lower > upper, ``NotImplementedError`` for integers.
    Source: B. Xu et al., "Empirical evaluation of rectified activations in convolutional network", 2015;
    ``torch.nn.functional.rrelu``.

    >>> import minidl
    >>> minidl.nn.functional.rrelu(minidl.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    if not input.is_floating_point():
        kind = dtypes.scalar_name(input.dtype.numpy)
        raise NotImplementedError(f"\"rrelu_with_noise_out_cpu\" not implemented for '{kind}'")
    with modes.no_grad():
        drawn = rand(tuple(input.shape), dtype=input.dtype, device=input.device) * (upper - lower) + lower
        slopes = where(le(input, 0), drawn, 1.0)
    out = input * slopes
    return write(input, out, "rrelu_") if inplace else out


@function(faces=("functional",), method=False, tensors="logits")
def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """softmax((logits + g) / tau) along ``dim``, g drawn from the Gumbel distribution: -log of exponential numbers.

    ``hard`` gives the one-hot vector of the largest element, with the gradient of the softmax. ``eps`` has no effect.
    Shapes: any, output as ``logits``. Raises ``RuntimeError`` for integers.
    Source: E. Jang, S. Gu, B. Poole, "Categorical reparameterization with Gumbel-softmax", 2017;
    ``torch.nn.functional.gumbel_softmax``.

    >>> import minidl
    >>> minidl.nn.functional.gumbel_softmax(minidl.tensor([0.0, 50.0, 0.0]), hard=True)
    tensor([0., 1., 0.])
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=3)
    if not logits.is_floating_point():
        kind = dtypes.scalar_name(logits.dtype.numpy)
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but "
            f"you specified {kind}"
        )
    with modes.no_grad():
        gumbels = -empty_like(logits).exponential_().log()
    soft = softmax((logits + gumbels) / tau, dim)
    if not hard:
        return soft
    best = soft.detach().argmax(dim, True)
    return zeros_like(soft.detach()).scatter(dim, best, 1.0) - soft.detach() + soft
