"""Distributions of what becomes of another one's samples."""

import math

from minidl.autograd import no_grad
from minidl.distributions import constraints
from minidl.distributions.compound_transforms import ComposeTransform
from minidl.distributions.distribution import Distribution
from minidl.distributions.independent import Independent, sum_last
from minidl.distributions.transform import Transform

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of ``y = f(x)`` for x of ``base_distribution`` and f, transforms one after the other.

    ``log p(y) = log p(x) - log |det dy/dx|``. Raises ``ValueError`` for what is no transform or a list of them, and for
    a base of fewer dimensions than the transforms take. Source: ``torch.distributions.TransformedDistribution``.

    >>> import minidl
    >>> from minidl.distributions import Normal, TransformedDistribution
    >>> from minidl.distributions.transforms import TanhTransform
    >>> squashed = TransformedDistribution(Normal(0.0, 1.0), TanhTransform())
    >>> squashed.log_prob(minidl.tensor(0.5))
    tensor(-0.7821)
    """

    def __init__(self, base_distribution, transforms, validate_args=None):
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        if not all(isinstance(transform, Transform) for transform in self.transforms):
            raise ValueError("transforms must be a Transform or a list of Transforms")
        whole, base = ComposeTransform(self.transforms), base_distribution
        shape, event = base.batch_shape + base.event_shape, len(base.event_shape)
        if len(shape) < whole.domain.event_dim:
            raise ValueError(
                f"base_distribution needs to have shape with size at least {whole.domain.event_dim}, but got {shape}."
            )
        wide = whole.forward_shape(shape)
        wanted = whole.inverse_shape(wide)
        if tuple(shape) != tuple(wanted):
            base = base.expand(wanted[: len(wanted) - event])
        more = whole.domain.event_dim - event
        self.base_dist = Independent(base, more) if more > 0 else base
        grown = whole.codomain.event_dim - whole.domain.event_dim
        cut = len(wide) - max(whole.codomain.event_dim, len(self.base_dist.event_shape) + grown)
        super().__init__(wide[:cut], wide[cut:], validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        """This distribution with the base expanded so that its own batch has ``batch_shape``."""
        shape = (*batch_shape, *self.event_shape)
        for transform in reversed(self.transforms):
            shape = transform.inverse_shape(shape)
        event = len(self.base_dist.event_shape)
        base = self.base_dist.expand(shape[: len(shape) - event])
        new = type(self).__new__(type(self)) if _instance is None else _instance
        new.base_dist, new.transforms = base, self.transforms
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def has_rsample(self):
        """The base's."""
        return self.base_dist.has_rsample

    @property
    def support(self):
        """The last transform's codomain, over the event."""
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        more = len(self.event_shape) - support.event_dim
        return constraints.independent(support, more) if more > 0 else support

    def sample(self, sample_shape=()):
        """Samples without a gradient: the base's, transformed."""
        with no_grad():
            return self._transformed(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape=()):
        """The base's samples, transformed."""
        return self._transformed(self.base_dist.rsample(sample_shape))

    def _transformed(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value):
        """The base's at the inverse of ``value``, less what the transforms stretch."""
        if self._validate_args:
            self._validate_sample(value)
        total, dims, y = 0.0, len(self.event_shape), value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            stretched = transform.log_abs_det_jacobian(x, y)
            total = total - sum_last(stretched, dims - transform.domain.event_dim)
            y = x
        return total + sum_last(self.base_dist.log_prob(y), dims - len(self.base_dist.event_shape))

    def _falls(self, value):
        """``value``, or 1 - value where the transforms together decrease."""
        sign = math.prod(transform.sign for transform in self.transforms)
        return value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5

    def cdf(self, value):
        """The base's at the inverse of ``value``, or 1 less that where the transforms decrease."""
        if self._validate_args:
            self._validate_sample(value)
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._falls(self.base_dist.cdf(value))

    def icdf(self, value):
        """The inverse of ``cdf``."""
        return self._transformed(self.base_dist.icdf(self._falls(value)))
