"""Random numbers of further distributions: Poisson, binomial, Cauchy, geometric, log-normal."""

import math

from minidl import dtypes
from minidl.autograd import function, op
from minidl.autograd.inplace import check_writable, write
from minidl.autograd.tensor import make
from minidl.backends import of
from minidl.ops.random import draw, float_dtype, normal_array


def _uniforms(input, generator):
    """Uniform numbers in [0, 1) of float64, one an element."""
    return draw("philox_uniform", input._array.shape, dtypes.FLOAT64, generator, input.device)


@op(constant="rate uniforms", faces=(), method=False)
def _poisson(rate, uniforms):
    return of(rate).poisson_quantile(rate, uniforms)


@op(constant="count prob uniforms", faces=(), method=False)
def _binomial(count, prob, uniforms):
    return of(count).binomial_quantile(count, prob, uniforms)


@function(method=False, tensors="input")
def poisson(input, generator=None):
    """Poisson numbers, each of the mean that ``input`` gives. Raises ``RuntimeError`` for a negative one.
    Source: ``torch.poisson``.

    >>> import minidl
    >>> minidl.poisson(minidl.zeros(2))
    tensor([0., 0.])
    """
    if not input.is_floating_point():
        raise NotImplementedError(
            f"\"poisson_cpu\" not implemented for '{dtypes.scalar_name(input._array.dtype)}'"
        )
    if input.numel() and bool((input < 0).any()):
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    return _poisson(input.detach(), make(_uniforms(input, generator), None))


@function(method=False, tensors="count prob")
def binomial(count, prob, generator=None):
    """Binomial numbers: successes in ``count`` trials of chance ``prob``. Source: ``torch.binomial``.

    >>> import minidl
    >>> minidl.binomial(minidl.ones(2), minidl.ones(2))
    tensor([1., 1.])
    """
    if not count.is_floating_point() or count.dtype is not prob.dtype:
        raise RuntimeError(
            f"binomial: expected count and prob of one floating-point dtype, got {count.dtype!r} and {prob.dtype!r}"
        )
    return _binomial(count.detach(), prob.detach(), make(_uniforms(count, generator), None))


def _filled(input, name, array):
    space = of(array)
    return write(input, make(space.astype(array, input._array.dtype), None), name)


def _number(space, value):
    return space.full((), value, dtypes.FLOAT64)


@function(faces=())
def cauchy_(input, median=0.0, sigma=1.0, *, generator=None):
    """Fills with numbers of the Cauchy distribution. Raises ``RuntimeError`` for ``sigma <= 0``.
    Source: ``torch.Tensor.cauchy_``.

    >>> import minidl
    >>> minidl.empty(3).cauchy_().shape
    torch.Size([3])
    """
    check_writable(input, "cauchy_")
    if not input.is_floating_point():
        raise NotImplementedError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {input.dtype!r}"
        )
    if sigma <= 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    uniforms = _uniforms(input, generator)
    space = of(uniforms)
    angle = space.mul(space.sub(uniforms, _number(space, 0.5)), _number(space, math.pi))
    out = space.add(space.mul(space.tan(angle), _number(space, sigma)), _number(space, median))
    return _filled(input, "cauchy_", out)


@function(faces=())
def geometric_(input, p, *, generator=None):
    """Fills with the number of the first success of trials of chance ``p``, which is in (0, 1), else ``RuntimeError``.
    Source: ``torch.Tensor.geometric_``.

    >>> import minidl
    >>> bool((minidl.empty(3).geometric_(0.5) >= 1).all())
    True
    """
    check_writable(input, "geometric_")
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    uniforms = _uniforms(input, generator)
    space = of(uniforms)
    logs = space.log1p(space.neg(uniforms))  # of 1 - u, which is never 0
    out = space.floor(space.div(logs, _number(space, math.log1p(-p))))
    return _filled(input, "geometric_", space.add(out, _number(space, 1.0)))


@function(faces=())
def log_normal_(input, mean=1.0, std=2.0, *, generator=None):
    """Fills with exponentials of normal numbers of ``mean`` and ``std``. Raises ``RuntimeError`` for ``std <= 0``.
    Source: ``torch.Tensor.log_normal_``.

    >>> import minidl
    >>> bool((minidl.empty(3).log_normal_() > 0).all())
    True
    """
    check_writable(input, "log_normal_")
    float_dtype(input.dtype, "log_normal_")
    if std <= 0.0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
    array = normal_array(input._array.shape, input._array.dtype, mean, std, generator, input.device)
    return _filled(input, "log_normal_", of(array).exp(array))
