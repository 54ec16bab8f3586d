"""The multinomial distribution."""

from typing import ClassVar

from minidl.distributions import constraints
from minidl.distributions.over_categorical import OverCategorical
from minidl.ops.blends import xlogy
from minidl.ops.create import arange, ones_like
from minidl.ops.special import lgamma
from minidl.ops.splitting import broadcast_tensors

__all__ = ["Multinomial"]


class Multinomial(OverCategorical):
    """How often each of K classes comes in ``total_count`` independent draws, (*sample_shape, *batch_shape, K).

    log p(x) = log(n!) - sum_k log(x_k!) + sum_k x_k log(p_k), of counts x that sum to n. ``probs`` or ``logits``, as of
    ``Categorical``. ``log_prob`` takes counts of any sum up to ``total_count``. Raises ``NotImplementedError`` for a
    ``total_count`` that is no int, ``ValueError`` as ``Categorical`` does. Source: ``torch.distributions.Multinomial``.

    >>> import minidl
    >>> rolls = minidl.distributions.Multinomial(100, minidl.ones(6))
    >>> rolls.sample().sum(), rolls.mean[0]
    (tensor(100.), tensor(16.6667))
    """

    arg_constraints: ClassVar = {"probs": constraints.simplex, "logits": constraints.real_vector}
    _kept = ("total_count",)

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        super().__init__(probs, logits, validate_args)

    @property
    def support(self):
        """Counts that sum to ``total_count`` at most."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self):
        """n p."""
        return self.probs * self.total_count

    @property
    def variance(self):
        """n p (1 - p)."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        """Counts, of the dtype of the probabilities, (*sample_shape, *batch_shape, K)."""
        drawn = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = self.probs.new_zeros(self._extended_shape(sample_shape))
        return counts.scatter_add(-1, drawn, ones_like(drawn, dtype=counts.dtype))

    def log_prob(self, value):
        """log(n!) - sum_k log(x_k!) + sum_k x_k log(p_k), with 0 log(0) = 0."""
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_tensors(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -float("inf")), 0)
        return lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1) + (logits * value).sum(-1)

    def entropy(self):
        """n H(p) - log(n!) + sum_k E(log(x_k!)), the last over the binomial counts of every class."""
        n, p = self.total_count, self.probs
        counts = arange(1, n + 1, dtype=p.dtype, device=p.device).reshape(-1, *[1] * p.dim())
        ways = lgamma(p.new_tensor(n + 1.0)) - lgamma(counts + 1) - lgamma(n - counts + 1)
        likely = (ways + xlogy(counts, p) + xlogy(n - counts, 1 - p)).exp()
        expected = (likely * lgamma(counts + 1)).sum((0, -1))
        return n * self._categorical.entropy() - lgamma(p.new_tensor(n + 1.0)) + expected
