"""The Kullback-Leibler divergence of two distributions of a kind."""

from minidl.distributions.bernoulli import Bernoulli
from minidl.distributions.beta import Beta, log_beta
from minidl.distributions.binomial import Binomial
from minidl.distributions.categorical import Categorical
from minidl.distributions.cauchy import Cauchy
from minidl.distributions.exponential import Exponential
from minidl.distributions.gamma import Gamma
from minidl.distributions.gumbel import EULER, Gumbel
from minidl.distributions.half_normal import HalfNormal
from minidl.distributions.independent import Independent, sum_last
from minidl.distributions.laplace import Laplace
from minidl.distributions.multivariate_normal import MultivariateNormal
from minidl.distributions.normal import Normal
from minidl.distributions.one_hot_categorical import OneHotCategorical
from minidl.distributions.poisson import Poisson
from minidl.distributions.transformed_distribution import TransformedDistribution
from minidl.distributions.uniform import Uniform
from minidl.ops.activations import softplus
from minidl.ops.linear_systems import solve_triangular
from minidl.ops.special import digamma, lgamma

__all__ = ["kl_divergence", "register_kl"]

_FORMULAS = {}


def register_kl(type_p, type_q):
    """Decorates the function of (p, q) that ``kl_divergence`` calls for two classes and those derived from them.

    Source: ``torch.distributions.register_kl``.

    >>> import minidl
    >>> from minidl.distributions import Normal, kl_divergence, register_kl
    >>> class Known(Normal):
    ...     pass
    >>> @register_kl(Known, Known)
    ... def nothing(p, q):
    ...     return minidl.zeros(p.batch_shape)
    >>> kl_divergence(Known(0.0, 1.0), Known(1.0, 1.0))
    tensor(0.)
    """

    def decorate(fn):
        _FORMULAS[type_p, type_q] = fn
        return fn

    return decorate


def kl_divergence(p, q):
    """sum_x p(x) log(p(x) / q(x)), of the batch's shape; the formula of the nearest classes that both derive from.

    Raises ``NotImplementedError`` where there is none. Source: ``torch.distributions.kl_divergence``.

    >>> import minidl
    >>> from minidl.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(1.0, 1.0), Normal(0.0, 1.0))
    tensor(0.5000)
    """
    for type_p in type(p).__mro__:
        for type_q in type(q).__mro__:
            if (type_p, type_q) in _FORMULAS:
                return _FORMULAS[type_p, type_q](p, q)
    raise NotImplementedError(
        f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
    )


@register_kl(Normal, Normal)
def _normal(p, q):
    ratio = (p.scale / q.scale).square()
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).square() - 1 - ratio.log())


@register_kl(Categorical, Categorical)
def _categorical(p, q):
    found = p.probs * (p.logits - q.logits)
    found = found.masked_fill((q.probs == 0).expand_as(found), float("inf"))
    return found.masked_fill((p.probs == 0).expand_as(found), 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot_categorical(p, q):
    return _categorical(p._categorical, q._categorical)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p, q):
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    one = one.masked_fill(q.probs == 0, float("inf")).masked_fill(p.probs == 0, 0)
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    zero = zero.masked_fill(q.probs == 1, float("inf")).masked_fill(p.probs == 1, 0)
    return one + zero


@register_kl(Binomial, Binomial)
def _binomial(p, q):
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    one = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return (p.total_count * one).masked_fill(p.total_count > q.total_count, float("inf"))


@register_kl(Poisson, Poisson)
def _poisson(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Gamma, Gamma)
def _gamma(p, q):
    scaled = q.concentration * (p.rate / q.rate).log() + lgamma(q.concentration) - lgamma(p.concentration)
    apart = (p.concentration - q.concentration) * digamma(p.concentration)
    return scaled + apart + (q.rate - p.rate) * (p.concentration / p.rate)


@register_kl(Beta, Beta)
def _beta(p, q):
    up, down = p.concentration1 - q.concentration1, p.concentration0 - q.concentration0
    found = log_beta(q.concentration1, q.concentration0) - log_beta(p.concentration1, p.concentration0)
    found = found + up * digamma(p.concentration1) + down * digamma(p.concentration0)
    return found - (up + down) * digamma(p.concentration1 + p.concentration0)


@register_kl(Cauchy, Cauchy)
def _cauchy(p, q):
    apart = (p.scale + q.scale).square() + (p.loc - q.loc).square()
    return apart.log() - (4 * p.scale * q.scale).log()


@register_kl(Uniform, Uniform)
def _uniform(p, q):
    found = ((q.high - q.low) / (p.high - p.low)).log()
    return found.masked_fill((q.low > p.low) | (q.high < p.high), float("inf"))


@register_kl(Exponential, Exponential)
def _exponential(p, q):
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(Laplace, Laplace)
def _laplace(p, q):
    ratio, apart = p.scale / q.scale, (p.loc - q.loc).abs()
    return apart / q.scale + ratio * (-apart / p.scale).exp() - ratio.log() - 1


@register_kl(Independent, Independent)
def _independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_last(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p, q):
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be computed"
        )
    spread = solve_triangular(q._factor, p._factor, upper=False).square().sum((-2, -1))
    apart = solve_triangular(q._factor, (q.loc - p.loc).unsqueeze(-1), upper=False).square().sum((-2, -1))
    return q._half_log_det() - p._half_log_det() + 0.5 * (spread + apart - p.event_shape[0])


@register_kl(Gumbel, Gumbel)
def _gumbel(p, q):
    ratio, apart = p.scale / q.scale, (q.loc - p.loc) / q.scale
    return (apart + lgamma(1 + ratio)).exp() - apart - ratio.log() + EULER * (ratio - 1) - 1


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p, q):
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)
