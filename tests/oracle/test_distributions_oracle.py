"""Distributions beside PyTorch's: every property, densities, tails, divergences, refusals."""

import numpy as np
import pytest
import torch
from beside_torch import answered, assert_alike

import minidl

R = np.random.default_rng(0)
LOC, SCALE, PROBS = R.normal(size=(2, 3)), R.uniform(0.1, 2, (2, 3)), R.uniform(0.05, 0.95, (2, 3))
ROOT = R.normal(size=(3, 3))
SPREAD = ROOT @ ROOT.T + np.eye(3)
FACTOR = np.linalg.cholesky(SPREAD)
KINDS = {
    "Normal": (lambda d, t: d.Normal(t(LOC), t(SCALE)), LOC + 0.3),
    "Uniform": (lambda d, t: d.Uniform(t(LOC), t(LOC + SCALE)), LOC + SCALE / 3),
    "Exponential": (lambda d, t: d.Exponential(t(SCALE)), SCALE),
    "Laplace": (lambda d, t: d.Laplace(t(LOC), t(SCALE)), LOC - 0.3),
    "Bernoulli": (lambda d, t: d.Bernoulli(t(PROBS)), (LOC > 0) * 1.0),
    "Bernoulli of logits": (lambda d, t: d.Bernoulli(logits=t(LOC)), (LOC > 0) * 1.0),
    "Binomial": (lambda d, t: d.Binomial(4, t(PROBS)), (LOC > 0) * 3.0),
    "Binomial of logits": (lambda d, t: d.Binomial(t([[3.0], [1.0]]), logits=t(LOC)), (LOC > 0) * 1.0),
    "Binomial at the ends": (lambda d, t: d.Binomial(2, t([0.0, 1.0])), np.array([0.0, 2.0])),
    "Poisson": (lambda d, t: d.Poisson(t(SCALE)), (LOC > 0) * 3.0),
    "Cauchy": (lambda d, t: d.Cauchy(t(LOC), t(SCALE)), LOC - 0.3),
    "Gamma": (lambda d, t: d.Gamma(t(SCALE), t(PROBS)), SCALE + 0.2),
    "Beta": (lambda d, t: d.Beta(t(SCALE), t(3 * PROBS)), PROBS),
    "Beta below 1": (lambda d, t: d.Beta(t(PROBS), t(PROBS[::-1].copy())), PROBS),
    "Categorical": (lambda d, t: d.Categorical(t(PROBS)), np.array([2, 0])),
    "Categorical of logits": (lambda d, t: d.Categorical(logits=t(LOC)), np.array([2, 0])),
    "OneHotCategorical": (lambda d, t: d.OneHotCategorical(t(PROBS)), np.eye(3)[[2, 0]]),
    "Multinomial": (lambda d, t: d.Multinomial(5, t(PROBS)), np.array([[2.0, 0, 3], [1, 2, 1]])),
    "Multinomial of logits": (
        lambda d, t: d.Multinomial(4, logits=t(LOC)),
        np.array([[2.0, 0, 2], [4, 0, 0]]),
    ),
    "Multinomial with a 0": (lambda d, t: d.Multinomial(3, t([0.0, 0.4, 0.6])), np.array([0.0, 1, 2])),
    "Independent": (lambda d, t: d.Independent(d.Normal(t(LOC), t(SCALE)), 1), LOC + 0.1),
    "of a covariance": (lambda d, t: d.MultivariateNormal(t(LOC), t(SPREAD)), LOC + 0.3),
    "of a precision": (lambda d, t: d.MultivariateNormal(t(LOC), precision_matrix=t(SPREAD)), LOC - 0.4),
    "LogNormal": (lambda d, t: d.LogNormal(t(LOC), t(SCALE)), SCALE),
    "Gumbel": (lambda d, t: d.Gumbel(t(LOC), t(SCALE)), LOC + 0.2),
    "HalfNormal": (lambda d, t: d.HalfNormal(t(SCALE)), SCALE / 2),
    "squashed": (
        lambda d, t: d.TransformedDistribution(d.Normal(t(LOC), t(SCALE)), [d.TanhTransform(cache_size=1)]),
        PROBS,
    ),
    "reversed": (
        lambda d, t: d.TransformedDistribution(d.Normal(t(LOC), t(SCALE)), d.AffineTransform(1.0, -2.0)),
        LOC,
    ),
    "on a simplex": (
        lambda d, t: d.TransformedDistribution(d.Normal(t(LOC), t(SCALE)), d.StickBreakingTransform()),
        np.array([0.1, 0.2, 0.3, 0.4]),
    ),
    "of a factor": (lambda d, t: d.MultivariateNormal(t(LOC), scale_tril=t(FACTOR)), LOC),
}
LIBRARIES = (minidl, torch)


def made(library, kind):
    make, value = KINDS[kind]
    return make(library.distributions, lambda x: library.tensor(x, dtype=library.float64)), library.tensor(
        value
    )


def answers(library, kind):
    """What a distribution answers to every question: arrays, texts, shapes, or the class of the error."""
    distribution, value = made(library, kind)
    quantiles, wide = library.tensor(PROBS), (4, *distribution.batch_shape)
    questions = {
        name: lambda name=name: getattr(distribution, name) for name in ("mean", "mode", "variance", "stddev")
    }
    questions |= {
        "log_prob": lambda: distribution.log_prob(value),
        "entropy": lambda: distribution.entropy(),
        "perplexity": lambda: distribution.perplexity(),
        "cdf": lambda: distribution.cdf(value),
        "icdf": lambda: distribution.icdf(quantiles),
        "enumerated": lambda: distribution.enumerate_support(),
        "enumerated once": lambda: distribution.enumerate_support(expand=False),
        "expanded": lambda: distribution.expand(wide).log_prob(value),
        "shapes": lambda: [tuple(distribution.sample(s).shape) for s in ((), (5,), (2, 1))],
        "expanded shape": lambda: tuple(distribution.expand(wide).sample((5,)).shape),
        "dtype": lambda: str(distribution.sample().dtype).rpartition(".")[2],
        "rsample": lambda: tuple(distribution.rsample((2,)).shape),
        "printed": lambda: repr(distribution),
        "facts": lambda: [
            tuple(distribution.batch_shape),
            tuple(distribution.event_shape),
            distribution.has_rsample,
            distribution.has_enumerate_support,
        ],
    }
    if kind != "Uniform":  # whose support prints tensors, and so their dtype
        questions["support"] = lambda: repr(distribution.support).replace(f"{library.__name__}.", "")
    return answered(questions)


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer(kind):
    ours, theirs = (answers(library, kind) for library in LIBRARIES)
    rtol = (
        1e-7 if kind.startswith("Multinomial") else 1e-9
    )  # PyTorch rounds log(n!) in its entropy to float32
    assert_alike(ours, theirs, rtol)


DIVERGENCES = [
    lambda d, t: (d.Normal(t(LOC), t(SCALE)), d.Normal(t(SCALE), t(PROBS))),
    lambda d, t: (d.Categorical(t(PROBS)), d.Categorical(logits=t(LOC))),
    lambda d, t: (
        d.Categorical(t([[0, 1.0, 0], [0.5, 0.5, 0]])),
        d.Categorical(t([[0, 0.5, 0.5], [1.0, 0, 0]])),
    ),
    lambda d, t: (d.OneHotCategorical(t(PROBS)), d.OneHotCategorical(logits=t(LOC))),
    lambda d, t: (d.Bernoulli(t(PROBS)), d.Bernoulli(logits=t(LOC))),
    lambda d, t: (d.Bernoulli(t([0.0, 1.0, 0.5, 0.5])), d.Bernoulli(t([0.0, 0.0, 1.0, 0.5]))),
    lambda d, t: (d.Binomial(4, t(PROBS)), d.Binomial(4, logits=t(LOC))),
    lambda d, t: (d.Binomial(t([4.0, 2.0]), t(PROBS[:, :2])), d.Binomial(2, t(PROBS[:, 1:]))),
    lambda d, t: (d.Poisson(t(SCALE)), d.Poisson(t(PROBS))),
    lambda d, t: (d.Gamma(t(SCALE), t(PROBS)), d.Gamma(t(PROBS), t(SCALE))),
    lambda d, t: (d.Beta(t(SCALE), t(PROBS)), d.Beta(t(PROBS), t(SCALE))),
    lambda d, t: (d.Cauchy(t(LOC), t(SCALE)), d.Cauchy(t(SCALE), t(PROBS))),
    lambda d, t: (d.Uniform(t([0.0, 0.0]), t([1.0, 1.0])), d.Uniform(t([-1.0, 0.5]), t([2.0, 2.0]))),
    lambda d, t: (d.Exponential(t(SCALE)), d.Exponential(t(PROBS))),
    lambda d, t: (d.Laplace(t(LOC), t(SCALE)), d.Laplace(t(SCALE), t(PROBS))),
    lambda d, t: (d.LogNormal(t(LOC), t(SCALE)), d.LogNormal(t(SCALE), t(PROBS))),
    lambda d, t: (d.Gumbel(t(LOC), t(SCALE)), d.Gumbel(t(SCALE), t(PROBS))),
    lambda d, t: (d.HalfNormal(t(SCALE)), d.HalfNormal(t(PROBS))),
    lambda d, t: tuple(d.Independent(d.Normal(t(LOC * k), t(SCALE)), 1) for k in (1, 2)),
    lambda d, t: (
        d.MultivariateNormal(t(LOC), t(SPREAD)),
        d.MultivariateNormal(t(SCALE[0]), t(np.eye(3) * 2)),
    ),
]


@pytest.mark.parametrize("make", DIVERGENCES, ids=range(len(DIVERGENCES)))
def test_divergences(make):
    ours, theirs = (
        library.distributions.kl_divergence(
            *make(library.distributions, lambda x, library=library: library.tensor(x, dtype=library.float64))
        )
        for library in LIBRARIES
    )
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-12)


REFUSED = [
    lambda m, d: d.Normal(0, -1),
    lambda m, d: d.Categorical(),
    lambda m, d: d.Categorical(m.tensor([-1.0, 2])),
    lambda m, d: d.Categorical(m.tensor(1.0)),
    lambda m, d: d.Categorical(m.ones(3)).log_prob(m.tensor(3)),
    lambda m, d: d.Normal(0.0, 1.0).log_prob(m.tensor(float("nan"))),
    lambda m, d: d.Normal(0.0, 1.0).log_prob(3.0),
    lambda m, d: d.Normal(m.zeros(3), 1.0).log_prob(m.zeros(2)),
    lambda m, d: d.Normal("a", 1),
    lambda m, d: d.Binomial(3),
    lambda m, d: d.Binomial(-1, 0.5),
    lambda m, d: d.Binomial(2, 1.5),
    lambda m, d: d.Binomial(2, 0.5).log_prob(m.tensor(3.0)),
    lambda m, d: d.Gamma(0.0, 1.0),
    lambda m, d: d.Poisson(-1.0),
    lambda m, d: d.Poisson(1.0).log_prob(m.tensor(0.5)),
    lambda m, d: d.Beta(0.5, 0.5).log_prob(m.tensor(2.0)),
    lambda m, d: d.Uniform(2.0, 1.0),
    lambda m, d: d.Uniform(0.0, 1.0).log_prob(m.tensor(2.0)),
    lambda m, d: d.Independent(d.Normal(0.0, 1.0), 1),
    lambda m, d: d.Independent(d.Normal(m.zeros(3), 1.0), 1).log_prob(m.zeros(2)),
    lambda m, d: d.MultivariateNormal(m.zeros(2)),
    lambda m, d: d.MultivariateNormal(m.tensor(0.0), m.eye(1)),
    lambda m, d: d.MultivariateNormal(m.zeros(1), m.ones(1)),
    lambda m, d: d.MultivariateNormal(m.zeros(2), -m.eye(2)),
    lambda m, d: d.OneHotCategorical(m.ones(3)).log_prob(m.ones(3)),
    lambda m, d: d.Multinomial(m.tensor([1, 2]), m.ones(2)),
    lambda m, d: d.Multinomial(2, m.ones(3)).log_prob(m.tensor([2.0, 1.0, 0.0])),
    lambda m, d: d.Bernoulli(2.0),
    lambda m, d: d.Exponential(0.0),
    lambda m, d: d.Categorical(m.ones(3)).rsample(),
    lambda m, d: d.LogNormal(0.0, 1.0).log_prob(m.tensor(-1.0)),
    lambda m, d: d.TransformedDistribution(d.Normal(0.0, 1.0), 3),
    lambda m, d: d.TransformedDistribution(d.Normal(0.0, 1.0), [3]),
    lambda m, d: d.TransformedDistribution(d.Normal(0.0, 1.0), d.ReshapeTransform((2,), (2, 1))),
    lambda m, d: d.TransformedDistribution(d.Normal(0.0, 1.0), d.TanhTransform()).log_prob(m.tensor(2.0)),
    lambda m, d: d.ReshapeTransform((2,), (3,)),
    lambda m, d: d.ReshapeTransform((2,), (1, 2)).forward_shape((3,)),
    lambda m, d: d.StickBreakingTransform().forward_shape(()),
    lambda m, d: d.Transform(cache_size=2),
    lambda m, d: d.kl_divergence(d.Normal(0.0, 1.0), d.Categorical(m.ones(3))),
]


@pytest.mark.parametrize("call", REFUSED, ids=range(len(REFUSED)))
def test_refusals_in_the_same_words(call):
    errors = []
    for library in LIBRARIES:
        with pytest.raises((ValueError, NotImplementedError)) as caught:
            call(library, library.distributions)
        errors.append((caught.type, str(caught.value)))
    assert errors[0] == errors[1]


def test_slopes_of_gamma_numbers():
    shapes, quantiles = np.meshgrid([0.05, 0.4, 1.0, 3.0, 20.0, 300.0, 2e4], [0.02, 0.3, 0.7, 0.98])
    x = torch.tensor(shapes * np.exp((quantiles - 0.5) * 2 / np.sqrt(np.maximum(shapes, 1))))
    slopes = minidl.distributions.gamma.slope(minidl.tensor(shapes), minidl.tensor(x.numpy()))
    np.testing.assert_allclose(slopes.numpy(), torch._standard_gamma_grad(torch.tensor(shapes), x), rtol=2e-3)
