"""The Poisson distribution."""

from typing import ClassVar

from minidl.autograd import no_grad
from minidl.distributions import constraints
from minidl.distributions.distribution import Distribution
from minidl.distributions.utils import broadcast_all
from minidl.ops.special import lgamma
from minidl.ops.variates import poisson

__all__ = ["Poisson"]


class Poisson(Distribution):
    """rate^k exp(-rate) / k! for the integers k >= 0. Raises ``ValueError`` where rate is negative.

    Source: ``torch.distributions.Poisson``.

    >>> import minidl
    >>> minidl.distributions.Poisson(2.5).log_prob(minidl.tensor(0.0))
    tensor(-2.5000)
    """

    arg_constraints: ClassVar = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate, validate_args=None):
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self):
        """rate."""
        return self.rate

    @property
    def mode(self):
        """rate, rounded down."""
        return self.rate.floor()

    @property
    def variance(self):
        """rate."""
        return self.rate

    def sample(self, sample_shape=()):
        """Counts, of the dtype of the rate, (*sample_shape, *batch_shape)."""
        with no_grad():
            return poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        """k log(rate) - rate - log(k!)."""
        if self._validate_args:
            self._validate_sample(value)
        (rate, value) = broadcast_all(self.rate, value)
        return value.xlogy(rate) - rate - lgamma(value + 1)
