"""``torch.distributions``: those that programs sample actions and latent variables from, with their densities.

>>> import minidl
>>> policy = minidl.distributions.Categorical(logits=minidl.zeros(4))
>>> policy.log_prob(policy.sample())
tensor(-1.3863)
"""

from minidl.distributions import constraints, transforms, utils
from minidl.distributions.bernoulli import Bernoulli
from minidl.distributions.beta import Beta
from minidl.distributions.binomial import Binomial
from minidl.distributions.categorical import Categorical
from minidl.distributions.cauchy import Cauchy
from minidl.distributions.distribution import Distribution
from minidl.distributions.exponential import Exponential
from minidl.distributions.gamma import Gamma
from minidl.distributions.gumbel import Gumbel
from minidl.distributions.half_normal import HalfNormal
from minidl.distributions.independent import Independent
from minidl.distributions.kl import kl_divergence, register_kl
from minidl.distributions.laplace import Laplace
from minidl.distributions.log_normal import LogNormal
from minidl.distributions.multinomial import Multinomial
from minidl.distributions.multivariate_normal import MultivariateNormal
from minidl.distributions.normal import Normal
from minidl.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from minidl.distributions.poisson import Poisson
from minidl.distributions.transformed_distribution import TransformedDistribution
from minidl.distributions.transforms import *  # noqa: F403
from minidl.distributions.uniform import Uniform

__all__ = [
    "Bernoulli", "Beta", "Binomial", "Categorical", "Cauchy", "Distribution", "Exponential", "Gamma", "Gumbel",
    "HalfNormal", "Independent", "Laplace", "LogNormal", "Multinomial", "MultivariateNormal", "Normal",
    "OneHotCategorical", "OneHotCategoricalStraightThrough", "Poisson", "TransformedDistribution", "Uniform",
    "constraints", "kl_divergence", "register_kl", "transforms", "utils", *transforms.__all__,
]  # fmt: skip


def __getattr__(name):
    raise AttributeError(
        f"module 'minidl.distributions' has no attribute {name!r}: it is not there yet. "
        "Hint: derive it from Distribution, and give it sample and log_prob"
    )
