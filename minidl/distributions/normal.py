"""The normal distribution."""

import math

from minidl.autograd import no_grad
from minidl.distributions.distribution import HALF_LOG_TWO_PI
from minidl.distributions.location_scale import LocationScale
from minidl.ops.create import empty
from minidl.ops.random import normal

__all__ = ["Normal"]


class Normal(LocationScale):
    """exp(-((x - loc) / scale)^2 / 2) / (scale sqrt(2 pi)); ``loc`` and ``scale`` broadcast to the batch's shape.

    Raises ``ValueError`` where scale is not positive. Source: ``torch.distributions.Normal``.

    >>> import minidl
    >>> normal = minidl.distributions.Normal(0.0, minidl.tensor([1.0, 2.0]))
    >>> normal.log_prob(minidl.tensor(0.0)), normal.rsample((3,)).shape
    (tensor([-0.9189, -1.6121]), torch.Size([3, 2]))
    """

    @property
    def stddev(self):
        """scale."""
        return self.scale

    @property
    def variance(self):
        """scale^2."""
        return self.scale.square()

    def sample(self, sample_shape=()):
        """Samples, (*sample_shape, *batch_shape), without a gradient."""
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape=()):
        """loc + scale * standard normal numbers, (*sample_shape, *batch_shape)."""
        shape = self._extended_shape(sample_shape)
        noise = empty(shape, dtype=self.loc.dtype, device=self.loc.device).normal_()
        return self.loc + noise * self.scale

    def log_prob(self, value):
        """-((x - loc) / scale)^2 / 2 - log(scale) - log(2 pi) / 2."""
        if self._validate_args:
            self._validate_sample(value)
        return -((value - self.loc) ** 2) / (2 * self.variance) - self.scale.log() - HALF_LOG_TWO_PI

    def cdf(self, value):
        """(1 + erf((x - loc) / (scale sqrt(2)))) / 2."""
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 * (1 + ((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)).erf())

    def icdf(self, value):
        """loc + scale sqrt(2) erfinv(2 x - 1)."""
        return self.loc + self.scale * (2 * value - 1).erfinv() * math.sqrt(2)

    def entropy(self):
        """1/2 + log(2 pi) / 2 + log(scale)."""
        return 0.5 + HALF_LOG_TWO_PI + self.scale.log()
