"""Transforms of numbers, vectors and matrices by a formula."""

import math

from minidl.autograd.tensor import Tensor
from minidl.distributions import constraints
from minidl.distributions.independent import sum_last
from minidl.distributions.transform import Increasing, Transform
from minidl.distributions.utils import clamp_probs
from minidl.ops.activations import logsigmoid, softplus
from minidl.ops.pad import pad
from minidl.ops.shapes import broadcast_shapes
from minidl.ops.softmax import softmax

__all__ = [
    "AbsTransform", "AffineTransform", "CumulativeDistributionTransform", "ExpTransform", "LowerCholeskyTransform",
    "PowerTransform", "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StickBreakingTransform",
    "TanhTransform",
]  # fmt: skip


class ExpTransform(Increasing):
    """y = exp(x)."""

    codomain = constraints.positive

    def _call(self, x):
        return x.exp()

    def _inverse(self, y):
        return y.log()

    def log_abs_det_jacobian(self, x, y):
        return x


class PowerTransform(Increasing):
    """y = x^exponent, of positive numbers."""

    domain = codomain = constraints.positive

    def __init__(self, exponent, cache_size=0):
        super().__init__(cache_size)
        self.exponent = exponent

    sign = property(
        lambda self: self.exponent.sign() if isinstance(self.exponent, Tensor) else _sign(self.exponent)
    )

    def _call(self, x):
        return x**self.exponent

    def _inverse(self, y):
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x, y):
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape):
        return _broadcast(shape, self.exponent)

    inverse_shape = forward_shape

    def _alike(self, other):
        return _same(self.exponent, other.exponent)


class SigmoidTransform(Increasing):
    """y = 1 / (1 + exp(-x))."""

    codomain = constraints.unit_interval

    def _call(self, x):
        return clamp_probs(x.sigmoid())

    def _inverse(self, y):
        y = clamp_probs(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x) - softplus(x)


class TanhTransform(Increasing):
    """y = tanh(x). With ``cache_size=1`` it is exact where its inverse would be infinite."""

    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x):
        return x.tanh()

    def _inverse(self, y):
        return y.atanh()

    def log_abs_det_jacobian(self, x, y):
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class SoftplusTransform(Increasing):
    """y = log(1 + exp(x))."""

    codomain = constraints.positive

    def _call(self, x):
        return softplus(x)

    def _inverse(self, y):
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x)


class AbsTransform(Transform):
    """y = |x|; its inverse is one of the two."""

    codomain = constraints.positive

    def _call(self, x):
        return x.abs()

    def _inverse(self, y):
        return y


class AffineTransform(Transform):
    """y = loc + scale x; the last ``event_dim`` dimensions are one value."""

    bijective = True

    def __init__(self, loc, scale, event_dim=0, cache_size=0):
        super().__init__(cache_size)
        self.loc, self.scale, self.event_dim = loc, scale, event_dim

    @property
    def domain(self):
        """Real numbers, or arrays of them of ``event_dim`` dimensions."""
        return (
            constraints.independent(constraints.real, self.event_dim) if self.event_dim else constraints.real
        )

    codomain = domain
    sign = property(lambda self: self.scale.sign() if isinstance(self.scale, Tensor) else _sign(self.scale))

    def _call(self, x):
        return self.loc + self.scale * x

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x, y):
        each = self.scale.abs().log() if isinstance(self.scale, Tensor) else math.log(abs(self.scale))
        return sum_last(x.new_zeros(x.shape) + each, self.event_dim)

    def forward_shape(self, shape):
        return _broadcast(shape, self.loc, self.scale)

    inverse_shape = forward_shape

    def _alike(self, other):
        return _same(self.loc, other.loc) and _same(self.scale, other.scale)


class SoftmaxTransform(Transform):
    """y = softmax(x) of the last dimension; its inverse is log(y)."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x):
        return softmax(x, -1)

    def _inverse(self, y):
        return y.log()

    def forward_shape(self, shape):
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(Transform):
    """n numbers become n + 1 that are positive and sum to 1: each takes its share of what the ones before it left."""

    bijective = True
    domain, codomain = constraints.real_vector, constraints.simplex

    @staticmethod
    def _left(x):
        """How many are left at each of the last dimension: n, ..., 1."""
        return x.new_ones(x.shape[-1]).cumsum(-1).flip(-1)

    def _call(self, x):
        share = (x - self._left(x).log()).sigmoid()
        rest = (1 - share).cumprod(-1)
        return pad(share, (0, 1), value=1) * pad(rest, (1, 0), value=1)

    def _inverse(self, y):
        head = y[..., :-1]
        rest = 1 - head.cumsum(-1)
        return head.log() - rest.log() + self._left(head).log()

    def log_abs_det_jacobian(self, x, y):
        shifted = x - self._left(x).log()
        return (-shifted + logsigmoid(shifted) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape):
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape):
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return (*shape[:-1], shape[-1] - 1)


class LowerCholeskyTransform(Transform):
    """A square matrix becomes lower triangular with a positive diagonal, the exponential of its own."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x):
        return x.tril(-1) + x.diagonal(0, -2, -1).exp().diag_embed()

    def _inverse(self, y):
        return y.tril(-1) + y.diagonal(0, -2, -1).log().diag_embed()


class CumulativeDistributionTransform(Increasing):
    """y = the cumulative distribution of x."""

    codomain = constraints.unit_interval

    def __init__(self, distribution, cache_size=0):
        super().__init__(cache_size)
        self.distribution = distribution

    domain = property(lambda self: self.distribution.support)

    def _call(self, x):
        return self.distribution.cdf(x)

    def _inverse(self, y):
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x, y):
        return self.distribution.log_prob(x)


def _broadcast(shape, *parameters):
    """The shape of what has ``shape`` with parameters, tensors or numbers."""
    return broadcast_shapes(shape, *(getattr(each, "shape", ()) for each in parameters))


def _sign(number):
    return (number > 0) - (number < 0)


def _same(a, b):
    """Whether parameters, tensors or numbers, are equal."""
    same = a == b
    return same.all().item() if isinstance(same, Tensor) else same
