"""Module: attributes, traversal, calls with arrays, conversion, utilities."""

import gc
import warnings
import weakref

import numpy as np
import pytest
from networks import Net

import minidl
from minidl import nn


def test_attributes_find_their_place():
    net = Net()
    assert list(net._parameters) == []
    assert list(net._modules) == ["first", "second"]
    assert list(net._buffers) == ["scale", "seen"]
    net.extra = nn.Parameter(minidl.ones(2))
    net.kept = nn.Buffer(minidl.ones(2))
    net.dropped = nn.Buffer(minidl.ones(2), persistent=False)
    assert "extra" in dict(net.named_parameters())
    assert list(net.state_dict())[:3] == ["extra", "scale", "kept"]
    net.extra = None
    assert net.extra is None
    assert "extra" not in net.state_dict()
    net.scale = minidl.zeros(1)
    assert net.state_dict()["scale"].item() == 0
    del net.scale, net.first, net.note
    assert not hasattr(net, "scale")
    assert not hasattr(net, "first")
    assert not hasattr(net, "note")
    assert {"second", "extra", "forward", "training"} <= set(dir(net))


def test_an_attribute_may_change_its_kind():
    net = nn.Module()
    net.thing = 3
    net.thing = nn.Linear(1, 1)
    assert "thing" not in vars(net)
    net.thing = nn.Parameter(minidl.ones(1))
    assert list(net._modules) == []
    net.register_buffer("b", minidl.ones(1), persistent=False)
    net.b = nn.Parameter(minidl.ones(1))
    assert list(net.state_dict()) == ["thing", "b"]


def test_containers_hide_numbers_in_dir():
    assert "0" not in dir(nn.Sequential(nn.ReLU()))


def test_a_computed_tensor_is_no_parameter():
    computed = nn.Parameter(minidl.ones(1))
    computed._edge = (computed * 2)._edge
    with pytest.raises(ValueError, match="Cannot assign non-leaf Tensor to parameter 'w'"):
        nn.Linear(2, 3).register_parameter("w", computed)


def test_traversal():
    net = Net()
    assert [name for name, _ in net.named_modules()] == ["", "first", "second", "second.0", "second.1"]
    assert [name for name, _ in net.named_parameters()] == ["first.weight", "first.bias", "second.1.weight"]
    assert [name for name, _ in net.named_parameters("net", recurse=False)] == []
    assert [name for name, _ in net.named_buffers()] == ["scale", "seen"]
    assert [name for name, _ in net.named_children()] == ["first", "second"]
    assert len(list(net.modules())) == 5
    assert net.get_submodule("second.1") is net.second[1]
    assert net.get_submodule("") is net
    assert net.get_parameter("first.weight") is net.first.weight
    assert net.get_buffer("scale") is net.scale
    net.set_submodule("second.0", nn.Tanh())
    assert isinstance(net.second[0], nn.Tanh)
    with pytest.raises(AttributeError):
        net.set_submodule("second.9", nn.Tanh(), strict=True)


def test_shared_members_count_once_unless_asked():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, layer)
    assert len(list(net.parameters())) == 2
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert len(list(net.named_modules(remove_duplicate=False))) == 3
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_apply_train_and_requires_grad():
    net, order = Net(), []
    assert net.apply(lambda module: order.append(type(module).__name__)) is net
    assert order == ["Linear", "ReLU", "Linear", "Sequential", "Net"]
    net.eval()
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())
    net.requires_grad_(False)
    assert not net(minidl.ones(1, 3)).requires_grad


def test_array_likes_become_tensors_that_fit():
    net = Net()
    x = np.ones((2, 3))
    wanted = net(minidl.tensor(x, dtype=minidl.float32))
    for given in (x, x.astype(np.float32)):
        np.testing.assert_array_equal(net(given).detach().numpy(), wanted.detach().numpy())
    assert net(x, double=True).dtype is minidl.float32
    assert net(x=x).dtype is minidl.float32
    assert net.double()(x).dtype is minidl.float64
    assert nn.Identity()(np.arange(3)).dtype is minidl.int64
    assert nn.Identity()([1, 2]) == [1, 2]


def test_a_call_leaves_no_cycle():
    gc.collect()
    gc.disable()
    try:
        net = Net()
        out = net(minidl.ones(1, 3)).sum()
        out.backward()
        dead = [weakref.ref(net), weakref.ref(net.first.weight), weakref.ref(out)]
        del net, out
        assert [ref() for ref in dead] == [None] * 3
    finally:
        gc.enable()


def test_conversion_keeps_parameters_and_casts_gradients():
    net = Net()
    net.register_buffer("count", minidl.tensor([3]))
    net(minidl.ones(1, 3)).sum().backward()
    weight = net.first.weight
    assert net.double() is net
    assert net.first.weight is weight
    assert (weight.dtype, weight.grad.dtype, net.scale.dtype) == (minidl.float64,) * 3
    assert net.count.dtype is minidl.int64
    net.to("cpu", minidl.float32).half()
    assert weight.dtype is minidl.float16
    net.to(minidl.ones(1, dtype=minidl.float64))
    assert weight.dtype is minidl.float64
    net.float().cpu()
    net(minidl.ones(1, 3)).sum().backward()


def test_zero_grad():
    net = Net()
    net(minidl.ones(1, 3)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.first.bias.grad.tolist() == [0.0] * 4
    net.zero_grad()
    assert net.first.bias.grad is None


def test_parameters_as_one_vector():
    net = nn.Linear(2, 2)
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (6,)
    nn.utils.vector_to_parameters(minidl.arange(6.0), net.parameters())
    assert net.weight.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    with pytest.raises(TypeError, match="got: int"):
        nn.utils.vector_to_parameters(3, net.parameters())
    for size in (5, 7):
        with pytest.raises(RuntimeError, match=f"{size} elements, the parameters have 6"):
            nn.utils.vector_to_parameters(minidl.ones(size), net.parameters())


def test_clipping():
    p = nn.Parameter(minidl.ones(2))
    assert nn.utils.clip_grad_norm_([p], 1.0).item() == 0
    p.grad = minidl.tensor([np.inf, 1.0])
    with pytest.raises(RuntimeError, match="non-finite, so it cannot be clipped"):
        nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)
    p.grad = minidl.tensor([3.0, 4.0])
    assert nn.utils.clip_grad_norm_(p, 100.0).item() == 5
    assert p.grad.tolist() == [3.0, 4.0]
    assert nn.utils.clip_grad_norm_(iter([p]), 1.0).item() == 5
    np.testing.assert_allclose(p.grad.numpy(), [0.6, 0.8], rtol=1e-5)


def test_names_of_layers_are_found_by_their_place():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert {"Linear", "Sequential", "Parameter", "ReLU"} <= set(nn.__all__)
    assert nn.functional.relu is minidl.relu
    assert "relu" not in nn.__all__
