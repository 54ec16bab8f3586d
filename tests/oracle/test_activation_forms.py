"""In-place forms of nn.functional, activations that draw, and arguments under their old names, beside PyTorch."""

import driving
import numpy as np
import pytest
import torch
from beside_torch import normal

import minidl

INPLACE = {
    "elu_": (0.7,), "hardtanh_": (-0.5, 0.4), "leaky_relu_": (0.2,), "threshold_": (0.1, 3.0), "relu_": (),
    "selu_": (), "celu_": (0.5,), "rrelu_": (0.1, 0.3),
}  # fmt: skip


@pytest.mark.parametrize("name", INPLACE)
def test_in_place_forms(name):
    found = []
    for library in (minidl, torch):
        leaf = library.tensor(normal(3, 4), requires_grad=True)
        x = leaf * 1.0
        form = getattr(library.nn.functional, name)
        assert form(x, *INPLACE[name]) is x
        (grad,) = library.autograd.grad((x**2).sum(), leaf)
        found.append((x.detach().numpy(), grad.numpy()))
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            form(leaf, *INPLACE[name])
    for ours, theirs in zip(*found, strict=True):
        driving.assert_near(ours, theirs, 1e-12, 1e-12)


def test_rrelu_draws_its_slopes_evenly():
    minidl.manual_seed(0)
    x = -minidl.ones(100_000, requires_grad=True)
    leaf = minidl.full((100_000,), -1.0, requires_grad=True)
    out = minidl.nn.functional.rrelu(leaf, 0.25, 0.75, training=True)
    slopes = -out.detach().numpy()
    assert slopes.min() >= 0.25 and slopes.max() < 0.75
    assert abs(slopes.mean() - 0.5) < 0.002 and abs(slopes.std() - 0.5 / 12**0.5) < 0.002
    (grad,) = minidl.autograd.grad(out.sum(), leaf)
    np.testing.assert_array_equal(grad.numpy(), slopes)
    assert minidl.nn.functional.rrelu_(x.detach(), training=True).max() < 0


@pytest.mark.parametrize(
    "call",
    [
        lambda library: library.nn.functional.rrelu(library.ones(2), 2, 1),
        lambda library: library.nn.RReLU(2, 1)(library.ones(2)),
        lambda library: library.nn.functional.rrelu(library.ones(2, dtype=library.int64), training=True),
        lambda library: library.nn.functional.gumbel_softmax(library.ones(2, dtype=library.int64)),
        lambda library: library.dropout(library.ones(2), 2.0, True),
        lambda library: library.nn.Hardtanh(2, 1),
    ],
)
def test_refusals(call):
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(type(theirs.value)) as ours:
        call(minidl)
    assert str(ours.value).startswith(str(theirs.value))


def test_gumbel_softmax_samples_the_categorical_distribution():
    minidl.manual_seed(0)
    logits = minidl.tensor(np.log([0.1, 0.2, 0.7])).expand(50_000, 3)
    hard = minidl.nn.functional.gumbel_softmax(logits, hard=True)
    assert set(np.unique(hard.numpy().round(9))) == {0.0, 1.0}
    np.testing.assert_allclose(hard.mean(0).numpy(), [0.1, 0.2, 0.7], atol=0.01)
    soft = minidl.nn.functional.gumbel_softmax(logits, tau=0.5)
    np.testing.assert_allclose(soft.sum(-1).numpy(), 1.0, atol=1e-12)


def test_hard_gumbel_softmax_has_the_gradient_of_the_soft_one():
    grads = []
    for hard in (False, True):
        minidl.manual_seed(3)
        x = minidl.tensor(normal(4, 3), requires_grad=True)
        out = minidl.nn.functional.gumbel_softmax(x, hard=hard, dim=0)
        grads.append(minidl.autograd.grad((out * minidl.tensor(normal(4, 3, seed=1))).sum(), x)[0].numpy())
    np.testing.assert_array_equal(*grads)
    with pytest.warns(UserWarning, match="`eps` parameter is deprecated"):
        minidl.nn.functional.gumbel_softmax(x, eps=1.0)


def test_limits_of_hardtanh_under_their_old_names():
    for kwargs in ({"min_value": -2}, {"max_value": 3}, {"min_value": 1, "max_value": 3}):
        found = []
        for library in (minidl, torch):
            with pytest.warns(FutureWarning) as caught:
                found.append((repr(library.nn.Hardtanh(**kwargs)), [str(w.message) for w in caught]))
        assert found[0] == found[1]


def test_dropout_by_torchs_own_names():
    for library in (minidl, torch):
        for name in ("dropout", "alpha_dropout"):
            x = library.ones(2, 3)
            assert getattr(library, name)(x, p=0.5, train=False).tolist() == x.tolist()
            with pytest.raises(TypeError, match="train"):
                getattr(library, name)(x, 0.5)
        x = library.ones(4)
        assert library.dropout_(x, 1.0, train=True) is x and x.tolist() == [0.0] * 4
