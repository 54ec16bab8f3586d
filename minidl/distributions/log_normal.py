"""The log-normal distribution."""

from typing import ClassVar

from minidl.distributions import constraints
from minidl.distributions.normal import Normal
from minidl.distributions.pointwise_transforms import ExpTransform
from minidl.distributions.transformed_distribution import TransformedDistribution

__all__ = ["LogNormal"]


class LogNormal(TransformedDistribution):
    """The distribution of exp(x) for a normal x of ``loc`` and ``scale``. Raises ``ValueError`` where scale is not
    positive. Source: ``torch.distributions.LogNormal``.

    >>> import minidl
    >>> minidl.distributions.LogNormal(0.0, 1.0).mean
    tensor(1.6487)
    """

    arg_constraints: ClassVar = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.positive

    def __init__(self, loc, scale, validate_args=None):
        base = Normal(loc, scale, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def loc(self):
        """The normal distribution's."""
        return self.base_dist.loc

    @property
    def scale(self):
        """The normal distribution's."""
        return self.base_dist.scale

    @property
    def mean(self):
        """exp(loc + scale^2 / 2)."""
        return (self.loc + self.scale.square() / 2).exp()

    @property
    def mode(self):
        """exp(loc - scale^2)."""
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self):
        """(exp(scale^2) - 1) exp(2 loc + scale^2)."""
        spread = self.scale.square()
        return spread.expm1() * (2 * self.loc + spread).exp()

    def entropy(self):
        """The normal distribution's + loc."""
        return self.base_dist.entropy() + self.loc
