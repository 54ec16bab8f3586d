"""Every optimizer, schedule and averaging function takes what PyTorch's takes: names, places, defaults."""

import importlib
import inspect

import pytest
import torch

import minidl

NOT_THERE = {"SparseAdam", "swap_in_optimizer_params_and_state"}  # sparse gradients; for tracing programs
PLACES = {
    "optim": [name for name in torch.optim.__all__ if name not in NOT_THERE],
    "optim.lr_scheduler": torch.optim.lr_scheduler.__all__,
    "optim.swa_utils": importlib.import_module("torch.optim.swa_utils").__all__,
}
NAMES = [(place, name) for place, names in PLACES.items() for name in names]
# Methods and attributes that only PyTorch's machinery calls: its profiler, its compiler.
INTERNAL = {"profile_hook_step", "OptimizerPreHook", "OptimizerPostHook"}


def pair(place, name):
    modules = [importlib.import_module(f"{library}.{place}") for library in ("minidl", "torch")]
    return [getattr(module, name) for module in modules]


def parameters(function):
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(("place", "name"), NAMES)
def test_signatures_are_the_same(place, name):
    ours, theirs = pair(place, name)
    if not inspect.ismodule(ours):
        assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize(("place", "name"), NAMES)
def test_methods_are_the_same(place, name):
    ours, theirs = pair(place, name)
    if not inspect.isclass(ours):
        return
    known = (
        vars(theirs) if name == "AveragedModel" else dir(theirs)
    )  # the rest of a Module has tests of its own
    for method in known:
        if not method.startswith("_") and method not in INTERNAL and callable(getattr(theirs, method)):
            found, wanted = (parameters(getattr(cls, method)) for cls in (ours, theirs))
            assert [p[::2] for p in found] == [p[::2] for p in wanted], f"{name}.{method}"


@pytest.mark.parametrize(
    "name",
    [
        "sgd",
        "adam",
        "adamw",
        "rmsprop",
        "adagrad",
        "adadelta",
        "adamax",
        "nadam",
        "radam",
        "asgd",
        "rprop",
        "lbfgs",
    ],
)
def test_modules_are_where_they_are_in_pytorch(name):
    ours, theirs = (importlib.import_module(f"{library}.optim.{name}") for library in ("minidl", "torch"))
    for exported in theirs.__all__:
        if exported[0].isupper():
            assert getattr(ours, exported) is getattr(minidl.optim, exported)


def test_the_old_name_of_the_base_class():
    for library in ("minidl", "torch"):
        module = importlib.import_module(f"{library}.optim.lr_scheduler")

        class Halves(module._LRScheduler):
            def get_lr(self):
                return [base * 0.5**self.last_epoch for base in self.base_lrs]

        framework = importlib.import_module(library)
        optimizer = framework.optim.SGD([framework.nn.Parameter(framework.ones(1))], lr=1.0)
        scheduler = Halves(optimizer)
        optimizer.step()
        scheduler.step()
        assert scheduler.get_last_lr() == [0.5] and isinstance(scheduler, module.LRScheduler)
