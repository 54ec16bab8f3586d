"""The uniform distribution over an interval."""

from minidl.distributions import constraints
from minidl.distributions.distribution import Distribution
from minidl.distributions.utils import broadcast_all
from minidl.ops.create import empty

__all__ = ["Uniform"]


class Uniform(Distribution):
    """1 / (high - low) for low <= x < high; ``low`` and ``high`` broadcast to the batch's shape.

    Raises ``ValueError`` unless low < high. Source: ``torch.distributions.Uniform``.

    >>> import minidl
    >>> uniform = minidl.distributions.Uniform(0.0, 4.0)
    >>> uniform.mean, uniform.log_prob(minidl.tensor(1.0))
    (tensor(2.), tensor(-1.3863))
    """

    has_rsample = True

    def __init__(self, low, high, validate_args=None):
        self.low, self.high = broadcast_all(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)

    @property
    def arg_constraints(self):
        """low < high."""
        return {"low": constraints.less_than(self.high), "high": constraints.greater_than(self.low)}

    @property
    def support(self):
        """[low, high]."""
        return constraints.interval(self.low, self.high)

    @property
    def mean(self):
        """(low + high) / 2."""
        return (self.high + self.low) / 2

    @property
    def mode(self):
        """NaN: no value is more likely than another."""
        return self.high * float("nan")

    @property
    def variance(self):
        """(high - low)^2 / 12."""
        return (self.high - self.low) ** 2 / 12

    def rsample(self, sample_shape=()):
        """low + (high - low) * uniform numbers, (*sample_shape, *batch_shape)."""
        shape = self._extended_shape(sample_shape)
        drawn = empty(shape, dtype=self.low.dtype, device=self.low.device).uniform_()
        return self.low + drawn * (self.high - self.low)

    def log_prob(self, value):
        """-log(high - low) within [low, high), -inf elsewhere."""
        if self._validate_args:
            self._validate_sample(value)
        within = ((self.low <= value) & (self.high > value)).to(self.low.dtype)
        return within.log() - (self.high - self.low).log()

    def cdf(self, value):
        """(x - low) / (high - low), kept within [0, 1]."""
        if self._validate_args:
            self._validate_sample(value)
        return ((value - self.low) / (self.high - self.low)).clamp(0, 1)

    def icdf(self, value):
        """low + x (high - low)."""
        return value * (self.high - self.low) + self.low

    def entropy(self):
        """log(high - low)."""
        return (self.high - self.low).log()
