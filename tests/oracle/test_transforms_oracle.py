"""Transforms of distributions beside PyTorch's: both ways, volumes, signs, shapes, texts."""

import numpy as np
import pytest
import torch
from beside_torch import answered, assert_alike

import minidl

X = np.array([[0.3, -0.9, 0.6], [1.2, 0.1, -0.4]])
KINDS = {
    "exp": lambda d, t: d.ExpTransform(),
    "affine": lambda d, t: d.AffineTransform(1.0, 2.0),
    "falling": lambda d, t: d.AffineTransform(t(X[0]), t(-1.5)),
    "affine vectors": lambda d, t: d.AffineTransform(t(X[0]), t(X[1]), event_dim=1),
    "sigmoid": lambda d, t: d.SigmoidTransform(),
    "tanh": lambda d, t: d.TanhTransform(),
    "softplus": lambda d, t: d.SoftplusTransform(),
    "abs": lambda d, t: d.AbsTransform(),
    "power": lambda d, t: d.ComposeTransform([d.ExpTransform(), d.PowerTransform(t(-3.0))]),
    "softmax": lambda d, t: d.SoftmaxTransform(),
    "sticks": lambda d, t: d.StickBreakingTransform(),
    "reshape": lambda d, t: d.ReshapeTransform((3,), (1, 3)),
    "independent": lambda d, t: d.IndependentTransform(d.TanhTransform(), 1),
    "composed": lambda d, t: d.ComposeTransform(
        [d.TanhTransform(), d.AffineTransform(0.0, 2.0, event_dim=1)]
    ),
    "its inverse": lambda d, t: d.ComposeTransform([d.AffineTransform(0.0, 2.0), d.ExpTransform()]).inv.inv,
    "nothing": lambda d, t: d.identity_transform,
    "cumulative": lambda d, t: d.CumulativeDistributionTransform(d.Normal(t(0.0), t(1.0))),
    "triangle": lambda d, t: d.ComposeTransform(
        [d.ReshapeTransform((1, 1), (1, 1)), d.LowerCholeskyTransform()]
    ),
}

ONE = ("reshape", "independent", "cumulative", "triangle")  # whose likes are not equal in PyTorch


def answers(library, kind):
    def made(x):
        return library.tensor(x, dtype=library.float64)

    transform, x = KINDS[kind](library.distributions, made), made(X)
    x = x.unsqueeze(-1).unsqueeze(-1) if kind == "triangle" else x
    y = transform(x)
    questions = {
        "there": lambda: y,
        "back": lambda: transform.inv(y),
        "volume": lambda: transform.log_abs_det_jacobian(x, y),
        "volume back": lambda: transform.inv.log_abs_det_jacobian(y, x),
        "sign": lambda: transform.sign,
        "one way back": lambda: transform.inv.inv is transform,
        "equal": lambda: (
            transform == (transform if kind in ONE else KINDS[kind](library.distributions, made))
        ),
        "bijective": lambda: transform.bijective,
        "dims": lambda: (transform.domain.event_dim, transform.codomain.event_dim),
        "shapes": lambda: (tuple(transform.forward_shape(x.shape)), tuple(transform.inverse_shape(y.shape))),
        "printed": lambda: (repr(transform), repr(transform.inv), repr(transform.with_cache())),
    }
    return answered(questions)


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer(kind):
    assert_alike(*(answers(library, kind) for library in (minidl, torch)))


def test_a_cache_gives_back_what_rounding_would_lose():
    for library in (minidl, torch):
        d, x = library.distributions, library.tensor([30.0, -0.5])
        assert not library.isfinite(d.TanhTransform().inv(d.TanhTransform()(x))).all()
        cached = d.TanhTransform(cache_size=1)
        assert cached.inv(cached(x)) is x
        policy = d.Independent(d.TransformedDistribution(d.Normal(library.zeros(2), 9.0), [cached]), 1)
        assert library.isfinite(policy.log_prob(policy.rsample())).all()
