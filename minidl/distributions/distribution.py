"""``Distribution``, the base class of distributions."""

from minidl.autograd import no_grad
from minidl.autograd.size import Size
from minidl.ops.pointwise import exp, sqrt

__all__ = ["Distribution"]


class Distribution:
    """The base class of distributions: ``batch_shape`` counts independent ones, ``event_shape`` is a sample's of one.

    A class that defines ``rsample`` has ``sample``, one that defines ``entropy`` has ``perplexity``, one that defines
    ``variance`` has ``stddev``; what is not defined raises ``NotImplementedError``.
    Source: ``torch.distributions.Distribution``.

    >>> import minidl
    >>> class Point(minidl.distributions.Distribution):
    ...     def rsample(self, sample_shape=()):
    ...         return minidl.ones(self._extended_shape(sample_shape))
    >>> Point(batch_shape=(2,)).sample((3,)).shape
    torch.Size([3, 2])
    """

    has_rsample = False
    has_enumerate_support = False

    def __init__(self, batch_shape=(), event_shape=(), validate_args=None):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)

    @property
    def batch_shape(self):
        """The shape over which the parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self):
        """The shape of a single sample, without batching."""
        return self._event_shape

    @property
    def mean(self):
        """The mean, if a class defines it."""
        raise NotImplementedError

    @property
    def variance(self):
        """The variance, if a class defines it."""
        raise NotImplementedError

    @property
    def stddev(self):
        """The square root of the variance."""
        return sqrt(self.variance)

    def sample(self, sample_shape=()):
        """Samples, (*sample_shape, *batch_shape, *event_shape), without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=()):
        """Samples with a gradient, if a class defines them."""
        raise NotImplementedError

    def log_prob(self, value):
        """The logarithm of the density at ``value``, if a class defines it."""
        raise NotImplementedError

    def cdf(self, value):
        """The cumulative density up to ``value``, if a class defines it."""
        raise NotImplementedError

    def icdf(self, value):
        """The inverse of ``cdf``, if a class defines it."""
        raise NotImplementedError

    def entropy(self):
        """The entropy, if a class defines it."""
        raise NotImplementedError

    def perplexity(self):
        """exp(entropy)."""
        return exp(self.entropy())

    def _extended_shape(self, sample_shape=()):
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def __repr__(self):
        return f"{type(self).__name__}()"
