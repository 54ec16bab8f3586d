"""The arguments of losses beside PyTorch: ``size_average`` and ``reduce`` by place and by name, bool targets."""

import inspect
import itertools
import re
import warnings

import numpy as np
import pytest
import torch

import minidl
from minidl import nn

RNG = np.random.default_rng(9)
X, T = RNG.uniform(0.1, 0.9, (3, 4)), RNG.uniform(0.1, 0.9, (3, 4))
CLASSES = np.array([1, 3, 0])
FUNCTIONS = {
    "mse_loss": T,
    "l1_loss": T,
    "smooth_l1_loss": T,
    "binary_cross_entropy": T,
    "binary_cross_entropy_with_logits": T,
    "kl_div": T,
    "nll_loss": CLASSES,
    "cross_entropy": CLASSES,
}
LAYERS = {
    "MSELoss": T,
    "L1Loss": T,
    "SmoothL1Loss": T,
    "HuberLoss": T,
    "BCELoss": T,
    "BCEWithLogitsLoss": T,
    "KLDivLoss": T,
    "NLLLoss": CLASSES,
    "CrossEntropyLoss": CLASSES,
}
OLD = list(itertools.product((None, True, False), repeat=2))[1:]  # all but None, None
TEXT = re.compile("size_average and reduce args will be deprecated, please use reduction='.*' instead.")


def observed(call):
    """What ``call`` returns, and the texts and places of the warnings on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        out = call()
    return out, [str(w.message) for w in caught], [w.filename for w in caught]


def options(parameters, old, by_place):
    """(args, kwargs) that give ``size_average`` and ``reduce``, each other parameter being its default."""
    given = dict(zip(("size_average", "reduce"), old, strict=True))
    if not by_place:
        return (), given
    return tuple(given.get(name, p.default) for name, p in parameters.items()), {}


def assert_same(run):
    found, texts, places = observed(lambda: run(minidl))
    expected, theirs, _ = observed(lambda: run(torch))
    assert texts == theirs and TEXT.fullmatch(texts[0])
    assert places[0] == __file__
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)
    assert tuple(found.shape) == tuple(expected.shape)


@pytest.mark.parametrize("by_place", [False, True])
@pytest.mark.parametrize("old", OLD)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_reduce_as_they_did(name, old, by_place):
    parameters = dict([*inspect.signature(getattr(torch.nn.functional, name)).parameters.items()][2:])
    args, kwargs = options(parameters, old, by_place)

    def run(library):
        x, t = library.tensor(X), library.tensor(FUNCTIONS[name])
        return getattr(library.nn.functional, name)(x, t, *args, **kwargs)

    assert_same(run)


@pytest.mark.parametrize("by_place", [False, True])
@pytest.mark.parametrize("old", OLD)
@pytest.mark.parametrize("name", [name for name in LAYERS if name != "HuberLoss"])
def test_layers_reduce_as_they_did(name, old, by_place):
    args, kwargs = options(inspect.signature(getattr(torch.nn, name)).parameters, old, by_place)

    def run(library):
        layer = getattr(library.nn, name)(*args, **kwargs)
        return layer(library.tensor(X), library.tensor(LAYERS[name]))

    assert_same(run)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_pytorchs_parameters(name):
    ours, theirs = (inspect.signature(getattr(library.nn, name)).parameters for library in (minidl, torch))
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [
        (p.name, p.default, p.kind) for p in theirs.values()
    ]


def test_a_layer_of_ones_own_warns_of_its_caller():
    class Own(nn.CrossEntropyLoss):
        def __init__(self):
            super().__init__(size_average=False)

    layer, _, places = observed(Own)
    assert layer.reduction == "sum" and places == [__file__]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_bool_targets_count_as_zero_and_one(name, reduction, dtype):
    # PyTorch's l1_loss and the gradient of its huber_loss refuse bool: they get the same target as floats.
    cast = name in ("l1_loss", "huber_loss")

    def run(library, swapped):
        x = library.tensor(X, dtype=getattr(library, dtype), requires_grad=True)
        t = library.tensor(X > T)
        t = t.to(x.dtype) if cast and library is torch else t
        pair = (t, x) if swapped else (x, t)
        out = getattr(library.nn.functional, name)(*pair, reduction=reduction)
        out.sum().backward()
        return out.detach().numpy(), x.grad.numpy()

    for swapped in (False, True):
        for ours, theirs in zip(run(minidl, swapped), run(torch, swapped), strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=1e-2 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_bool_targets_in_second_derivatives(name):
    x = minidl.tensor(X, requires_grad=True)
    target = minidl.tensor(X > T)
    loss = getattr(nn.functional, name)
    assert minidl.autograd.gradcheck(lambda x: loss(x, target), (x,))
    assert minidl.autograd.gradgradcheck(lambda x: loss(x, target), (x,))
