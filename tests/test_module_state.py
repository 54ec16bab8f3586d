"""state_dict and load_state_dict, copies of modules."""

import copy
import pickle

import numpy as np
import pytest
from networks import Net

import minidl
from minidl import nn


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


def test_a_layer_can_mend_the_state_of_an_older_pickle():
    class Renamed(nn.Linear):
        def __setstate__(self, state):
            state.setdefault("scale", 2.0)
            super().__setstate__(state)

    state = {name: value for name, value in vars(Renamed(2, 1)).items() if "hooks" not in name}
    twin = Renamed.__new__(Renamed)
    twin.__setstate__(state)
    assert twin.scale == 2.0 and twin(minidl.ones(1, 2)).shape == (1, 1)
    assert copy.deepcopy(Renamed(2, 1)).scale == 2.0


def test_a_deep_copy_begins_without_gradients():
    layer = nn.Linear(2, 1)
    layer(minidl.ones(1, 2)).sum().backward()
    assert copy.deepcopy(layer).weight.grad is None and layer.weight.grad is not None
