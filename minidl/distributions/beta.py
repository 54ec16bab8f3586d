"""The beta distribution."""

from typing import ClassVar

from minidl.distributions import constraints
from minidl.distributions.distribution import Distribution
from minidl.distributions.gamma import standard_gamma
from minidl.distributions.utils import broadcast_all, clamp_probs
from minidl.ops.special import digamma, lgamma

__all__ = ["Beta"]


class Beta(Distribution):
    """x^(a - 1) (1 - x)^(b - 1) / B(a, b) in [0, 1], where a and b are ``concentration1`` and ``concentration0``.

    Raises ``ValueError`` where one is not positive. Source: ``torch.distributions.Beta``.

    >>> import minidl
    >>> minidl.distributions.Beta(1.0, 3.0).mean
    tensor(0.2500)
    """

    arg_constraints: ClassVar = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1, concentration0, validate_args=None):
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        super().__init__(self.concentration1.shape, validate_args=validate_args)

    def __repr__(self):
        return f"{type(self).__name__}()"  # PyTorch's shows no numbers

    @property
    def mean(self):
        """a / (a + b)."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self):
        """(a - 1) / (a + b - 2), or the end whose number is below 1: 1 where both are; NaN where both are 1."""
        a, b = self.concentration1, self.concentration0
        up, down = (a - 1).clamp(min=0), (b - 1).clamp(min=0)
        return (up / (up + down)).masked_fill((a < 1) & (b < 1), 1.0)

    @property
    def variance(self):
        """a b / ((a + b)^2 (a + b + 1))."""
        a, b = self.concentration1, self.concentration0
        return a * b / ((a + b).square() * (a + b + 1))

    def rsample(self, sample_shape=()):
        """g / (g + h) of gamma numbers of the shapes a and b, (*sample_shape, *batch_shape); gradients pass."""
        shape = self._extended_shape(sample_shape)
        up = standard_gamma(self.concentration1.expand(shape))
        return clamp_probs(up / (up + standard_gamma(self.concentration0.expand(shape))))

    def log_prob(self, value):
        """(a - 1) log(x) + (b - 1) log(1 - x) - log(B(a, b))."""
        if self._validate_args:
            self._validate_sample(value)
        a, b = self.concentration1, self.concentration0
        return (a - 1).xlogy(value) + (b - 1).xlogy(1 - value) - log_beta(a, b)

    def entropy(self):
        """log(B(a, b)) - (a - 1) psi(a) - (b - 1) psi(b) + (a + b - 2) psi(a + b)."""
        a, b = self.concentration1, self.concentration0
        ends = (a - 1) * digamma(a) + (b - 1) * digamma(b)
        return log_beta(a, b) - ends + (a + b - 2) * digamma(a + b)


def log_beta(a, b):
    """log(Gamma(a) Gamma(b) / Gamma(a + b))."""
    return lgamma(a) + lgamma(b) - lgamma(a + b)
