"""Dual tensors beside PyTorch's forward mode."""

import numpy as np
import pytest
import torch

import minidl

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*torch.jit.script:DeprecationWarning"
)  # PyTorch's own, in forward mode

VALUES = np.random.default_rng(0).normal(size=(3, 3))
TANGENT = np.random.default_rng(1).normal(size=(3, 3))

FUNCTIONS = {
    "product": lambda m, x: x.sin() * x,
    "several uses": lambda m, x: (x @ x).exp().sum(0) - x[0],
    "softmax": lambda m, x: x.softmax(1).log(),
    "layers": lambda m, x: m.nn.functional.layer_norm(x, (3,)).tanh(),
    "in place": lambda m, x: (x * 1).mul_(x),
    "linear in it": lambda m, x: x.t() * 2,
    "constant": lambda m, x: x * 0 + 1,
    "not of it": lambda m, x: m.ones(2),
    "the dual": lambda m, x: x,
}


def _dual(m, function):
    forward_ad = m.autograd.forward_ad
    with forward_ad.dual_level():
        out = function(m, forward_ad.make_dual(m.tensor(VALUES), m.tensor(TANGENT)))
        primal, tangent = forward_ad.unpack_dual(out)
        assert not primal.requires_grad
        return primal.numpy(), None if tangent is None else tangent.detach().numpy()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_tangents_are_pytorchs(name):
    for ours, theirs in zip(_dual(minidl, FUNCTIONS[name]), _dual(torch, FUNCTIONS[name]), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def _backward_over_forward(m):
    forward_ad = m.autograd.forward_ad
    p, v = m.tensor(VALUES, requires_grad=True), m.tensor(TANGENT, requires_grad=True)
    with forward_ad.dual_level():
        a, b = forward_ad.make_dual(p, v), forward_ad.make_dual(m.tensor(TANGENT), m.tensor(VALUES))
        tangent = forward_ad.unpack_dual((a**3 * b).sum()).tangent
    return [g.numpy() for g in m.autograd.grad(tangent, (p, v))]


def test_a_tangent_is_differentiable():
    for ours, theirs in zip(_backward_over_forward(minidl), _backward_over_forward(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def _module(m):
    """As PyTorch's tutorial does: parameters become duals."""
    forward_ad, layer = m.autograd.forward_ad, m.nn.Linear(3, 2).double()
    with m.no_grad():
        layer.weight.copy_(m.tensor(VALUES[:2]))
        layer.bias.copy_(m.tensor(VALUES[2, :2]))
    parameters = dict(layer.named_parameters())
    with forward_ad.dual_level():
        for name, p in parameters.items():
            delattr(layer, name)
            setattr(layer, name, forward_ad.make_dual(p, m.ones_like(p)))
        return forward_ad.unpack_dual(layer(m.tensor(VALUES)).tanh()).tangent.detach().numpy()


def test_parameters_as_duals():
    np.testing.assert_allclose(_module(minidl), _module(torch), rtol=1e-10)


def _refusals(m):
    forward_ad, x = m.autograd.forward_ad, m.ones(2)
    yield lambda: forward_ad.make_dual(x, x)
    forward_ad.enter_dual_level()
    dual = forward_ad.make_dual(x, x)
    yield lambda: forward_ad.make_dual(x, m.ones(3))
    yield lambda: forward_ad.make_dual(x.long(), x)
    yield lambda: forward_ad.make_dual(x, x.long())
    yield lambda: forward_ad.make_dual(dual * 2, x)
    yield lambda: forward_ad.enter_dual_level()
    yield lambda: forward_ad.unpack_dual(3)
    forward_ad.exit_dual_level()
    assert forward_ad.unpack_dual(dual).tangent is None


def test_refusals_are_pytorchs():
    for ours, theirs in zip(_refusals(minidl), _refusals(torch), strict=True):
        with pytest.raises((RuntimeError, ValueError, TypeError)) as wanted:
            theirs()
        with pytest.raises(type(wanted.value)) as found:
            ours()
        assert str(found.value).split(" Hint")[0][:46] == str(wanted.value)[:46]


def test_no_grad_is_said():
    with minidl.autograd.forward_ad.dual_level():
        dual = minidl.autograd.forward_ad.make_dual(minidl.ones(1), minidl.ones(1))
        with minidl.no_grad(), pytest.raises(NotImplementedError, match="enable_grad"):
            minidl.autograd.forward_ad.unpack_dual(dual * 2)
