"""The categorical distribution over rows with one 1."""

from typing import ClassVar

from minidl.distributions import constraints
from minidl.distributions.over_categorical import OverCategorical
from minidl.ops.create import eye
from minidl.ops.embedding import one_hot

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OneHotCategorical(OverCategorical):
    """``Categorical`` whose samples are rows with a 1 at the class, (*sample_shape, *batch_shape, K).

    Source: ``torch.distributions.OneHotCategorical``.

    >>> import minidl
    >>> minidl.distributions.OneHotCategorical(minidl.tensor([0.0, 1.0])).sample()
    tensor([0., 1.])
    """

    arg_constraints: ClassVar = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    @property
    def mean(self):
        """p."""
        return self.probs

    @property
    def mode(self):
        """The row of the most likely class."""
        return one_hot(self._categorical.mode, self.event_shape[0]).to(self.probs.dtype)

    @property
    def variance(self):
        """p (1 - p)."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        """Rows with one 1, (*sample_shape, *batch_shape, K)."""
        return one_hot(self._categorical.sample(sample_shape), self.event_shape[0]).to(self.probs.dtype)

    def log_prob(self, value):
        """The log-probability of the class at the 1."""
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self):
        """-sum_k p_k log(p_k)."""
        return self._categorical.entropy()

    def enumerate_support(self, expand=True):
        """All K rows along dimension 0."""
        return self._every_value(
            eye(self.event_shape[0], dtype=self.probs.dtype, device=self.probs.device), expand
        )


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """``OneHotCategorical`` whose ``rsample`` passes its gradient to the probabilities as it is.

    Source: Bengio, Leonard and Courville (2013); ``torch.distributions.OneHotCategoricalStraightThrough``.

    >>> import minidl
    >>> probs = minidl.tensor([0.0, 1.0], requires_grad=True)
    >>> minidl.distributions.OneHotCategoricalStraightThrough(probs).rsample()
    tensor([0., 1.], grad_fn=<AddBackward0>)
    """

    has_rsample = True

    def rsample(self, sample_shape=()):
        """sample + p - p, the last without a gradient."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
