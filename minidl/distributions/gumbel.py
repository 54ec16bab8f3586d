"""The Gumbel distribution."""

import math

from minidl.distributions.location_scale import LocationScale
from minidl.dtypes import finfo
from minidl.ops.create import empty

__all__ = ["Gumbel"]

EULER = 0.5772156649015329  # the Euler-Mascheroni constant


class Gumbel(LocationScale):
    """exp(-(z + exp(-z))) / scale with z = (x - loc) / scale. Raises ``ValueError`` where scale is not positive.

    Source: ``torch.distributions.Gumbel``.

    >>> import minidl
    >>> minidl.distributions.Gumbel(0.0, 1.0).mean
    tensor(0.5772)
    """

    @property
    def mean(self):
        """loc + 0.5772 scale."""
        return self.loc + self.scale * EULER

    @property
    def stddev(self):
        """pi scale / sqrt(6)."""
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self):
        """(pi scale)^2 / 6."""
        return self.stddev.square()

    def rsample(self, sample_shape=()):
        """``icdf`` of uniform numbers, (*sample_shape, *batch_shape)."""
        drawn = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        info = finfo(self.loc.dtype)
        return self.icdf(drawn.uniform_(info.tiny, 1 - info.eps))

    def log_prob(self, value):
        """-(z + exp(-z)) - log(scale)."""
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return -(z + (-z).exp()) - self.scale.log()

    def cdf(self, value):
        """exp(-exp(-z))."""
        if self._validate_args:
            self._validate_sample(value)
        return (-((self.loc - value) / self.scale).exp()).exp()

    def icdf(self, value):
        """loc - scale log(-log(x))."""
        return self.loc - self.scale * (-value.log()).log()

    def entropy(self):
        """log(scale) + 1 + 0.5772."""
        return self.scale.log() + (1 + EULER)
