"""The Cauchy distribution."""

import math

from minidl.distributions.location_scale import LocationScale
from minidl.ops.create import empty, full_like

__all__ = ["Cauchy"]


class Cauchy(LocationScale):
    """1 / (pi scale (1 + ((x - loc) / scale)^2)), which has no mean. Raises ``ValueError`` where scale is not positive.

    Source: ``torch.distributions.Cauchy``.

    >>> import minidl
    >>> minidl.distributions.Cauchy(0.0, 1.0).cdf(minidl.tensor(1.0))
    tensor(0.7500)
    """

    @property
    def mean(self):
        """NaN: there is none."""
        return full_like(self.loc, math.nan)

    @property
    def variance(self):
        """Infinite."""
        return full_like(self.loc, math.inf)

    def rsample(self, sample_shape=()):
        """loc + scale times Cauchy numbers, (*sample_shape, *batch_shape)."""
        shape = self._extended_shape(sample_shape)
        return self.loc + empty(shape, dtype=self.loc.dtype, device=self.loc.device).cauchy_() * self.scale

    def log_prob(self, value):
        """-log(pi) - log(scale) - log(1 + ((x - loc) / scale)^2)."""
        if self._validate_args:
            self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - ((value - self.loc) / self.scale).square().log1p()

    def cdf(self, value):
        """atan((x - loc) / scale) / pi + 1 / 2."""
        if self._validate_args:
            self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value):
        """loc + scale tan(pi (p - 1 / 2))."""
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self):
        """log(4 pi scale)."""
        return math.log(4 * math.pi) + self.scale.log()
