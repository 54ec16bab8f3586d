"""nn.init, gains, random spreads and collation beside PyTorch's."""

import collections
import inspect
import warnings

import numpy as np
import pytest
import torch

import minidl
from minidl import nn
from minidl.utils import data

FILLS = {
    "uniform_": {"a": -1.0, "b": 3.0},
    "normal_": {"mean": 1.0, "std": 2.0},
    "trunc_normal_": {"mean": 0.5, "std": 1.5},
    "xavier_uniform_": {"gain": 2.0},
    "xavier_normal_": {"gain": 0.5},
    "kaiming_uniform_": {"a": 5**0.5},
    "kaiming_normal_": {"mode": "fan_out", "nonlinearity": "relu"},
    "orthogonal_": {"gain": 2.0},
    "sparse_": {"sparsity": 0.3},
}
EXACT = {"constant_": {"val": 0.3}, "ones_": {}, "zeros_": {}}


@pytest.mark.parametrize("name", [*FILLS, *EXACT, "eye_", "dirac_"])
def test_arguments_and_defaults_are_the_same(name):
    ours, theirs = (inspect.signature(getattr(room.init, name)).parameters for room in (nn, torch.nn))
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


@pytest.mark.parametrize("shape", [(400, 300), (120, 60, 3, 3)])
@pytest.mark.parametrize("name", FILLS)
def test_spreads_are_the_same(name, shape):
    if name == "sparse_" and len(shape) != 2:
        pytest.skip("sparse_ takes matrices")
    torch.manual_seed(0)
    ours = getattr(nn.init, name)(minidl.empty(*shape, dtype=minidl.float64), **FILLS[name]).numpy().ravel()
    theirs = (
        getattr(torch.nn.init, name)(torch.empty(*shape, dtype=torch.float64), **FILLS[name]).numpy().ravel()
    )
    spread = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 0.02 * spread
    assert abs(ours.std() - spread) < 0.02 * spread
    quantiles = np.linspace(0.02, 0.98, 25)
    np.testing.assert_allclose(
        np.quantile(ours, quantiles), np.quantile(theirs, quantiles), atol=0.04 * spread
    )


def test_exact_fills_are_the_same():
    for name, options in EXACT.items():
        ours = getattr(nn.init, name)(minidl.empty(2, 3), **options).numpy()
        np.testing.assert_array_equal(
            ours, getattr(torch.nn.init, name)(torch.empty(2, 3), **options).numpy()
        )
    for shape, groups in [((4, 2, 3), 1), ((4, 2, 3, 4), 2), ((6, 3, 2, 2, 2), 3), ((2, 5, 1), 1)]:
        ours = nn.init.dirac_(minidl.empty(*shape), groups).numpy()
        np.testing.assert_array_equal(ours, torch.nn.init.dirac_(torch.empty(*shape), groups).numpy())


@pytest.mark.parametrize("name", ["linear", "conv1d", "conv_transpose3d", "sigmoid", "tanh", "relu", "selu"])
def test_gains_are_the_same(name):
    assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_random_integers_of_floats_have_the_same_limits(name):
    torch.manual_seed(0)
    ours = minidl.empty(50_000, dtype=getattr(minidl, name)).random_().double().max().item()
    theirs = torch.empty(50_000, dtype=getattr(torch, name)).random_().double().max().item()
    assert abs(ours / theirs - 1) < 0.02


Point = collections.namedtuple("Point", "x y")
BATCHES = [
    [1, 2],
    [True, False],
    [1.5, 2.5],
    ["a", "b"],
    [np.float32(1), np.float32(2)],
    [np.arange(3), np.arange(3)],
    [(1, "a"), (2, "b")],
    [[1, 2.0], [3, 4.0]],
    [{"a": 1, "b": [np.zeros(2)]}, {"a": 2, "b": [np.ones(2)]}],
    [Point(1, 2.0), Point(3, 4.0)],
]


def plain(value):
    """Tensors of either library as (dtype name, list), everywhere in ``value``, and the types around them."""
    if isinstance(value, (minidl.Tensor, torch.Tensor)):
        return str(value.dtype).partition(".")[2], value.tolist()
    if isinstance(value, dict):
        return type(value), {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [plain(item) for item in value]
    return value


@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_collation_is_the_same(batch):
    for name in ("default_collate", "default_convert"):
        ours, theirs = (getattr(room, name)(batch) for room in (data, torch.utils.data))
        assert plain(ours) == plain(theirs)


def test_loaders_take_the_same_arguments():
    ours, theirs = (inspect.signature(room.DataLoader).parameters for room in (data, torch.utils.data))
    assert set(theirs) - set(ours) == set()
    for name, parameter in theirs.items():
        assert ours[name].default == parameter.default, name
        assert ours[name].kind == parameter.kind, name


@pytest.mark.parametrize(
    "options", [{"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}]
)
def test_loaders_give_the_same_batches(options):
    def batches(library, room):
        dataset = room.TensorDataset(library.arange(7), library.ones(7, 2))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return [plain(batch) for batch in room.DataLoader(dataset, **options)]

    assert batches(minidl, data) == batches(torch, torch.utils.data)
