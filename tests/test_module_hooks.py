"""Hooks around forward, backward and state."""

import numpy as np
import pytest
from networks import Net

import minidl
from minidl import nn


def test_forward_hooks_change_arguments_and_output():
    layer, x = nn.ReLU(), minidl.tensor([-1.0, 2.0])
    handles = [
        layer.register_forward_pre_hook(lambda module, args: args[0] + 1),
        layer.register_forward_hook(lambda module, args, output: output * 10),
        layer.register_forward_hook(lambda module, args, output: output + 1),
        layer.register_forward_hook(lambda module, args, output: output - 0.5, prepend=True),
    ]
    assert layer(x).tolist() == [-4.0, 26.0]
    for handle in handles:
        handle.remove()
    assert layer(x).tolist() == [0.0, 2.0]


def test_hooks_with_kwargs():
    net, seen = Net(), []
    net.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {**kwargs, "double": True}), with_kwargs=True
    )
    net.register_forward_hook(lambda m, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
    x = minidl.ones(1, 3)
    np.testing.assert_allclose(net(x).detach().numpy(), 2 * net.second(net.first(x)).detach().numpy())
    assert seen == [{"double": True}]
    net.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match="must return None or a tuple of"):
        net(x)


def test_always_called_hooks_see_failures():
    layer, seen = nn.Linear(2, 2), []
    layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(RuntimeError):
        layer(minidl.ones(1, 3))
    assert seen == [None]
    layer(minidl.ones(1, 2))
    assert len(seen) == 2


def test_backward_hooks_see_and_change_gradients():
    layer, seen = nn.Linear(2, 3), []
    x = minidl.ones(4, 2, requires_grad=True)
    pre = layer.register_full_backward_pre_hook(lambda m, grad_output: (grad_output[0] * 2,))
    hook = layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)) or (gi[0] * 10,))
    layer(x).sum().backward()
    (((grad_input,), (grad_output,)),) = seen
    np.testing.assert_allclose(grad_output.numpy(), np.full((4, 3), 2.0))
    wanted = np.tile(2 * layer.weight.detach().numpy().sum(0), (4, 1))
    np.testing.assert_allclose(grad_input.numpy(), wanted, rtol=1e-6)
    np.testing.assert_allclose(x.grad.numpy(), 10 * wanted, rtol=1e-6)
    np.testing.assert_allclose(layer.bias.grad.numpy(), np.full(3, 8.0))
    pre.remove()
    hook.remove()
    layer(x)
    assert len(seen) == 1


def test_backward_hooks_without_input_gradient_and_under_create_graph():
    layer, seen = nn.Linear(2, 3), []
    handle = layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    layer(minidl.ones(4, 2)).sum().backward()
    assert seen[0][0] == (None,)
    seen.clear()
    x = minidl.ones(4, 2, requires_grad=True)
    (g,) = minidl.autograd.grad((layer(x) ** 2).sum(), x, create_graph=True)
    g.sum().backward()
    assert len(seen) >= 1
    assert x.grad is not None
    with minidl.no_grad():
        layer(x)
    handle.remove()
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        layer(x).sum().backward()


def test_state_dict_hooks():
    net, seen = Net(), []
    net.register_state_dict_pre_hook(lambda module, prefix, keep_vars: seen.append("pre"))
    net.register_state_dict_post_hook(
        lambda module, state, prefix, meta: seen.append(state.pop("scale").item())
    )
    net.register_load_state_dict_pre_hook(lambda module, state, *rest: state.update(scale=minidl.zeros(1)))
    net.register_load_state_dict_post_hook(lambda module, keys: seen.append(keys.missing_keys.clear()))
    saved = net.state_dict()
    assert "scale" not in saved
    net.load_state_dict(saved)
    assert net.scale.item() == 0
    assert seen == ["pre", 1, None]
    net.register_state_dict_post_hook(lambda module, state, prefix, meta: state)
    with pytest.raises(RuntimeError, match="post-hook must return None"):
        net.state_dict()
