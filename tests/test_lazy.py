"""Lazy layers: without shapes until the first input, the ordinary layer from then on."""

import copy
import pickle

import numpy as np
import pytest

import minidl
from minidl import nn
from minidl.nn.lazy import LazyModuleMixin

# (lazy layer, its arguments, the ordinary one's arguments, the shape of an input)
LAZY = {
    "Linear": ((4,), (3, 4), (2, 3)),
    "Conv1d": ((4, 3), (2, 4, 3), (1, 2, 8)),
    "Conv2d": ((4, 3, 2, 1), (2, 4, 3, 2, 1), (2, 8, 8)),
    "Conv3d": ((4, 2), (2, 4, 2), (1, 2, 3, 3, 3)),
    "ConvTranspose1d": ((4, 3), (2, 4, 3), (1, 2, 8)),
    "ConvTranspose2d": ((4, 3, 2, 1), (2, 4, 3, 2, 1), (2, 8, 8)),
    "ConvTranspose3d": ((4, 2), (2, 4, 2), (1, 2, 3, 3, 3)),
    "BatchNorm1d": ((), (3,), (4, 3)),
    "BatchNorm2d": ((0.1, 0.2), (3, 0.1, 0.2), (2, 3, 2, 2)),
    "BatchNorm3d": ((), (3,), (2, 3, 2, 2, 2)),
    "InstanceNorm1d": ((), (3, 1e-5, 0.1, True, True), (2, 3, 4)),
    "InstanceNorm2d": ((0.1, 0.2), (3, 0.1, 0.2, True, True), (2, 3, 2, 2)),
    "InstanceNorm3d": ((), (3, 1e-5, 0.1, True, True), (2, 3, 2, 2, 2)),
}
layers = pytest.mark.parametrize("name", LAZY)


def lazy(name, **kwargs):
    return getattr(nn, f"Lazy{name}")(*LAZY[name][0], **kwargs)


def ordinary(name):
    return getattr(nn, name)(*LAZY[name][1])


def an_input(name):
    return minidl.tensor(np.random.default_rng(0).standard_normal(LAZY[name][2]).astype("float32"))


@layers
def test_the_first_input_makes_it_the_ordinary_layer(name):
    layer, other = lazy(name), ordinary(name)
    assert layer.has_uninitialized_params()
    held = list(layer.parameters())
    layer(an_input(name))
    assert type(layer) is type(other) and repr(layer) == repr(other)
    assert all(a is b for a, b in zip(held, layer.parameters(), strict=True))
    assert vars(layer).keys() == vars(other).keys()
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(
        layer.eval()(an_input(name)).detach().numpy(), other.eval()(an_input(name)).detach().numpy()
    )


@layers
def test_it_draws_what_the_ordinary_layer_draws(name):
    minidl.manual_seed(3)
    layer = lazy(name)
    layer(an_input(name))
    minidl.manual_seed(3)
    for a, b in zip(layer.parameters(), ordinary(name).parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@layers
def test_it_takes_the_shapes_of_a_state_dict(name):
    layer, other = lazy(name), ordinary(name)
    assert str(layer.load_state_dict(other.state_dict())) == "<All keys matched successfully>"
    assert not layer.has_uninitialized_params()
    for a, b in zip(layer.state_dict().values(), other.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    layer(an_input(name))
    assert type(layer) is type(other) and repr(layer) == repr(other)


@layers
def test_a_copy_a_pickle_and_a_cast_stay_lazy(name):
    for layer in (copy.deepcopy(lazy(name)), pickle.loads(pickle.dumps(lazy(name))), lazy(name)):
        assert layer.double().has_uninitialized_params()
        out = layer(an_input(name).double())
        assert out.dtype is minidl.float64
        assert all(p.dtype is minidl.float64 and p.requires_grad for p in layer.parameters())


def test_two_lazy_layers_exchange_state():
    state = nn.LazyLinear(2).state_dict()
    assert repr(state["weight"]) == "<UninitializedParameter>"
    nn.LazyLinear(2).load_state_dict(state)
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
        nn.Linear(1, 2).load_state_dict(state)


def test_an_optimizer_made_before_the_first_input_trains():
    net = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d(), nn.LazyLinear(1))
    optimizer = minidl.optim.Adam(net.parameters(), lr=0.1)
    x = minidl.tensor(np.random.default_rng(0).standard_normal((8, 2)).astype("float32"))
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = (net(x) - x[:, :1]).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_no_operation_takes_a_parameter_without_a_shape():
    weight = nn.LazyLinear(2).weight
    for use in (
        lambda: weight + 1, lambda: weight.sum(), lambda: weight.numel(), lambda: len(weight), lambda: weight.ndim,
        lambda: minidl.stack([weight]), lambda: nn.init.ones_(weight), lambda: weight.detach(),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            use()
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        _ = weight.shape
    assert weight.dtype is minidl.float32 and weight.is_leaf and weight.requires_grad and weight.grad is None


def test_wrong_first_inputs():
    with pytest.raises(
        RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\) input to LazyConv2d"
    ):
        nn.LazyConv2d(2, 1)(minidl.ones(2, 2))
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        nn.LazyConv2d(4, 1, groups=2)(minidl.ones(3, 2, 2))
    with pytest.raises(ValueError, match="expected 4D input"):
        nn.LazyBatchNorm2d()(minidl.ones(2, 3))


def test_an_instance_norm_counts_the_channels_of_one_sample_too():
    layer = nn.LazyInstanceNorm2d()
    assert layer(minidl.ones(3, 4, 5)).shape == (3, 4, 5) and layer.num_features == 3


def test_options_without_parameters():
    assert nn.LazyLinear(2, bias=False).bias is None
    assert nn.LazyConv1d(2, 1, bias=False).bias is None
    plain = nn.LazyBatchNorm1d(affine=False, track_running_stats=False)
    plain(minidl.ones(2, 3))
    assert not plain.state_dict() and plain.num_features == 3
    assert nn.LazyBatchNorm1d(bias=False).bias is None


class Half(LazyModuleMixin, nn.Linear):
    def __init__(self):
        super().__init__(0, 0, False)
        self.weight = nn.UninitializedParameter()

    def initialize_parameters(self, input):
        if self.has_uninitialized_params() and input.shape[-1] > 1:
            self.weight.materialize((1, input.shape[-1]))
            nn.init.ones_(self.weight)


def test_a_lazy_layer_of_ones_own():
    layer = Half()
    with pytest.raises(RuntimeError, match="module Half has not been fully initialized"):
        layer(minidl.ones(2, 1))
    for _ in range(2):
        assert layer(minidl.ones(2, 4)).tolist() == [[4.0], [4.0]]
    assert type(layer) is Half
