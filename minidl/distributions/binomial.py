"""The binomial distribution."""

from typing import ClassVar

from minidl.autograd import no_grad
from minidl.distributions import constraints
from minidl.distributions.distribution import only_one
from minidl.distributions.of_chance import OfChance
from minidl.distributions.utils import broadcast_all
from minidl.ops.activations import softplus
from minidl.ops.create import arange
from minidl.ops.special import lgamma
from minidl.ops.variates import binomial

__all__ = ["Binomial"]


class Binomial(OfChance):
    """Successes among ``total_count`` trials, each of chance ``probs``; ``logits`` is log(p / (1 - p)). Exactly one of
    the two is given.

    Raises ``ValueError`` where a probability is outside [0, 1] or a count is negative, ``NotImplementedError`` for the
    entropy or all values of several counts. Source: ``torch.distributions.Binomial``.

    >>> import minidl
    >>> heads = minidl.distributions.Binomial(4, minidl.tensor([0.5, 1.0]))
    >>> heads.mean, heads.log_prob(minidl.tensor(4.0)).exp()
    (tensor([2., 4.]), tensor([0.0625, 1.0000]))
    """

    arg_constraints: ClassVar = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        only_one(probs, logits)
        self._given = "probs" if logits is None else "logits"
        count, given = broadcast_all(total_count, probs if logits is None else logits)
        self.total_count = count.to(given.dtype)
        setattr(self, self._given, given)
        super().__init__(given.shape, validate_args=validate_args)

    @property
    def support(self):
        """The integers from 0 to ``total_count``."""
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self):
        """n p."""
        return self.total_count * self.probs

    @property
    def mode(self):
        """floor((n + 1) p), n at most."""
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self):
        """n p (1 - p)."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        """Counts, of the dtype of the parameters, (*sample_shape, *batch_shape)."""
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value):
        """log(n! / (k! (n - k)!)) + k log(p) + (n - k) log(1 - p)."""
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        ways = lgamma(n + 1) - lgamma(value + 1) - lgamma(n - value + 1)
        return ways + value * self.logits - n * softplus(self.logits)

    def entropy(self):
        """-sum_k p(k) log(p(k))."""
        self._one_count("entropy")
        found = self.log_prob(self.enumerate_support(False))
        return -(found.exp() * found).sum(0)

    def enumerate_support(self, expand=True):
        """0 to ``total_count`` along dimension 0."""
        count = self._one_count("enumerate_support")
        return self._every_value(
            arange(1 + count, dtype=self._param.dtype, device=self._param.device), expand
        )

    def _one_count(self, name):
        count = int(self.total_count.max())
        if int(self.total_count.min()) != count:
            raise NotImplementedError(f"Inhomogeneous total count not supported by `{name}`.")
        return count
