"""The half-normal distribution."""

import math
from typing import ClassVar

from minidl.distributions import constraints
from minidl.distributions.normal import Normal
from minidl.distributions.pointwise_transforms import AbsTransform
from minidl.distributions.transformed_distribution import TransformedDistribution

__all__ = ["HalfNormal"]


class HalfNormal(TransformedDistribution):
    """The distribution of |x| for a normal x about 0 of ``scale``. Raises ``ValueError`` where scale is not positive.

    Source: ``torch.distributions.HalfNormal``.

    >>> import minidl
    >>> minidl.distributions.HalfNormal(1.0).mean
    tensor(0.7979)
    """

    arg_constraints: ClassVar = {"scale": constraints.positive}
    support = constraints.nonnegative

    def __init__(self, scale, validate_args=None):
        super().__init__(Normal(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args)

    @property
    def scale(self):
        """The normal distribution's."""
        return self.base_dist.scale

    @property
    def mean(self):
        """scale sqrt(2 / pi)."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self):
        """0."""
        return self.scale.new_zeros(self.scale.shape)

    @property
    def variance(self):
        """scale^2 (1 - 2 / pi)."""
        return self.scale.square() * (1 - 2 / math.pi)

    def log_prob(self, value):
        """The normal distribution's + log(2); -inf below 0."""
        if self._validate_args:
            self._validate_sample(value)
        return (self.base_dist.log_prob(value) + math.log(2)).masked_fill(value < 0, -math.inf)

    def cdf(self, value):
        """2 cdf(x) - 1 of the normal distribution."""
        if self._validate_args:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value):
        """The inverse of ``cdf``."""
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self):
        """The normal distribution's - log(2)."""
        return self.base_dist.entropy() - math.log(2)
