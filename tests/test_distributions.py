"""Distributions: densities from their formulas, samples with the moments they promise, gradients, refusals."""

import math

import numpy as np
import pytest

import minidl
from minidl import distributions
from minidl.distributions import (
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Cauchy,
    Exponential,
    Gamma,
    Independent,
    Laplace,
    Multinomial,
    MultivariateNormal,
    Normal,
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
    Poisson,
    Uniform,
    kl_divergence,
)

COVARIANCE = [[2.0, 0.6], [0.6, 1.0]]
# A distribution, a value, and the logarithm of its density there.
DENSITIES = {
    "Normal": (Normal(1.0, 2.0), 2.0, -0.125 - math.log(2 * math.sqrt(2 * math.pi))),
    "Uniform": (Uniform(1.0, 5.0), 1.0, -math.log(4)),
    "Exponential": (Exponential(3.0), 0.5, math.log(3) - 1.5),
    "Laplace": (Laplace(1.0, 2.0), -1.0, -1 - math.log(4)),
    "Bernoulli": (Bernoulli(0.25), 0.0, math.log(0.75)),
    "Bernoulli of logits": (Bernoulli(logits=math.log(3)), 1.0, math.log(0.75)),
    "Categorical": (Categorical(minidl.tensor([1.0, 1.0, 2.0])), 2, math.log(0.5)),
    "Binomial": (Binomial(3, 0.25), 2.0, math.log(3 * 0.25**2 * 0.75)),
    "Gamma": (Gamma(3.0, 2.0), 1.5, math.log(8 * 1.5**2 / 2) - 3),
    "Gamma below 1": (Gamma(0.5, 1.0), 2.0, -0.5 * math.log(2 * math.pi) - 2),
    "Beta": (Beta(2.0, 3.0), 0.5, math.log(12 / 8)),
    "Independent": (Independent(Normal(minidl.zeros(2), 1.0), 1), [0.0, 0.0], -math.log(2 * math.pi)),
    "OneHotCategorical": (OneHotCategorical(minidl.tensor([0.25, 0.75])), [0.0, 1.0], math.log(0.75)),
    "Multinomial": (Multinomial(3, minidl.tensor([0.25, 0.75])), [1.0, 2.0], math.log(3 * 0.25 * 0.75**2)),
    "MultivariateNormal": (
        MultivariateNormal(minidl.zeros(2), minidl.tensor(COVARIANCE)),
        [1.0, 2.0],
        -0.5 * (np.array([1, 2]) @ np.linalg.inv(COVARIANCE) @ np.array([1, 2]))
        - 0.5 * math.log((2 * math.pi) ** 2 * np.linalg.det(COVARIANCE)),
    ),
}
by_name = pytest.mark.parametrize("name", DENSITIES)


@by_name
def test_densities(name):
    distribution, value, expected = DENSITIES[name]
    assert float(distribution.log_prob(minidl.tensor(value))) == pytest.approx(expected, rel=1e-5)


@by_name
def test_samples_have_the_moments(name):
    minidl.manual_seed(0)
    distribution = DENSITIES[name][0]
    drawn = distribution.sample((20000,))
    assert drawn.shape == (20000, *distribution.batch_shape, *distribution.event_shape)
    assert not drawn.requires_grad
    if name == "Categorical":
        assert np.bincount(drawn.numpy()) / 20000 == pytest.approx([0.25, 0.25, 0.5], abs=0.02)
        return
    spread = distribution.stddev.numpy()
    assert np.all(
        np.abs(drawn.float().mean(0).numpy() - distribution.mean.numpy()) < 5 * spread / math.sqrt(20000)
    )
    assert drawn.float().std(0).numpy() == pytest.approx(spread, rel=0.05)
    if distribution.has_rsample:
        again = distribution.rsample((20000,)).std(0)
        assert again.detach().numpy() == pytest.approx(spread, rel=0.05)


@by_name
def test_entropy_is_the_mean_of_minus_log_prob(name):
    minidl.manual_seed(1)
    distribution = DENSITIES[name][0]
    surprise = -distribution.log_prob(distribution.sample((20000,)))
    assert float(distribution.entropy()) == pytest.approx(float(surprise.mean()), abs=0.03)
    assert float(distribution.perplexity()) == pytest.approx(
        math.exp(float(distribution.entropy())), rel=1e-5
    )


@by_name
def test_expanded_distributions_repeat(name):
    distribution, value, expected = DENSITIES[name]
    wide = distribution.expand((3, 2))
    assert wide.batch_shape == (3, 2) and wide.event_shape == distribution.event_shape
    assert wide.sample((4,)).shape == (4, 3, 2, *distribution.event_shape)
    found = wide.log_prob(minidl.tensor(value))
    assert found.numpy() == pytest.approx(np.full((3, 2), expected), rel=1e-5)


PAIRS = {
    "Normal": (Normal(0.0, 1.0), Normal(1.0, 2.0)),
    "Laplace": (Laplace(0.0, 1.0), Laplace(1.0, 2.0)),
    "Exponential": (Exponential(1.0), Exponential(2.0)),
    "Uniform": (Uniform(0.0, 1.0), Uniform(-1.0, 2.0)),
    "Bernoulli": (Bernoulli(0.2), Bernoulli(0.6)),
    "Binomial": (Binomial(3, 0.2), Binomial(3, 0.6)),
    "Poisson": (Poisson(2.0), Poisson(3.0)),
    "Gamma": (Gamma(2.0, 1.0), Gamma(3.0, 2.0)),
    "Beta": (Beta(2.0, 3.0), Beta(3.0, 2.0)),
    "Cauchy": (Cauchy(0.0, 1.0), Cauchy(0.5, 2.0)),
    "Categorical": (Categorical(minidl.tensor([0.2, 0.8])), Categorical(minidl.tensor([0.6, 0.4]))),
    "Independent": tuple(Independent(Normal(minidl.zeros(2), scale), 1) for scale in (1.0, 2.0)),
    "OneHotCategorical": tuple(OneHotCategorical(minidl.tensor([p, 1 - p])) for p in (0.3, 0.6)),
    "MultivariateNormal": (
        MultivariateNormal(minidl.zeros(2), minidl.tensor(COVARIANCE)),
        MultivariateNormal(minidl.ones(2), minidl.eye(2)),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_divergence_is_the_mean_of_the_difference(name):
    minidl.manual_seed(2)
    p, q = PAIRS[name]
    drawn = p.sample((20000,))
    difference = (p.log_prob(drawn) - q.log_prob(drawn)).mean()
    assert float(kl_divergence(p, q)) == pytest.approx(float(difference), abs=0.05)
    assert float(kl_divergence(p, p)) == pytest.approx(0, abs=1e-6)


def test_gradients_reach_the_parameters():
    loc, scale = minidl.tensor(0.5, requires_grad=True), minidl.tensor(2.0, requires_grad=True)
    normal = Normal(loc, scale)
    drawn = normal.rsample()
    drawn.backward()
    assert float(loc.grad) == 1
    assert float(scale.grad) == pytest.approx((float(drawn) - 0.5) / 2, abs=1e-6)
    logits = minidl.zeros(3, requires_grad=True)
    policy = Categorical(logits=logits)
    policy.log_prob(minidl.tensor(1)).backward()
    assert logits.grad.numpy() == pytest.approx([-1 / 3, 2 / 3, -1 / 3], abs=1e-6)
    probs = minidl.tensor([0.5, 0.5], requires_grad=True)
    (OneHotCategoricalStraightThrough(probs).rsample() * minidl.tensor([1.0, 3.0])).sum().backward()
    assert probs.grad.numpy() == pytest.approx([-1.0, 1.0])


@pytest.mark.parametrize("kind", [Bernoulli, Binomial, Categorical, OneHotCategorical, Multinomial])
def test_what_a_sample_computes_keeps_its_gradient(kind):
    for given, asked in (("logits", "probs"), ("probs", "logits")):
        parameter = minidl.tensor([0.2, 0.8], requires_grad=True)
        distribution = kind(**{given: parameter})
        distribution.sample()
        with minidl.no_grad():
            getattr(distribution, asked)
        getattr(distribution, asked)[0].backward()
        assert parameter.grad.abs().sum() > 0


def test_gradients_of_gamma_numbers_are_those_of_their_mean():
    minidl.manual_seed(3)
    shapes = minidl.tensor([0.3, 2.0, 60.0], requires_grad=True)
    Gamma(shapes, 2.0).rsample((20000,)).mean(0).sum().backward()
    assert shapes.grad.numpy() == pytest.approx([0.5, 0.5, 0.5], abs=0.02)
    a = minidl.tensor(2.0, requires_grad=True)
    Beta(a, 3.0).rsample((20000,)).mean().backward()
    assert float(a.grad) == pytest.approx(3 / 25, abs=0.005)


def test_slopes_of_gamma_numbers_keep_the_probability():
    a = minidl.tensor([0.2, 1.0, 7.0, 200.0], dtype=minidl.float64)
    x = a * 1.2
    h = 1e-4 * a
    slope = distributions.gamma.slope(a, x)
    moved = [minidl.special.gammainc(a + step, x + slope * step) for step in (h, -h)]
    assert (moved[0] - moved[1]).abs().max() < 1e-9


def test_counts_and_heavy_tails():
    minidl.manual_seed(4)
    counts = Poisson(minidl.tensor(3.5)).sample((20000,))
    assert float(counts.mean()) == pytest.approx(3.5, abs=0.07) and float(counts.var()) == pytest.approx(
        3.5, abs=0.2
    )
    assert float(Poisson(2.0).log_prob(minidl.tensor(3.0))) == pytest.approx(math.log(8 / 6) - 2, rel=1e-5)
    quarters = Cauchy(1.0, 2.0).sample((20000,)).quantile(minidl.tensor([0.25, 0.5, 0.75]))
    assert quarters.numpy() == pytest.approx([-1.0, 1.0, 3.0], abs=0.15)


def test_tails():
    for distribution in (Normal(1.0, 2.0), Laplace(1.0, 2.0), Exponential(2.0), Uniform(-1.0, 3.0)):
        quantiles = minidl.tensor([0.1, 0.5, 0.9])
        assert distribution.cdf(distribution.icdf(quantiles)).numpy() == pytest.approx(
            quantiles.numpy(), abs=1e-5
        )


def test_discrete_values_are_enumerated():
    assert Bernoulli(minidl.ones(2) / 2).enumerate_support().tolist() == [[0, 0], [1, 1]]
    assert Categorical(minidl.ones(2, 3)).enumerate_support(expand=False).tolist() == [[0], [1], [2]]
    assert OneHotCategorical(minidl.ones(2)).enumerate_support().tolist() == [[1, 0], [0, 1]]


REFUSALS = [
    (lambda: Normal(0.0, -1.0), ValueError, r"Expected parameter scale .*GreaterThan\(lower_bound=0.0\)"),
    (lambda: Normal("a", 1.0), ValueError, "must all be instances of Number"),
    (lambda: Uniform(2.0, 1.0), ValueError, "Expected parameter low"),
    (lambda: Categorical(), ValueError, "Either `probs` or `logits` must be specified"),
    (lambda: Bernoulli(0.5, 0.5), ValueError, "but not both"),
    (lambda: Categorical(minidl.tensor([-1.0, 2.0])), ValueError, r"constraint Simplex\(\)"),
    (lambda: Categorical(minidl.tensor(1.0)), ValueError, "at least one-dimensional"),
    (lambda: Categorical(minidl.ones(3)).log_prob(minidl.tensor(3)), ValueError, "support .*upper_bound=2"),
    (lambda: Normal(0.0, 1.0).log_prob(3.0), ValueError, "must be a Tensor"),
    (lambda: Normal(0.0, 1.0).log_prob(minidl.tensor(math.nan)), ValueError, "to be within the support"),
    (lambda: Normal(minidl.zeros(3), 1.0).log_prob(minidl.zeros(2)), ValueError, "not broadcastable"),
    (lambda: Independent(Normal(0.0, 1.0), 1), ValueError, "actual 1 vs 0"),
    (lambda: MultivariateNormal(minidl.zeros(2), -minidl.eye(2)), ValueError, r"PositiveDefinite\(\)"),
    (lambda: MultivariateNormal(minidl.zeros(2)), ValueError, "Exactly one of covariance_matrix"),
    (lambda: Categorical(minidl.ones(3)).rsample(), NotImplementedError, None),
    (
        lambda: kl_divergence(Normal(0.0, 1.0), Bernoulli(0.5)),
        NotImplementedError,
        "No KL.*Normal.*Bernoulli",
    ),
    (lambda: distributions.Wishart, AttributeError, "Wishart.*derive it from Distribution"),
]


@pytest.mark.parametrize(("call", "error", "text"), REFUSALS, ids=range(len(REFUSALS)))
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_checks_can_be_switched_off():
    assert float(Normal(0.0, -1.0, validate_args=False).scale) == -1
    distributions.Distribution.set_default_validate_args(False)
    try:
        assert float(Uniform(0.0, 1.0).log_prob(minidl.tensor(2.0))) == -math.inf
    finally:
        distributions.Distribution.set_default_validate_args(True)
