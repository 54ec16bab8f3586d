"""The categorical distribution."""

from typing import ClassVar

from minidl.autograd import no_grad
from minidl.distributions import constraints
from minidl.distributions.distribution import Distribution, only_one
from minidl.distributions.utils import lazy_property, logits_to_probs, probs_to_logits
from minidl.dtypes import finfo
from minidl.ops.create import arange
from minidl.ops.splitting import broadcast_tensors

__all__ = ["Categorical"]


class Categorical(Distribution):
    """k with the probability ``probs[..., k]``; ``logits`` are log-probabilities. Exactly one of them is given.

    Both have the shape (*batch_shape, K) and need not be normalised. Raises ``ValueError`` for negative
    probabilities. Source: ``torch.distributions.Categorical``.

    >>> import minidl
    >>> die = minidl.distributions.Categorical(minidl.tensor([1.0, 1.0, 2.0]))
    >>> die.probs, die.log_prob(minidl.tensor(2)), die.sample((2,)).shape
    (tensor([0.2500, 0.2500, 0.5000]), tensor(-0.6931), torch.Size([2]))
    """

    arg_constraints: ClassVar = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        only_one(probs, logits)
        self._given = "probs" if logits is None else "logits"
        given = probs if logits is None else logits
        if given.dim() < 1:
            raise ValueError(f"`{self._given}` parameter must be at least one-dimensional.")
        if logits is None:
            self.probs = probs / probs.sum(-1, keepdim=True)
        else:
            self.logits = logits - logits.logsumexp(-1, keepdim=True)
        super().__init__(given.shape[:-1], validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        """This distribution with its parameters expanded to ``batch_shape``, views of them."""
        return self._expanded(tuple(batch_shape), _instance, _given=self._given)

    @property
    def _param(self):
        return getattr(self, self._given)

    @property
    def _num_events(self):
        return self._param.shape[-1]

    @property
    def support(self):
        """0 to K - 1."""
        return constraints.integer_interval(0, self._num_events - 1)

    @lazy_property
    def logits(self):
        """log(p), with p kept off 0 and 1."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self):
        """softmax(logits)."""
        return logits_to_probs(self.logits)

    @property
    def param_shape(self):
        """The shape of the parameter that was given."""
        return self._param.shape

    @property
    def mean(self):
        """NaN: classes have no mean."""
        return self.probs.new_full(self._batch_shape, float("nan"))

    @property
    def mode(self):
        """The most likely class."""
        return self.probs.argmax(-1)

    @property
    def variance(self):
        """NaN: classes have no variance."""
        return self.mean

    def sample(self, sample_shape=()):
        """Classes (int64), (*sample_shape, *batch_shape)."""
        shape = self._extended_shape(sample_shape)
        with no_grad():
            drawn = self.probs.reshape(-1, self._num_events).multinomial(
                sample_shape_count(sample_shape), True
            )
            return drawn.T.reshape(shape)

    def log_prob(self, value):
        """log(probs[..., x]); x broadcasts against the batch."""
        if self._validate_args:
            self._validate_sample(value)
        value, logits = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self):
        """-sum_k p_k log(p_k), 0 where p_k is 0."""
        return -(self.logits.clamp(min=finfo(self.logits.dtype).min) * self.probs).sum(-1)

    def enumerate_support(self, expand=True):
        """0 to K - 1 along dimension 0."""
        return self._every_value(arange(self._num_events, device=self._param.device), expand)


def sample_shape_count(sample_shape):
    """How many samples a shape asks for."""
    count = 1
    for size in sample_shape:
        count *= size
    return count
