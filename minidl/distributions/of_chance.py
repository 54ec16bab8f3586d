"""What distributions of a chance share: ``probs`` or ``logits`` is given, the other computed when it is asked for."""

from minidl.distributions.distribution import Distribution
from minidl.distributions.utils import lazy_property, logits_to_probs, probs_to_logits

__all__ = ["OfChance"]


class OfChance(Distribution):
    """A distribution that a chance makes; ``_given`` names the parameter it was made from."""

    @property
    def _param(self):
        return getattr(self, self._given)

    @lazy_property
    def logits(self):
        """log(p / (1 - p)), with p kept off 0 and 1."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self):
        """sigmoid(logits)."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def param_shape(self):
        """The shape of the parameter that was given."""
        return self._param.shape

    def expand(self, batch_shape, _instance=None):
        """This distribution with its parameters expanded to ``batch_shape``, views of them."""
        return self._expanded(tuple(batch_shape), _instance, _given=self._given)
