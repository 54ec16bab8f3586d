"""Every row of ``tests/cases/modules_*.py``: gradients, modes, ``state_dict`` there and back."""

import inspect

import driving
import numpy as np
import pytest
from cases import MODULE_CASES

import minidl
from minidl import autograd, nn
from minidl.autograd.tensor import leaf
from minidl.nn.lazy import LazyModuleMixin

rows = pytest.mark.parametrize("case", MODULE_CASES, ids=lambda case: case.name)


def build(case):
    """The row's module in float64, from the same random weights each time."""
    minidl.manual_seed(0)
    return case.build(nn, minidl, leaf).double()


def tensors(case, grad):
    return [leaf(array, requires_grad=grad and array.dtype.kind == "f") for array in case.arrays()]


def run(case, module, inputs):
    """The tensors that the module returns, with the same random numbers each time."""
    minidl.manual_seed(1)
    args, kwargs = case.arguments(inputs)
    return [result for result in driving.flat(module(*args, **kwargs)) if isinstance(result, minidl.Tensor)]


def test_rows_have_distinct_names():
    names = [case.name for case in MODULE_CASES]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"give these rows of one layer different ids: {twice}"


def test_every_layer_has_a_row():
    layers = {
        name
        for name, value in vars(nn).items()
        if inspect.isclass(value)
        and issubclass(value, nn.Module)
        and "forward" in _own(value)
        and not issubclass(value, LazyModuleMixin)  # tests/test_lazy.py
    }
    built = {type(module).__name__ for case in MODULE_CASES for module in build(case).modules()}
    missing = sorted(layers - built - {"Module"})
    assert not missing, f"add rows to tests/cases/modules_<family>.py for: {', '.join(missing)}"


def _own(layer):
    """Names that a layer or a base of it other than Module defines."""
    return {
        name for base in layer.__mro__ if base not in (nn.Module, *nn.Module.__mro__) for name in vars(base)
    }


@pytest.mark.parametrize("case", [case for case in MODULE_CASES if case.grad], ids=lambda case: case.name)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_gradients_agree_with_central_differences(case, training):
    module = build(case).train(training)
    inputs = tensors(case, grad=True)
    results = driving.differentiable(run(case, module, inputs))
    leaves = [*module.parameters(), *(x for x in inputs if x.requires_grad)]
    assert results, "no result requires a gradient; the row says grad=False"
    weights = driving.directions([tuple(result.shape) for result in results], 1)
    found = autograd.grad(results, leaves, [leaf(weight) for weight in weights], allow_unused=True)

    def scalar():
        return driving.weighted(driving.differentiable(run(case, module, inputs)), weights)

    numeric = driving.central_differences(scalar, [driving.host(x) for x in leaves])
    names = [name for name, _ in module.named_parameters()] + [f"input {i}" for i in range(len(leaves))]
    for name, gradient, wanted in zip(names, found, numeric, strict=False):
        gradient = np.zeros_like(wanted) if gradient is None else driving.host(gradient)
        driving.assert_near(gradient, wanted, 1e-5 * case.tolerance, 1e-6 * case.tolerance, name)


@rows
def test_state_dict_brings_another_module_to_the_same_results(case):
    module, inputs = build(case), tensors(case, grad=False)
    run(case, module, inputs)  # buffers move
    minidl.manual_seed(7)
    other = case.build(nn, minidl, leaf).double()
    other.load_state_dict(module.state_dict())
    for result, wanted in zip(run(case, other.eval(), inputs), run(case, module.eval(), inputs), strict=True):
        np.testing.assert_array_equal(driving.host(result), driving.host(wanted))


@rows
def test_parameters_are_float32_by_default_and_follow_to(case):
    module = case.build(nn, minidl, leaf)
    for name, parameter in module.named_parameters():
        assert parameter.dtype is minidl.float32, name
        assert parameter.requires_grad and parameter.is_leaf, name
    assert all(p.dtype is minidl.float64 for p in module.to(minidl.float64).parameters())


@rows
def test_modes_reach_every_submodule(case):
    module = build(case)
    assert all(each.training for each in module.modules())
    assert module.eval() is module
    assert not any(each.training for each in module.modules())
    assert all(each.training for each in module.train().modules())
