"""Module: attributes, traversal, hooks, state, conversion, containers, repr, calls with arrays."""

import copy
import gc
import pickle
import warnings
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import minidl
from minidl import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.second = nn.Sequential(nn.ReLU(), nn.Linear(4, 2, bias=False))
        self.register_buffer("scale", minidl.ones(1))
        self.register_buffer("seen", minidl.zeros(1), persistent=False)
        self.note = "plain"

    def forward(self, x, double=False):
        out = self.second(self.first(x)) * self.scale
        return out * 2 if double else out


# --- attributes --------------------------------------------------------------------------------------------------


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


def _early(make):
    class Early(nn.Module):
        def __init__(self):
            self.thing = make()

    return Early


LINEAR = nn.Linear(2, 3)
BAD = [
    (_early(lambda: nn.Linear(1, 1)), AttributeError, "cannot assign module before Module.__init__() call"),
    (
        _early(lambda: nn.Parameter(minidl.ones(1))),
        AttributeError,
        "cannot assign parameters before Module.__init__() call",
    ),
    (
        _early(lambda: nn.Buffer(minidl.ones(1))),
        AttributeError,
        "cannot assign buffer before Module.__init__() call",
    ),
    (lambda: setattr(LINEAR, "weight", 3), TypeError, "cannot assign 'int' as parameter 'weight'"),
    (
        lambda: setattr(LINEAR, "weight", minidl.ones(2)),
        TypeError,
        "cannot assign 'minidl.FloatTensor' as parameter 'weight' (minidl.nn.Parameter or None expected)",
    ),
    (lambda: setattr(Net(), "first", 3), TypeError, "cannot assign 'int' as child module 'first'"),
    (lambda: setattr(Net(), "scale", 3), TypeError, "cannot assign 'int' as buffer 'scale'"),
    (lambda: LINEAR.missing, AttributeError, "'Linear' object has no attribute 'missing'"),
    (
        lambda: nn.Module()(3),
        NotImplementedError,
        'Module [Module] is missing the required "forward" function',
    ),
    (lambda: nn.Module(3), TypeError, "takes 1 positional argument but 2 were given"),
    (lambda: LINEAR.register_parameter("w", minidl.ones(1)), TypeError, "object to parameter 'w'"),
    (lambda: LINEAR.register_parameter("w", LINEAR.weight * 2), TypeError, "object to parameter 'w'"),
    (lambda: LINEAR.register_parameter("a.b", None), KeyError, 'parameter name can\\\'t contain "."'),
    (lambda: LINEAR.register_parameter("", None), KeyError, "parameter name can\\'t be empty string"),
    (lambda: LINEAR.register_parameter("forward", None), KeyError, "attribute 'forward' already exists"),
    (lambda: LINEAR.register_parameter(3, None), TypeError, "parameter name should be a string. Got int"),
    (lambda: LINEAR.register_buffer("b", 3), TypeError, "cannot assign 'int' object to buffer 'b'"),
    (lambda: LINEAR.add_module("m", 3), TypeError, "int is not a Module subclass"),
    (lambda: LINEAR.get_submodule("a.b"), AttributeError, "Linear has no attribute `a`"),
    (lambda: LINEAR.get_submodule("in_features"), AttributeError, "`in_features` is not an nn.Module"),
    (lambda: LINEAR.get_parameter("in_features"), AttributeError, "`in_features` is not an nn.Parameter"),
    (lambda: LINEAR.get_buffer("weight"), AttributeError, "`weight` is not a buffer"),
    (lambda: LINEAR.train(3), ValueError, "training mode is expected to be boolean"),
    (lambda: LINEAR.to(minidl.int32), TypeError, "only accepts floating point or complex dtypes"),
    (lambda: LINEAR.to("int32"), RuntimeError, "'int32'"),
    (lambda: LINEAR.load_state_dict(3), TypeError, "Expected state_dict to be dict-like, got <class 'int'>."),
    (lambda: nn.Parameter([1.0]), TypeError, "must be Tensor, not list"),
    (lambda: nn.Parameter(minidl.tensor([1])), RuntimeError, "floating point"),
    (lambda: nn.Sequential(nn.ReLU())[5], IndexError, "index 5 is out of range"),
    (lambda: nn.Sequential(nn.ReLU())["a"], TypeError, "cannot be interpreted as an integer"),
    (lambda: nn.Sequential(3), TypeError, "int is not a Module subclass"),
    (lambda: nn.Sequential() + 3, ValueError, "add operator supports only objects of Sequential class"),
    (lambda: nn.Sequential() * 0, ValueError, "Non-positive multiplication factor 0"),
    (lambda: nn.Sequential() * "a", TypeError, "unsupported operand type(s) for *"),
    (lambda: nn.Sequential().insert(9, LINEAR), IndexError, "Index out of range: 9"),
    (lambda: nn.Sequential().insert(0, 3), AssertionError, "module should be of type"),
    (lambda: nn.ModuleList([1]), TypeError, "int is not a Module subclass"),
    (lambda: nn.ModuleList().extend(3), TypeError, "should be called with an iterable, but got int"),
    (lambda: nn.ModuleDict([1]), TypeError, "element #0 should be Iterable"),
    (lambda: nn.ModuleDict([(1, 2, 3)]), ValueError, "element #0 has length 3; 2 is required"),
    (lambda: nn.ModuleDict(3), TypeError, "iterable of key/value pairs, but got int"),
    (lambda: nn.ModuleDict({"pop": LINEAR}), KeyError, "attribute 'pop' already exists"),
    (lambda: nn.ModuleDict()["b"], KeyError, "b"),
    (lambda: nn.ParameterDict({3: minidl.ones(1)}), TypeError, "it is not a string"),
    (lambda: nn.ParameterList()(), RuntimeError, "ParameterList should not be called."),
    (lambda: nn.Unflatten(1, 3), TypeError, "unflattened_size must be a tuple of ints"),
    (lambda: nn.Unflatten(1, ("a", 3)), TypeError, "element of type str at pos 0"),
    (lambda: nn.Bilinear(0, 3, 1), ValueError, "in1_features must be > 0"),
    (lambda: nn.Hardtanh(1, 0), ValueError, "max_val (0) must be greater than min_val (1)"),
    (lambda: nn.CELU(0.0)(minidl.ones(1)), RuntimeError, "alpha cannot be 0 for CELU"),
    (
        lambda: nn.GELU("foo")(minidl.ones(1)),
        RuntimeError,
        "approximate argument must be either none or tanh",
    ),
    (
        lambda: nn.GLU()(minidl.ones(3)),
        RuntimeError,
        "Halving dimension must be even, but dimension 0 is size 3",
    ),
    (
        lambda: nn.PReLU(3)(minidl.ones(2, 2)),
        RuntimeError,
        "Found parameter numbers = 3 and channel size = 2",
    ),
    (lambda: nn.Softshrink(-1.0)(minidl.ones(1)), RuntimeError, "lambda must be"),
    (lambda: nn.SiLU()(minidl.tensor([1])), NotImplementedError, "\"silu_cpu\" not implemented for 'Long'"),
    (
        lambda: LINEAR(minidl.ones(4, 5)),
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (4x5 and 2x3)",
    ),
    (lambda: LINEAR(minidl.ones(4, 5)), RuntimeError, "Linear(in_features=2, out_features=3, bias=True)"),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD, ids=[text[:50] for _, _, text in BAD])
def test_bad_use(call, error, text):
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)


def test_a_computed_tensor_is_no_parameter():
    computed = nn.Parameter(minidl.ones(1))
    computed._edge = (computed * 2)._edge
    with pytest.raises(ValueError, match="Cannot assign non-leaf Tensor to parameter 'w'"):
        LINEAR.register_parameter("w", computed)


# --- traversal ---------------------------------------------------------------------------------------------------


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


# --- calls -------------------------------------------------------------------------------------------------------


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


# --- hooks -------------------------------------------------------------------------------------------------------


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


# --- state -------------------------------------------------------------------------------------------------------


def test_loading_lists_every_misfit_at_once():
    net = Net()
    bad = {
        "first.weight": minidl.ones(2, 2),
        "first.bias": 3,
        "odd": minidl.ones(1),
        "second.x.y": minidl.ones(1),
    }
    with pytest.raises(RuntimeError) as raised:
        net.load_state_dict(bad)
    assert str(raised.value) == (
        "Error(s) in loading state_dict for Net:\n"
        '\tMissing key(s) in state_dict: "scale", "second.1.weight". \n'
        '\tUnexpected key(s) in state_dict: "odd", "second.x.y". \n'
        "\tsize mismatch for first.weight: copying a param with shape torch.Size([2, 2]) from checkpoint, "
        "the shape in current model is torch.Size([4, 3]).\n"
        '\tWhile copying the parameter named "first.bias", expected minidl.Tensor or Tensor-like object '
        "from checkpoint but received <class 'int'>"
    )


def test_loose_loading_reports_and_takes_what_fits():
    net, weight = Net(), minidl.ones(4, 3)
    found = net.load_state_dict({"first.weight": weight, "odd": weight}, strict=False)
    assert found.missing_keys == ["scale", "first.bias", "second.1.weight"]
    assert found.unexpected_keys == ["odd"]
    assert net.first.weight.sum().item() == 12
    assert repr(net.load_state_dict(net.state_dict())) == "<All keys matched successfully>"


def test_loading_casts_copies_and_takes_arrays():
    layer = nn.Linear(2, 1)
    weight = np.array([[1.0, 2.0]])
    parameter = layer.weight
    layer.load_state_dict({"weight": weight, "bias": np.zeros(1)})
    weight[...] = 9
    assert layer.weight is parameter
    assert layer.weight.tolist() == [[1.0, 2.0]]
    assert layer.weight.dtype is minidl.float32


def test_loading_is_seen_by_version_checks():
    layer = nn.Linear(2, 1)
    loss = (layer.weight**2).sum()
    layer.load_state_dict(layer.state_dict())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_assigning_takes_the_tensors_themselves():
    layer = nn.Linear(2, 1)
    weight = minidl.ones(1, 2, dtype=minidl.float64)
    layer.load_state_dict({"weight": weight, "bias": minidl.zeros(1)}, assign=True)
    assert layer.weight.dtype is minidl.float64
    assert layer.weight.requires_grad
    assert layer.weight.data_ptr() == weight.data_ptr()


def test_extra_state():
    class Counting(nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    module, other = Counting(), Counting()
    module.count = 3
    saved = nn.Sequential(module).state_dict()
    assert list(saved) == ["0._extra_state"]
    nn.Sequential(other).load_state_dict(saved)
    assert other.count == 3
    assert nn.Sequential(other).load_state_dict({}, strict=False).missing_keys == ["0._extra_state"]
    with pytest.raises(RuntimeError, match="Unexpected key"):
        nn.ReLU().load_state_dict({"_extra_state": 1})


@pytest.mark.parametrize(
    "way", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
def test_copies_are_whole_and_apart(way):
    net = Net()
    net.tied = net.first
    twin = way(net)
    assert twin.tied is twin.first
    assert isinstance(twin.first.weight, nn.Parameter)
    x = minidl.ones(1, 3)
    assert twin(x).tolist() == net(x).tolist()
    with minidl.no_grad():
        twin.first.weight.fill_(0.0)
    assert net.first.weight.abs().sum().item() > 0
    assert repr(twin) == repr(net)


# --- conversion --------------------------------------------------------------------------------------------------


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


# --- containers --------------------------------------------------------------------------------------------------


def test_sequential_as_a_list():
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    net = nn.Sequential(a, b)
    assert net.append(c) is net
    assert list(net) == [a, b, c]
    assert net[-1] is c
    assert list(net[1:]) == [b, c]
    assert list(net + nn.Sequential(a)) == [a, b, c, a]
    net.insert(1, c)
    assert list(net) == [a, c, b, c]
    assert net.pop(1) is c
    del net[0]
    assert list(net._modules) == ["0", "1"]
    net[0] = a
    assert list(net) == [a, c]
    assert len(net * 3) == 6
    net *= 2
    net += nn.Sequential(b)
    assert list(net) == [a, c, a, c, b]
    del net[1:]
    assert list(net) == [a]
    named = nn.Sequential(OrderedDict(x=a, y=b))
    assert named.x is a
    assert list(named[1:]._modules) == ["y"]


def test_module_list_and_dict():
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    layers = nn.ModuleList([a])
    layers.extend([b]).append(c)
    layers += [a]
    layers.insert(0, c)
    assert list(layers) == [c, a, b, c, a]
    assert list(layers[1:3]) == [a, b]
    assert list(layers + [b])[-1] is b
    layers[0] = b
    del layers[-1]
    assert [layers.pop(-1), len(layers)] == [c, 3]
    table = nn.ModuleDict({"a": a, "b": b})
    table.update([("c", c), ("a", b)])
    assert list(table.items()) == [("a", b), ("b", b), ("c", c)]
    assert "c" in table
    assert table.pop("c") is c
    del table["a"]
    assert list(table) == ["b"]
    table.clear()
    assert len(table) == 0


def test_parameter_list_and_dict():
    values = nn.ParameterList([minidl.ones(2), 3])
    values.append(minidl.zeros(1)).extend([nn.Parameter(minidl.ones(1))])
    assert len(values) == 4
    assert [name for name, _ in values.named_parameters()] == ["0", "2", "3"]
    assert values[1] == 3
    assert values.pop(0).tolist() == [1.0, 1.0]
    assert len(values[1:]) == 2
    values[0] = minidl.ones(5)
    assert isinstance(values[0], nn.Parameter)
    table = nn.ParameterDict({"a": minidl.ones(1)})
    table["b"] = minidl.ones(2)
    assert list(table.keys()) == ["a", "b"]
    assert table.get("z", 3) == 3
    assert table.setdefault("c", 4) == 4
    assert list((table | {"d": 1}).keys()) == ["a", "b", "c", "d"]
    assert table.pop("c") == 4
    assert table.popitem()[0] == "b"
    assert [name for name, _ in table.named_parameters()] == ["a"]
    table.clear()
    assert len(table) == 0


def test_repr_of_parameter_containers():
    text = repr(nn.ParameterList([minidl.ones(2), nn.Parameter(minidl.ones(2, 3)), 3]))
    assert text == (
        "ParameterList(\n    (0): Parameter containing: [minidl.float32 of size 2]\n"
        "    (1): Parameter containing: [minidl.float32 of size 2x3]\n    (2): Object of type: int\n)"
    )
    assert repr(nn.ParameterDict({"a": minidl.ones(2)})) == (
        "ParameterDict(\n    (a): Parameter containing: [minidl.FloatTensor of size 2]\n)"
    )
    assert repr(nn.Parameter(minidl.ones(2))) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"


def test_in_place_layers_write_their_input():
    for layer in (
        nn.ReLU(True),
        nn.LeakyReLU(inplace=True),
        nn.Threshold(0.0, 0.0, True),
        nn.Hardtanh(inplace=True),
    ):
        x = minidl.tensor([-1.0, 0.5])
        assert layer(x) is x
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        nn.ReLU(inplace=True)(minidl.ones(2, requires_grad=True))


# --- utilities ---------------------------------------------------------------------------------------------------


def test_parameters_as_one_vector():
    net = nn.Linear(2, 2)
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (6,)
    nn.utils.vector_to_parameters(minidl.arange(6.0), net.parameters())
    assert net.weight.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    with pytest.raises(TypeError, match="got: int"):
        nn.utils.vector_to_parameters(3, net.parameters())
    for size in (5, 7):
        with pytest.raises(ValueError, match=f"{size} elements, the parameters have 6"):
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
