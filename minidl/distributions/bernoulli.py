"""The Bernoulli distribution."""

from typing import ClassVar

from minidl import ops
from minidl.autograd import no_grad
from minidl.distributions import constraints
from minidl.distributions.distribution import only_one
from minidl.distributions.of_chance import OfChance
from minidl.distributions.utils import broadcast_all

__all__ = ["Bernoulli"]


class Bernoulli(OfChance):
    """1 with the probability ``probs``, else 0; ``logits`` is log(p / (1 - p)). Exactly one of them is given.

    Raises ``ValueError`` where a probability is outside [0, 1]. Source: ``torch.distributions.Bernoulli``.

    >>> import minidl
    >>> coin = minidl.distributions.Bernoulli(minidl.tensor([0.25, 1.0]))
    >>> coin.log_prob(minidl.tensor(1.0)), coin.mode
    (tensor([-1.3863e+00, -1.1921e-07]), tensor([0., 1.]))
    """

    arg_constraints: ClassVar = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        only_one(probs, logits)
        if logits is None:
            (self.probs,) = broadcast_all(probs)
        else:
            (self.logits,) = broadcast_all(logits)
        self._given = "probs" if logits is None else "logits"
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self):
        """p."""
        return self.probs

    @property
    def mode(self):
        """1 where p > 1/2, 0 where p < 1/2, else NaN."""
        likely = (self.probs >= 0.5).to(self.probs.dtype)
        return likely.masked_fill(self.probs == 0.5, float("nan"))

    @property
    def variance(self):
        """p (1 - p)."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        """Zeros and ones, (*sample_shape, *batch_shape)."""
        with no_grad():
            return self.probs.expand(self._extended_shape(sample_shape)).bernoulli()

    def log_prob(self, value):
        """x log(p) + (1 - x) log(1 - p)."""
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -_cross_entropy(logits, value)

    def entropy(self):
        """-p log(p) - (1 - p) log(1 - p)."""
        return _cross_entropy(self.logits, self.probs)

    def enumerate_support(self, expand=True):
        """0 and 1 along dimension 0."""
        return self._every_value(self._param.new_tensor([0.0, 1.0]), expand)


def _cross_entropy(logits, value):
    return ops.binary_losses.binary_cross_entropy_with_logits(logits, value, reduction="none")
