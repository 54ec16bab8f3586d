"""Weight and spectral normalisation, fusion with batch norm, skip_init: beside PyTorch, from the same weights."""

import warnings

import driving
import numpy as np
import pytest
import torch

import minidl
from minidl import nn
from minidl.autograd.tensor import leaf

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")

LAYERS = {
    "Linear": ((3, 4), (5, 3)),
    "Conv1d": ((2, 3, 2), (2, 2, 5)),
    "Conv2d": ((2, 3, 2), (2, 2, 4, 4)),
    "ConvTranspose2d": ((2, 3, 2), (2, 2, 3, 3)),
}
layers = pytest.mark.parametrize("name", LAYERS)


def agree(found, expected, label=""):
    assert tuple(found.shape) == tuple(expected.shape), label
    driving.assert_near(driving.host(found), expected.detach().numpy(), 1e-9, 1e-9, label)


def copy_state(ours, theirs):
    ours.load_state_dict({key: leaf(value.numpy().copy()) for key, value in theirs.state_dict().items()})


def twins(name, wrap):
    """Our layer and PyTorch's, wrapped by ``wrap(layer, utils)`` and with the same weights; and an input of both."""
    args, shape = LAYERS[name]
    ours = wrap(getattr(nn, name)(*args).double(), nn.utils)
    theirs = wrap(getattr(torch.nn, name)(*args).double(), torch.nn.utils)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    copy_state(ours, theirs)
    x = np.random.default_rng(0).standard_normal(shape)
    return ours, theirs, leaf(x, requires_grad=True), torch.tensor(x, requires_grad=True)


def step(ours, theirs, x, y):
    """One forward and backward of both: outputs, gradients of parameters and inputs, and buffers agree."""
    found, expected = ours(x), theirs(y)
    agree(found, expected)
    weight = np.random.default_rng(1).standard_normal(tuple(expected.shape))
    (found * leaf(weight)).sum().backward()
    (expected * torch.tensor(weight)).sum().backward()
    agree(x.grad, y.grad, "input")
    theirs_by_name = dict(theirs.named_parameters())
    for key, parameter in ours.named_parameters():
        agree(parameter.grad, theirs_by_name[key].grad, key)
    for key, buffer in ours.named_buffers():
        agree(buffer, dict(theirs.named_buffers())[key], key)


@layers
@pytest.mark.parametrize("dim", [0, 1, None, -2])
def test_weight_norm(name, dim):
    ours, theirs, x, y = twins(name, lambda layer, utils: utils.weight_norm(layer, dim=dim))
    for _ in range(2):
        step(ours, theirs, x, y)
    agree(ours.weight, theirs.weight)
    before = nn.utils.remove_weight_norm(ours).state_dict()
    torch.nn.utils.remove_weight_norm(theirs)
    assert list(before) == list(theirs.state_dict())
    agree(ours(x), theirs(y))
    assert isinstance(ours.weight, nn.Parameter)


def test_weight_norm_of_several_parameters_of_a_recurrent_layer():
    results = []
    x = np.random.default_rng(0).standard_normal((3, 2, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torch.nn.utils.weight_norm(torch.nn.GRU(4, 3).double(), "weight_hh_l0")
    ours = nn.utils.weight_norm(nn.GRU(4, 3).double(), "weight_hh_l0")
    copy_state(ours, theirs)
    for layer, made in ((ours, leaf), (theirs, torch.tensor)):
        output, _ = layer(made(x))
        output.sum().backward()
        results.append([output, layer.weight_hh_l0_g.grad, layer.weight_hh_l0_v.grad])
    for a, b in zip(*results, strict=True):
        agree(a, b)


@layers
@pytest.mark.parametrize("iterations", [1, 3])
def test_spectral_norm(name, iterations):
    ours, theirs, x, y = twins(
        name, lambda layer, utils: utils.spectral_norm(layer, n_power_iterations=iterations)
    )
    for _ in range(3):
        step(ours, theirs, x, y)
    ours.eval(), theirs.eval()
    step(ours, theirs, x, y)
    nn.utils.remove_spectral_norm(ours)
    torch.nn.utils.remove_spectral_norm(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    agree(ours(x), theirs(y))


def test_the_spectral_norm_becomes_one():
    layer = nn.utils.spectral_norm(nn.Linear(6, 4).double(), n_power_iterations=100)
    layer(minidl.ones(1, 6, dtype=minidl.float64))
    assert np.linalg.norm(layer.weight.detach().numpy(), 2) == pytest.approx(1, abs=1e-6)


def batch_norm(lib, features, one_dim, **options):
    rng = np.random.default_rng(2)
    made = leaf if lib is minidl else torch.tensor
    bn = getattr(lib.nn, "BatchNorm1d" if one_dim else "BatchNorm2d")(features, **options).double().eval()
    bn.running_mean.copy_(made(rng.standard_normal(features)))
    bn.running_var.copy_(made(rng.uniform(0.5, 2, features)))
    return bn


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d", "Linear"])
@pytest.mark.parametrize("bias", [True, False])
def test_fusion_with_batch_norm(name, bias):
    args, shape = LAYERS[name]
    ours, theirs = getattr(nn, name)(*args, bias=bias), getattr(torch.nn, name)(*args, bias=bias)
    ours, theirs = ours.double().eval(), theirs.double().eval()
    copy_state(ours, theirs)
    x = np.random.default_rng(0).standard_normal(shape)
    results = []
    for lib, layer, made in ((minidl, ours, leaf), (torch, theirs, torch.tensor)):
        bn = batch_norm(lib, 4 if name == "Linear" else 3, name == "Linear")
        if name == "Linear":
            fused = lib.nn.utils.fuse_linear_bn_eval(layer, bn)
        else:
            fused = lib.nn.utils.fuse_conv_bn_eval(layer, bn, transpose=name == "ConvTranspose2d")
        results.append([fused(made(x)), fused.weight, fused.bias, bn(layer(made(x)))])
        assert fused.weight.requires_grad
        assert isinstance(fused.bias, lib.nn.Parameter)
    for a, b in zip(*results, strict=True):
        agree(a, b)
    agree(results[0][0], results[1][3])


REFUSED = {
    "twice": lambda lib: lib.nn.utils.weight_norm(lib.nn.utils.weight_norm(lib.nn.Linear(2, 3))),
    "weight-missing": lambda lib: lib.nn.utils.weight_norm(lib.nn.Linear(2, 3), "foo"),
    "dim": lambda lib: lib.nn.utils.weight_norm(lib.nn.Linear(2, 3), dim=2),
    "not-normed": lambda lib: lib.nn.utils.remove_weight_norm(lib.nn.Linear(2, 3)),
    "no-spectral": lambda lib: lib.nn.utils.remove_spectral_norm(lib.nn.Linear(2, 3)),
    "no-iterations": lambda lib: lib.nn.utils.spectral_norm(lib.nn.Linear(2, 3), n_power_iterations=0),
    "spectral-twice": lambda lib: lib.nn.utils.spectral_norm(lib.nn.utils.spectral_norm(lib.nn.Linear(2, 3))),
    "training": lambda lib: lib.nn.utils.fuse_conv_bn_eval(lib.nn.Conv2d(1, 2, 3), lib.nn.BatchNorm2d(2)),
    "features": lambda lib: lib.nn.utils.fuse_linear_bn_eval(
        lib.nn.Linear(1, 3).eval(), lib.nn.BatchNorm1d(2).eval()
    ),
    "no-class": lambda lib: lib.nn.utils.skip_init(3),
    "no-device": lambda lib: lib.nn.utils.skip_init(lib.nn.ReLU),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_pytorch_says(call):
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(type(theirs.value)) as ours:
        call(minidl)
    assert str(ours.value) == str(theirs.value)


def test_skip_init_draws_no_random_numbers():
    minidl.manual_seed(0)
    expected = minidl.rand(2)
    minidl.manual_seed(0)
    layer = nn.utils.skip_init(nn.Linear, 3, 2, dtype=minidl.float64)
    assert layer.weight.dtype == minidl.float64
    assert bool((minidl.rand(2) == expected).all())


def test_clip_grad_norm_warns_as_deprecated():
    layer = nn.Linear(2, 1)
    with pytest.warns(FutureWarning, match="deprecated in favor of"):
        nn.utils.clip_grad_norm(layer.parameters(), 1.0)
