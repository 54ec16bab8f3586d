"""The Laplace distribution."""

import math

from minidl.distributions.location_scale import LocationScale
from minidl.dtypes import finfo
from minidl.ops.create import empty

__all__ = ["Laplace"]


class Laplace(LocationScale):
    """exp(-|x - loc| / scale) / (2 scale). Raises ``ValueError`` where scale is not positive.

    Source: ``torch.distributions.Laplace``.

    >>> import minidl
    >>> minidl.distributions.Laplace(0.0, 1.0).log_prob(minidl.tensor(1.0))
    tensor(-1.6931)
    """

    @property
    def stddev(self):
        """sqrt(2) scale."""
        return math.sqrt(2) * self.scale

    @property
    def variance(self):
        """2 scale^2."""
        return 2 * self.scale.square()

    def rsample(self, sample_shape=()):
        """loc - scale sign(u) log(1 - |u|) with u uniform in (-1, 1), (*sample_shape, *batch_shape)."""
        shape = self._extended_shape(sample_shape)
        drawn = empty(shape, dtype=self.loc.dtype, device=self.loc.device)
        u = drawn.uniform_(finfo(self.loc.dtype).eps - 1, 1)
        return self.loc - self.scale * u.sign() * (-u.abs()).log1p()

    def log_prob(self, value):
        """-log(2 scale) - |x - loc| / scale."""
        if self._validate_args:
            self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value):
        """1/2 + sign(x - loc) (1 - exp(-|x - loc| / scale)) / 2."""
        if self._validate_args:
            self._validate_sample(value)
        apart = value - self.loc
        return 0.5 - 0.5 * apart.sign() * (-apart.abs() / self.scale).expm1()

    def icdf(self, value):
        """loc - scale sign(x - 1/2) log(1 - 2 |x - 1/2|)."""
        apart = value - 0.5
        return self.loc - self.scale * apart.sign() * (-2 * apart.abs()).log1p()

    def entropy(self):
        """1 + log(2 scale)."""
        return 1 + (2 * self.scale).log()
