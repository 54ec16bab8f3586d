"""utils.checkpoint: gradients are those without it, the function runs twice, and nothing is kept between."""

import contextlib
import weakref

import numpy as np
import pytest

import minidl
from minidl import autograd, nn
from minidl.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential

BOTH = pytest.mark.parametrize("reentrant", [True, False], ids=["reentrant", "not-reentrant"])


def network():
    minidl.manual_seed(0)
    return nn.Sequential(
        nn.Linear(3, 4),
        nn.Dropout(0.5),
        nn.Tanh(),
        nn.BatchNorm1d(4),
        nn.Linear(4, 4),
        nn.GELU(),
        nn.Linear(4, 2),
    )


def run(call):
    """Output and gradients of a fresh network under ``call(net, x)``, with the same random numbers each time."""
    net = network()
    x = minidl.randn(5, 3, requires_grad=True)
    minidl.manual_seed(1)
    y = call(net, x)
    following = minidl.rand(2)
    (y**2).sum().backward()
    found = [y.detach(), x.grad, *(p.grad for p in net.parameters()), following, minidl.rand(2)]
    return [value.numpy() for value in found]


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@BOTH
def test_gradients_and_random_numbers_are_the_same(reentrant):
    plain = run(lambda net, x: net(x))
    same(run(lambda net, x: checkpoint(net, x, use_reentrant=reentrant)), plain)


@BOTH
@pytest.mark.parametrize("segments", [1, 2, 3, 7])
def test_a_sequence_in_segments(reentrant, segments):
    plain = run(lambda net, x: net(x))
    same(run(lambda net, x: checkpoint_sequential(net, segments, x, use_reentrant=reentrant)), plain)
    functions = run(lambda net, x: checkpoint_sequential(list(net), segments, x, use_reentrant=reentrant))
    same(functions, plain)


@BOTH
def test_nested_checkpoints(reentrant):
    def call(net, x):
        def inner(x):
            return checkpoint(net[2:5], x, use_reentrant=reentrant) * 1.5

        def outer(x):
            return net[5:](checkpoint(inner, net[:2](x), use_reentrant=reentrant))

        return checkpoint(outer, x, use_reentrant=reentrant)

    same(run(call), run(lambda net, x: net[5:](net[2:5](net[:2](x)) * 1.5)))


@BOTH
def test_the_function_runs_once_in_forward_and_once_in_backward(reentrant):
    calls = []

    def function(x, y):
        calls.append(minidl.is_grad_enabled())
        return (x * y).exp(), x.sin()

    x, y = minidl.ones(2, requires_grad=True), minidl.ones(2)
    first, second = checkpoint(function, x, y, use_reentrant=reentrant)
    assert len(calls) == 1
    (first.sum() + second.sum()).backward()
    assert calls == [not reentrant, True]
    np.testing.assert_allclose(x.grad.numpy(), np.full(2, np.exp(1) + np.cos(1)), rtol=1e-6)
    assert y.grad is None


@BOTH
def test_intermediate_values_are_not_kept(reentrant):
    seen = []

    class Keep(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            seen.append(weakref.ref(y._array))
            ctx.save_for_backward(y)
            return y * 1

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    x = minidl.ones(3, requires_grad=True)
    y = checkpoint(lambda x: Keep.apply(x * 2).sum(), x, use_reentrant=reentrant)
    assert seen[0]() is None
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), np.full(3, 2 * np.exp(2)), rtol=1e-6)


def test_keyword_arguments_structures_and_contexts():
    entered = []

    @contextlib.contextmanager
    def noted(name):
        entered.append(name)
        yield

    def function(inputs, *, scale):
        return {"y": inputs["x"] * scale, "n": 3}

    x = minidl.ones(2, requires_grad=True)
    out = checkpoint(
        function,
        {"x": x},
        scale=x.exp(),
        use_reentrant=False,
        context_fn=lambda: (noted("forward"), noted("again")),
    )
    assert out["n"] == 3
    out["y"].sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.full(2, 2 * np.exp(1)), rtol=1e-6)
    assert entered == ["forward", "again"]


def test_gradients_of_higher_order_and_of_chosen_tensors():
    x = minidl.tensor([0.3, -0.7], requires_grad=True, dtype=minidl.float64)

    def function(x):
        return (x**3).tanh() * x.exp()

    def grads(y):
        (first,) = autograd.grad(y.sum(), x, create_graph=True)
        (second,) = autograd.grad(first.sum(), x, create_graph=True)
        (third,) = autograd.grad(second.sum(), x)
        return [v.detach().numpy() for v in (first, second, third)]

    for found, wanted in zip(
        grads(checkpoint(function, x, use_reentrant=False)), grads(function(x)), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert autograd.gradcheck(lambda x: checkpoint(function, x, use_reentrant=False), (x,))
    assert autograd.gradgradcheck(lambda x: checkpoint(function, x, use_reentrant=False), (x,))


def test_a_graph_that_is_kept_serves_twice_and_one_that_is_freed_does_not():
    x = minidl.ones(2, requires_grad=True)
    y = checkpoint(lambda x: x.exp().sin().sum(), x, use_reentrant=False)
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), np.full(2, 2 * np.cos(np.e) * np.e), rtol=1e-5)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_without_gradients_nothing_is_recorded():
    x = minidl.ones(2, requires_grad=True)
    with minidl.no_grad():
        assert not checkpoint(minidl.exp, x, use_reentrant=False).requires_grad
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        assert not checkpoint(nn.Linear(2, 2), minidl.ones(2), use_reentrant=True).requires_grad
    layer = nn.Linear(2, 2)
    checkpoint(layer, minidl.ones(2), use_reentrant=False).sum().backward()
    assert layer.bias.grad.tolist() == [1, 1]


def test_a_function_that_changes_its_mind_is_named():
    flips = iter([True, False])

    def function(x):
        return x.exp().sin() if next(flips) else x.exp()

    x = minidl.ones(2, requires_grad=True)
    with pytest.raises(CheckpointError, match="2 recorded operations, then 1"):
        checkpoint(function, x, use_reentrant=False).sum().backward()
    sizes = iter([2, 3])
    y = checkpoint(lambda x: (x.expand(next(sizes), 2) ** 2).exp().sum(), x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="different metadata"):
        y.backward()


def test_what_reentrant_cannot_do_is_refused():
    x = minidl.ones(2, requires_grad=True)
    y = checkpoint(minidl.exp, x, use_reentrant=True)
    with pytest.raises(RuntimeError, match=r"incompatible with .grad\(\)"):
        autograd.grad(y.sum(), x, retain_graph=True)
    y.sum().backward()
    with pytest.raises(ValueError, match="Unexpected keyword arguments: scale"):
        checkpoint(minidl.exp, x, use_reentrant=True, scale=2)
    with pytest.raises(ValueError, match="only supported when use_reentrant=False"):
        checkpoint(minidl.exp, x, use_reentrant=True, debug=True)
    with pytest.raises(ValueError, match="determinism_check should be one of"):
        checkpoint(minidl.exp, x, use_reentrant=False, determinism_check="often")
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        checkpoint(minidl.exp, x)
    with pytest.raises(RuntimeError, match="none of output has requires_grad=True"):
        checkpoint(lambda x: x.detach(), x, use_reentrant=True).sum().backward()


@BOTH
def test_random_numbers_are_new_without_preserve_rng_state(reentrant):
    drawn = []

    def function(x):
        drawn.append(minidl.rand(4))
        return x * drawn[-1]

    x = minidl.ones(4, requires_grad=True)
    checkpoint(function, x, use_reentrant=reentrant, preserve_rng_state=False).sum().backward()
    assert not np.array_equal(drawn[0].numpy(), drawn[1].numpy())
