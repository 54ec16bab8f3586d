"""The normal distribution of vectors."""

from typing import ClassVar

from minidl.distributions import constraints
from minidl.distributions.distribution import HALF_LOG_TWO_PI, Distribution
from minidl.distributions.utils import lazy_property
from minidl.ops.create import empty
from minidl.ops.factors import cholesky
from minidl.ops.linear_systems import solve_triangular

__all__ = ["MultivariateNormal"]


class MultivariateNormal(Distribution):
    """exp(-(x - loc)^T covariance^-1 (x - loc) / 2) / sqrt((2 pi)^D det(covariance)), D the last size of ``loc``.

    Exactly one of ``covariance_matrix``, ``precision_matrix`` (its inverse) and ``scale_tril`` (its Cholesky factor),
    each (..., D, D), is given. Raises ``ValueError`` where it is not of that kind.
    Source: ``torch.distributions.MultivariateNormal``.

    >>> import minidl
    >>> normal = minidl.distributions.MultivariateNormal(minidl.zeros(2), minidl.eye(2))
    >>> normal.log_prob(minidl.ones(2))
    tensor(-2.8379)
    """

    arg_constraints: ClassVar = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None
    ):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        given = {name: matrix for name, matrix in given.items() if matrix is not None}
        if len(given) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
            )
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            raise ValueError(
                f"{name} must be at least two-dimensional, with optional leading batch dimensions"
            )
        batch = (matrix[..., 0] + loc).shape[:-1]
        self.loc = loc.expand(*batch, -1)
        setattr(self, name, matrix.expand(*batch, -1, -1))
        super().__init__(batch, loc.shape[-1:], validate_args=validate_args)
        self._factor = self._cholesky_factor()

    def _cholesky_factor(self):
        if "scale_tril" in vars(self):
            return self.scale_tril
        if "covariance_matrix" in vars(self):
            return cholesky(self.covariance_matrix)
        return cholesky(self.precision_matrix.inverse())

    def expand(self, batch_shape, _instance=None):
        """This distribution with its parameters expanded to ``batch_shape``, views of them."""
        size = self._event_shape[0]
        factor = self._factor.expand(*batch_shape, size, size)
        return self._expanded(tuple(batch_shape), _instance, _factor=factor)

    @lazy_property
    def scale_tril(self):
        """The lower triangular L with L L^T the covariance."""
        return self._factor

    @lazy_property
    def covariance_matrix(self):
        """The covariance."""
        return self._factor @ self._factor.mT

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance."""
        return self.covariance_matrix.inverse()

    @property
    def mean(self):
        """loc."""
        return self.loc

    @property
    def mode(self):
        """loc."""
        return self.loc

    @property
    def variance(self):
        """The diagonal of the covariance."""
        return self._factor.square().sum(-1)

    def rsample(self, sample_shape=()):
        """loc + L z with z standard normal, (*sample_shape, *batch_shape, D)."""
        shape = self._extended_shape(sample_shape)
        noise = empty(shape, dtype=self.loc.dtype, device=self.loc.device).normal_()
        return self.loc + (self._factor @ noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value):
        """-(z^T z) / 2 - D log(2 pi) / 2 - log det(L) with L z = x - loc."""
        if self._validate_args:
            self._validate_sample(value)
        z = solve_triangular(self._factor, (value - self.loc).unsqueeze(-1), upper=False).squeeze(-1)
        return -0.5 * z.square().sum(-1) - self._event_shape[0] * HALF_LOG_TWO_PI - self._half_log_det()

    def entropy(self):
        """D (1 + log(2 pi)) / 2 + log det(L)."""
        return self._event_shape[0] * (0.5 + HALF_LOG_TWO_PI) + self._half_log_det()

    def _half_log_det(self):
        return self._factor.diagonal(0, -2, -1).log().sum(-1)
