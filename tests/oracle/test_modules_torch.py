"""Every layer row against PyTorch's layer with the same weights: keys, outputs, buffers, gradients, repr."""

import warnings

import driving
import numpy as np
import pytest
import torch
from cases import MODULE_CASES

import minidl
from minidl import autograd, nn
from minidl.autograd.tensor import leaf

# The rows of layers that this PyTorch has: LinearCrossEntropyLoss came with 2.13.
ROWS = [
    case for case in MODULE_CASES if case.torch and (callable(case.layer) or hasattr(torch.nn, case.layer))
]
rows = pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)


def pair(case):
    """Our module and PyTorch's, both float64 and with our weights."""
    minidl.manual_seed(0)
    ours = case.build(nn, minidl, leaf).double()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = case.build(torch.nn, torch, torch.tensor).double()
    theirs.load_state_dict(
        {name: torch.tensor(driving.host(value)) for name, value in ours.state_dict().items()}
    )
    return ours, theirs


@rows
def test_state_dict_has_the_same_keys_and_shapes(case):
    ours, theirs = pair(case)
    shapes = {name: tuple(value.shape) for name, value in ours.state_dict().items()}
    assert list(shapes.items()) == [(name, tuple(value.shape)) for name, value in theirs.state_dict().items()]
    named = [name for name, _ in ours.named_parameters()]
    assert named == [name for name, _ in theirs.named_parameters()]


@rows
def test_repr_is_the_same(case):
    ours, theirs = pair(case)
    assert repr(ours) == repr(theirs)


@rows
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_outputs_buffers_and_gradients_are_the_same(case, training):
    if case.random and training:
        pytest.skip("the layer draws random numbers in training mode, and PyTorch draws others")
    ours, theirs = pair(case)
    ours.train(training)
    theirs.train(training)
    found, expected = _run_ours(case, ours), _run_theirs(case, theirs)
    for label in ("results", "buffers", "gradients"):
        assert len(found[label]) == len(expected[label]), label
        for (name, value), (_, wanted) in zip(found[label], expected[label], strict=True):
            tolerance = 1e-9 * case.tolerance
            driving.assert_near(value, wanted, tolerance, tolerance, f"{label}: {name}")


def _run_ours(case, module):
    inputs = [leaf(array, requires_grad=case.grad and array.dtype.kind == "f") for array in case.arrays()]
    args, kwargs = case.arguments(inputs)
    results = [r for r in driving.flat(module(*args, **kwargs)) if isinstance(r, minidl.Tensor)]
    leaves = _leaves(module, inputs) if case.grad else []
    live = driving.differentiable(results)
    weights = [leaf(w) for w in driving.directions([tuple(r.shape) for r in live], 1)]
    found = autograd.grad(live, [x for _, x in leaves], weights, allow_unused=True) if leaves else []
    return _summary(module, results, leaves, found, driving.host)


def _run_theirs(case, module):
    inputs = [
        torch.tensor(array, requires_grad=case.grad and array.dtype.kind == "f") for array in case.arrays()
    ]
    args, kwargs = case.arguments(inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = [r for r in driving.flat(module(*args, **kwargs)) if isinstance(r, torch.Tensor)]
    leaves = _leaves(module, inputs) if case.grad else []
    live = [r for r in results if r.requires_grad]
    weights = [torch.tensor(w) for w in driving.directions([tuple(r.shape) for r in live], 1)]
    found = torch.autograd.grad(live, [x for _, x in leaves], weights, allow_unused=True) if leaves else []
    return _summary(module, results, leaves, found, lambda tensor: tensor.detach().numpy())


def _leaves(module, inputs):
    floats = [(f"input {i}", x) for i, x in enumerate(inputs) if x.requires_grad]
    return [*module.named_parameters(), *floats]


def _summary(module, results, leaves, gradients, host):
    zeros = [
        (name, np.zeros(tuple(x.shape)) if g is None else host(g))
        for (name, x), g in zip(leaves, gradients, strict=True)
    ]
    return {
        "results": [(str(i), host(result)) for i, result in enumerate(results)],
        "buffers": [(name, host(buffer)) for name, buffer in module.named_buffers()],
        "gradients": zeros,
    }
