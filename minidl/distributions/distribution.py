"""``Distribution``, the base class of distributions."""

import math
from typing import ClassVar

from minidl.autograd import no_grad
from minidl.autograd.size import Size
from minidl.autograd.tensor import Tensor
from minidl.ops.pointwise import exp, sqrt

__all__ = ["Distribution"]


class Distribution:
    """The base class of distributions: ``batch_shape`` counts independent ones, ``event_shape`` is a sample's of one.

    A class that defines ``rsample`` has ``sample``, one that defines ``entropy`` has ``perplexity``, one that defines
    ``variance`` has ``stddev``; what is not defined raises ``NotImplementedError``. Parameters named in
    ``arg_constraints``, and values given to ``log_prob``, are checked (``ValueError``) unless ``validate_args=False``.
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
    arg_constraints: ClassVar = {}
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value):
        """Sets whether distributions made from now on are checked."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape=(), event_shape=(), validate_args=None):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                if name in vars(self):
                    self._check_parameter(name, constraint)

    def _check_parameter(self, name, constraint):
        value = getattr(self, name)
        if not constraint.check(value).all():
            raise ValueError(
                f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
            )

    def _validate_sample(self, value):
        """Raises ``ValueError`` where ``value`` is no possible sample."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        event = len(self._event_shape)
        if value.shape[value.dim() - event :] != self._event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        expected = self._extended_shape()
        for size, wanted in zip(reversed(value.shape), reversed(expected), strict=False):
            if size != 1 and wanted != 1 and size != wanted:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {expected}."
                )
        support = self.support
        if support is not None and not support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _expanded(self, batch_shape, instance, **attributes):
        """A copy of this distribution whose named parameters are expanded to ``batch_shape``."""
        new = type(self).__new__(type(self)) if instance is None else instance
        for name in self.arg_constraints:
            if name in vars(self):
                trailing = getattr(self, name).shape[len(self._batch_shape) :]
                setattr(new, name, getattr(self, name).expand(*batch_shape, *trailing))
        vars(new).update(attributes)
        Distribution.__init__(new, batch_shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def expand(self, batch_shape, _instance=None):
        """This distribution with its parameters expanded to ``batch_shape``, views of them."""
        return self._expanded(Size(batch_shape), _instance)

    @property
    def batch_shape(self):
        """The shape over which the parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self):
        """The shape of a single sample, without batching."""
        return self._event_shape

    @property
    def support(self):
        """The constraint that samples satisfy; None where a class names none."""
        return None

    @property
    def mean(self):
        """The mean, if a class defines it."""
        raise NotImplementedError

    @property
    def mode(self):
        """The most likely value, if a class defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not implement mode")

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

    def sample_n(self, n):
        """n samples: ``sample((n,))``."""
        return self.sample((n,))

    def rsample(self, sample_shape=()):
        """Samples with a gradient, if a class defines them."""
        raise NotImplementedError

    def rsample_n(self, n):
        """n samples with a gradient: ``rsample((n,))``."""
        return self.rsample((n,))

    def log_prob(self, value):
        """The logarithm of the density at ``value``, if a class defines it."""
        raise NotImplementedError

    def cdf(self, value):
        """The cumulative density up to ``value``, if a class defines it."""
        raise NotImplementedError

    def icdf(self, value):
        """The inverse of ``cdf``, if a class defines it."""
        raise NotImplementedError

    def enumerate_support(self, expand=True):
        """All values of a discrete distribution along dimension 0, if a class defines them."""
        raise NotImplementedError

    def entropy(self):
        """The entropy, if a class defines it."""
        raise NotImplementedError

    def perplexity(self):
        """exp(entropy)."""
        return exp(self.entropy())

    def _extended_shape(self, sample_shape=()):
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _every_value(self, values, expand):
        """``values``, one a row, shaped to broadcast against the batch, or expanded to it."""
        trailing = values.shape[1:]
        values = values.reshape(-1, *(1,) * len(self._batch_shape), *trailing)
        return values.expand(-1, *self._batch_shape, *trailing) if expand else values

    def __repr__(self):
        shown = {name: vars(self)[name] for name in self.arg_constraints if name in vars(self)}
        parts = (f"{name}: {v if v.numel() == 1 else v.shape}" for name, v in shown.items())
        return f"{type(self).__name__}({', '.join(parts)})"


def only_one(probs, logits):
    """Raises ``ValueError`` unless exactly one of the two was given."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
