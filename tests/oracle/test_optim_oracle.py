"""Optimizers and schedulers beside PyTorch's: 50-step trajectories, learning rates, state there and back, repr."""

import warnings

import driving
import numpy as np
import pytest
import torch

import minidl
from minidl import backends, nn, optim

STEPS = 50
OPTIMIZERS = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.001, "momentum": 0.5, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.02, "betas": (0.7, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.02, "amsgrad": True}),
    ("Adam", {"lr": 0.001, "maximize": True, "foreach": True}),
    ("Adam", {"lr": 0.02, "decoupled_weight_decay": True, "weight_decay": 0.1, "fused": True}),
    ("AdamW", {"lr": 0.02}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.3, "amsgrad": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.005, "alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1, "foreach": False}),
    ("RMSprop", {"lr": 0.002, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.002, "momentum": 0.5, "centered": True, "eps": 1e-3, "weight_decay": 0.01}),
    ("RMSprop", {"lr": 0.001, "centered": True, "eps": 1e-3, "maximize": True}),
    ("Adagrad", {}),
    (
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.1, "initial_accumulator_value": 0.2, "eps": 1e-4},
    ),
    ("Adagrad", {"lr": 0.01, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    ("Adadelta", {"maximize": True, "foreach": True}),
    ("Adamax", {"lr": 0.02}),
    ("Adamax", {"lr": 0.02, "betas": (0.7, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("Adamax", {"maximize": True}),
    ("NAdam", {"lr": 0.02}),
    ("NAdam", {"lr": 0.02, "betas": (0.7, 0.9), "eps": 1e-4, "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("NAdam", {"maximize": True}),
    ("RAdam", {"lr": 0.02}),
    ("RAdam", {"lr": 0.02, "betas": (0.7, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.02, "betas": (0.8, 0.6)}),  # never rectified
    ("RAdam", {"lr": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"maximize": True}),
    ("ASGD", {"lr": 0.05}),
    ("ASGD", {"lr": 0.05, "lambd": 0.01, "alpha": 0.5, "t0": 5, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.001, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.05, "etas": (0.3, 1.7), "step_sizes": (1e-3, 0.1)}),
    ("Rprop", {"lr": 0.001, "maximize": True, "step_sizes": (1e-6, 0.01)}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-5, 1e-2), "d": 1.5, "weight_decay": 0.1}),
    ("Adafactor", {"maximize": True}),
]
SCHEDULERS = [
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [3, 10, 10, 30], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.93}),
    ("CosineAnnealingLR", {"T_max": 12, "eta_min": 0.01}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    ("LinearLR", {"start_factor": 0.2, "end_factor": 0.7, "total_iters": 20}),
    ("LinearLR", {}),
]
PLATEAUS = [
    {"patience": 2},
    {"patience": 1, "cooldown": 3, "factor": 0.5, "threshold_mode": "abs", "threshold": 0.05},
    {"patience": 0, "mode": "max", "min_lr": 0.01},
    {"patience": 0, "mode": "max", "threshold_mode": "abs", "threshold": 0.2},
]


def label(value):
    return ",".join(value) if isinstance(value, dict) else str(value)


def models(dtype="float64"):
    """A small network here and there, with equal weights, and data for both."""
    minidl.manual_seed(3)
    ours = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)).to(getattr(minidl, dtype))
    theirs = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    theirs = theirs.to(getattr(torch, dtype))
    copy_weights(ours, theirs)
    rng = np.random.default_rng(3)
    return (
        ours,
        theirs,
        rng.standard_normal((16, 5)).astype(dtype),
        rng.standard_normal((16, 1)).astype(dtype),
    )


def copy_weights(ours, theirs):
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})


def train(library, model, optimizer, x, y, steps, scheduler=None):
    x, y = library.tensor(x), library.tensor(y)
    for _ in range(steps):
        optimizer.zero_grad()
        error = model(x) - y
        (error * error).mean().backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()


def assert_same_weights(ours, theirs, tolerance):
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(
            a.detach().numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance, err_msg=name
        )


def arrays_of(tree, library):
    """A state dict with its tensors as those of ``library``."""
    if isinstance(tree, dict):
        return {key: arrays_of(value, library) for key, value in tree.items()}
    if isinstance(tree, (minidl.Tensor, torch.Tensor)):
        return library.tensor(np.array(tree.detach().numpy()))
    return tree


@pytest.fixture(params=["chosen", "reference"])
def backend(request):
    """The backend that serves NumPy arrays, and the reference one."""
    if request.param == "chosen":
        yield
        return
    with driving.cpu_backend(backends.reference):
        yield


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=label)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)], ids=label)
def test_trajectories_are_the_same(backend, name, options, dtype, tolerance):
    steps = 10 if dtype == "float32" and name not in ("SGD", "Adam", "AdamW") else STEPS  # roundings grow
    ours, theirs, x, y = models(dtype)
    train(minidl, ours, getattr(optim, name)(ours.parameters(), **options), x, y, steps)
    train(torch, theirs, getattr(torch.optim, name)(theirs.parameters(), **options), x, y, steps)
    assert_same_weights(ours, theirs, tolerance)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=label)
def test_state_travels_both_ways(name, options):
    tolerance = (
        1e-7 if name == "ASGD" else 1e-10
    )  # its rates are float32, and the parameter's dtype once loaded
    ours, theirs, x, y = models()
    mine, other = (
        getattr(lib.optim, name)(m.parameters(), **options) for lib, m in ((minidl, ours), (torch, theirs))
    )
    train(minidl, ours, mine, x, y, 3)
    copy_weights(ours, theirs)
    other.load_state_dict(arrays_of(mine.state_dict(), torch))
    for library, model, optimizer in ((minidl, ours, mine), (torch, theirs, other)):
        train(library, model, optimizer, x, y, 3)
    assert_same_weights(ours, theirs, tolerance)
    again = getattr(optim, name)(ours.parameters(), **options)
    again.load_state_dict(arrays_of(other.state_dict(), minidl))
    for library, model, optimizer in ((minidl, ours, again), (torch, theirs, other)):
        train(library, model, optimizer, x, y, 3)
    assert_same_weights(ours, theirs, tolerance)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=label)
def test_state_dict_and_repr_are_the_same(name, options):
    ours, theirs, x, y = models()
    mine, other = (
        getattr(lib.optim, name)(m.parameters(), **options) for lib, m in ((minidl, ours), (torch, theirs))
    )
    assert repr(mine) == repr(other)
    for _ in range(2):
        saved, expected = mine.state_dict(), other.state_dict()
        assert saved["param_groups"] == expected["param_groups"]
        assert list(saved["param_groups"][0]) == list(expected["param_groups"][0])
        assert list(saved["state"]) == list(expected["state"])
        for number, state in expected["state"].items():
            assert list(saved["state"][number]) == list(state)
            for key, value in state.items():
                found = saved["state"][number][key]
                assert tuple(found.shape) == tuple(value.shape)
                assert found.dtype.name == str(value.dtype).removeprefix("torch.")
                np.testing.assert_allclose(found.numpy(), value.numpy(), rtol=1e-12)
        train(minidl, ours, mine, x, y, 1)
        train(torch, theirs, other, x, y, 1)


def test_repr_of_several_groups_with_names():
    def make(library):
        a, b = (library.nn.Parameter(library.ones(2)) for _ in range(2))
        return library.optim.SGD([{"params": [("a", a)], "lr": 3}, {"params": [("b", b)]}])

    assert repr(make(minidl)) == repr(make(torch))
    assert make(minidl).state_dict() == make(torch).state_dict()


@pytest.mark.parametrize(("name", "options"), SCHEDULERS, ids=label)
def test_schedules_are_the_same(name, options):
    ours, theirs, x, y = models()
    found = []
    for library, model in ((minidl, ours), (torch, theirs)):
        groups = [{"params": [p], "lr": 0.1 * (i + 1)} for i, p in enumerate(model.parameters())]
        optimizer = library.optim.SGD(groups, lr=0.1)
        scheduler = getattr(library.optim.lr_scheduler, name)(optimizer, **options)
        rates = [scheduler.get_last_lr()]
        for _ in range(STEPS):
            train(library, model, optimizer, x, y, 1, scheduler)
            rates.append(scheduler.get_last_lr())
            assert rates[-1] == [group["lr"] for group in optimizer.param_groups]
        found.append((rates, scheduler.state_dict()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
    assert list(found[0][1]) == list(found[1][1])
    assert_same_weights(ours, theirs, 1e-9)


@pytest.mark.parametrize(("name", "options"), SCHEDULERS, ids=label)
@pytest.mark.parametrize("resumed", ["state_dict", "last_epoch"])
def test_schedules_resume_the_same(name, options, resumed):
    found = []
    for library in (minidl, torch):
        optimizer = library.optim.SGD([library.nn.Parameter(library.ones(1))], lr=0.1)
        make = getattr(library.optim.lr_scheduler, name)
        scheduler = make(optimizer, **options)
        for _ in range(5):
            optimizer.step()
            scheduler.step()
        if resumed == "state_dict":
            saved = {**scheduler.state_dict()}
            scheduler = make(optimizer, **options)
            scheduler.load_state_dict(saved)
        else:
            scheduler = make(optimizer, **options, last_epoch=4)
        rates = [scheduler.get_last_lr()]
        for _ in range(15):
            optimizer.step()
            scheduler.step()
            rates.append(scheduler.get_last_lr())
        found.append(rates)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize(("name", "options"), SCHEDULERS[:6], ids=label)
def test_closed_forms_are_the_same(name, options):
    found = []
    for library in (minidl, torch):
        optimizer = library.optim.SGD([library.nn.Parameter(library.ones(1))], lr=0.1)
        scheduler = getattr(library.optim.lr_scheduler, name)(optimizer, **options)
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rates = []
            for epoch in (3, 11, 2, 31):
                scheduler.step(epoch)
                rates.append(scheduler.get_last_lr())
        found.append(rates)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize("options", PLATEAUS, ids=label)
def test_plateaus_are_the_same(options):
    metrics = np.repeat(np.random.default_rng(5).random(12), 3) + 1
    found = []
    for library in (minidl, torch):
        optimizer = library.optim.SGD([library.nn.Parameter(library.ones(1))], lr=0.1)
        scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        rates = []
        for metric in metrics:
            scheduler.step(metric)
            rates.append(scheduler.get_last_lr())
        found.append((rates, scheduler.state_dict()))
    assert found[0][0] == found[1][0]
    assert found[0][1] == found[1][1]


@pytest.mark.parametrize("norm_type", [0.0, 1, 2.0, 3.5, float("inf"), -float("inf")])
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clipping_is_the_same(norm_type, max_norm):
    rng = np.random.default_rng(6)
    gradients = [rng.standard_normal(shape) for shape in ((3, 4), (5,), ())]
    found = []
    for library in (minidl, torch):
        parameters = [library.nn.Parameter(library.tensor(np.asarray(g) * 0)) for g in gradients]
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = library.tensor(np.asarray(g))
        total = library.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
        library.nn.utils.clip_grad_value_(parameters, 0.3)
        found.append([np.asarray(total.numpy()), *(p.grad.numpy() for p in parameters)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
