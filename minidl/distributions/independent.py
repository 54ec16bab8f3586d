"""Batches as events."""

from minidl.distributions import constraints
from minidl.distributions.distribution import Distribution

__all__ = ["Independent"]


class Independent(Distribution):
    """``base_distribution`` with its last ``reinterpreted_batch_ndims`` batch dimensions as one event: ``log_prob``
    and ``entropy`` are sums over them. Raises ``ValueError`` where it has fewer.
    Source: ``torch.distributions.Independent``.

    >>> import minidl
    >>> from minidl.distributions import Independent, Normal
    >>> Independent(Normal(minidl.zeros(2, 3), 1.0), 1).log_prob(minidl.zeros(3))
    tensor([-2.7568, -2.7568])
    """

    def __init__(self, base_distribution, reinterpreted_batch_ndims, validate_args=None):
        dims, batch = reinterpreted_batch_ndims, base_distribution.batch_shape
        if dims > len(batch):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
                f"actual {dims} vs {len(batch)}"
            )
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, dims
        event = (*batch[len(batch) - dims :], *base_distribution.event_shape)
        super().__init__(batch[: len(batch) - dims], event, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        """This distribution with the other batch dimensions expanded to ``batch_shape``."""
        kept = self._event_shape[: self.reinterpreted_batch_ndims]
        return type(self)(
            self.base_dist.expand((*batch_shape, *kept)), self.reinterpreted_batch_ndims, self._validate_args
        )

    @property
    def has_rsample(self):
        """The base's."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self):
        """The base's, where no dimension is an event."""
        return self.reinterpreted_batch_ndims == 0 and self.base_dist.has_enumerate_support

    @property
    def support(self):
        """The base's, over the event."""
        support, dims = self.base_dist.support, self.reinterpreted_batch_ndims
        return constraints.independent(support, dims) if support is not None and dims else support

    @property
    def mean(self):
        """The base's."""
        return self.base_dist.mean

    @property
    def mode(self):
        """The base's."""
        return self.base_dist.mode

    @property
    def variance(self):
        """The base's."""
        return self.base_dist.variance

    def sample(self, sample_shape=()):
        """The base's."""
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape=()):
        """The base's."""
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value):
        """The base's, summed over the event."""
        return sum_last(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self):
        """The base's, summed over the event."""
        return sum_last(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand=True):
        """The base's, where no dimension is an event."""
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError("Enumeration over cartesian product is not implemented")
        return self.base_dist.enumerate_support(expand)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"


def sum_last(value, dims):
    """The sum over the last ``dims`` dimensions; with none, ``value``."""
    return value.sum(tuple(range(-dims, 0))) if dims else value
