"""The gamma distribution."""

from typing import ClassVar

from minidl.autograd import no_grad
from minidl.distributions import constraints
from minidl.distributions.distribution import Distribution
from minidl.distributions.utils import broadcast_all
from minidl.dtypes import finfo, float64
from minidl.ops.create import ones_like, zeros_like
from minidl.ops.random import rand_like, randn_like
from minidl.ops.special import digamma, igamma, lgamma

__all__ = ["Gamma"]

_EXPANDED = 1e4  # shapes from here on: the slope by its expansion


class Gamma(Distribution):
    """rate^a x^(a - 1) exp(-rate x) / Gamma(a) for x >= 0, where a is the ``concentration``.

    Raises ``ValueError`` where a parameter is not positive. Source: ``torch.distributions.Gamma``.

    >>> import minidl
    >>> minidl.distributions.Gamma(2.0, 4.0).mean
    tensor(0.5000)
    """

    arg_constraints: ClassVar = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration, rate, validate_args=None):
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self):
        """a / rate."""
        return self.concentration / self.rate

    @property
    def mode(self):
        """(a - 1) / rate, or 0."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self):
        """a / rate^2."""
        return self.concentration / self.rate.square()

    def rsample(self, sample_shape=()):
        """Gamma numbers, (*sample_shape, *batch_shape), whose gradient by a is the implicit one: the cumulative
        distribution at the number does not move (Figurnov et al. 2018, arXiv:1805.08498)."""
        return standard_gamma(self.concentration.expand(self._extended_shape(sample_shape))) / self.rate

    def log_prob(self, value):
        """a log(rate) + (a - 1) log(x) - rate x - log(Gamma(a))."""
        if self._validate_args:
            self._validate_sample(value)
        shape = self.concentration
        return shape.xlogy(self.rate) + (shape - 1).xlogy(value) - self.rate * value - lgamma(shape)

    def entropy(self):
        """a - log(rate) + log(Gamma(a)) + (1 - a) psi(a)."""
        shape = self.concentration
        return shape - self.rate.log() + lgamma(shape) + (1 - shape) * digamma(shape)

    def cdf(self, value):
        """P(a, rate x), the regularised lower incomplete gamma function."""
        if self._validate_args:
            self._validate_sample(value)
        return igamma(self.concentration, self.rate * value)


def standard_gamma(shape):
    """A gamma number of rate 1 for each shape; its gradient is ``slope``. Never 0, so that its logarithm is finite."""
    with no_grad():
        exact = shape.detach().to(float64)
        drawn = _drawn(exact)
        moves = slope(exact, drawn).to(shape.dtype) if shape.requires_grad else None
        drawn = drawn.to(shape.dtype).clamp(min=finfo(shape.dtype).tiny)
    return drawn if moves is None else drawn + (shape - shape.detach()) * moves


def _drawn(shape):
    """Numbers by rejection (Marsaglia and Tsang 2000), those of shapes below 1 from the shape above."""
    small = shape < 1
    d = shape + small - 1 / 3
    out = zeros_like(shape)
    wanted = ones_like(shape).bool()
    while bool(wanted.any()):
        normal, uniform = randn_like(shape), rand_like(shape)
        v = (1 + normal / (9 * d).sqrt()) ** 3
        fits = (v > 0) & (
            (1 - uniform).log() < 0.5 * normal.square() + d * (1 - v + v.clamp(min=1e-300).log())
        )
        out = (d * v).where(wanted & fits, out)
        wanted = wanted & ~fits
    return out * (1 - rand_like(shape)).pow(1 / shape).where(small, ones_like(shape))


def slope(shape, x):
    """dx / da at a fixed cumulative probability: -(dP(a, x) / da) / p(x), from the series of P in powers of x.

    P(a, x) is x p(x) times the sum of t_n = x^n / (a (a + 1) ... (a + n)), so that dx / da = -x sum_n t_n (log(x) -
    psi(a + n + 1)). Shapes beyond ten thousand take the first terms of the Cornish-Fisher expansion of x.
    """
    large = shape > _EXPANDED
    a = shape.where(~large, ones_like(shape))
    x_ = x.where(~large, ones_like(x)).clamp(min=finfo(float64).tiny)
    term, apart = 1 / a, x_.log() - digamma(a + 1)
    total, n = term * apart, 0
    while bool((term * (1 + apart.abs()) > 1e-17 * total.abs()).any()) and n < 4 * _EXPANDED:
        n += 1
        apart = apart - 1 / (a + n)
        term = term * x_ / (a + n)
        total = total + term * apart
    root = shape.sqrt()
    z = (x - shape) / root
    z = z - (z.square() - 1) / (3 * root)
    return (1 + z / (2 * root)).where(large, -x_ * total)
