"""What distributions that draw from a ``Categorical`` within share."""

from minidl.distributions.categorical import Categorical
from minidl.distributions.distribution import Distribution

__all__ = []


class OverCategorical(Distribution):
    """A distribution over rows of K numbers, one a class; ``_categorical`` holds the parameters."""

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._categorical = Categorical(probs, logits)
        super().__init__(
            self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args
        )

    def expand(self, batch_shape, _instance=None):
        """This distribution with its parameters expanded to ``batch_shape``, views of them."""
        others = {key: getattr(self, key) for key in self._kept}
        return self._expanded(
            tuple(batch_shape), _instance, _categorical=self._categorical.expand(batch_shape), **others
        )

    _kept = ()  # names of what has no batch shape

    @property
    def probs(self):
        """The probabilities, normalised."""
        return self._categorical.probs

    @property
    def logits(self):
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def param_shape(self):
        """The shape of the parameter that was given."""
        return self._categorical.param_shape
