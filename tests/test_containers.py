"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict; layers that work in place."""

from collections import OrderedDict

import pytest

import minidl
from minidl import nn


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
