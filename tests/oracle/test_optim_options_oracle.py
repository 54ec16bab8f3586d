"""Optimizers beside PyTorch's: Muon, groups, rates that are tensors, shapes of all ranks, what is refused."""

import driving
import numpy as np
import pytest
import torch

import minidl
from minidl import backends

RNG = np.random.default_rng(0)
SHAPES = [(4, 3), (3,), (), (2, 3, 4), (0, 2), (1, 5), (5, 1)]
ALL = {
    "SGD": {"momentum": 0.9},
    "Adam": {},
    "AdamW": {"amsgrad": True},
    "RMSprop": {"momentum": 0.9, "centered": True, "eps": 1e-2},
    "Adagrad": {"lr_decay": 0.1},
    "Adadelta": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "ASGD": {"t0": 3},
    "Rprop": {},
    "Adafactor": {},
}
MUONS = [
    {},
    {"lr": 0.02, "weight_decay": 0.0, "nesterov": False},
    {"lr": 0.02, "adjust_lr_fn": "match_rms_adamw", "momentum": 0.5},
    {"lr": 0.02, "ns_steps": 3, "ns_coefficients": (2.0, -1.5, 0.5), "adjust_lr_fn": "original"},
]


def run(library, name, shapes, dtype, make_groups, steps=10, **options):
    """Parameters after some steps with given gradients, as NumPy arrays."""
    rng = np.random.default_rng(1)
    params = [
        library.nn.Parameter(library.tensor(rng.standard_normal(shape), dtype=getattr(library, dtype)))
        for shape in shapes
    ]
    optimizer = getattr(library.optim, name)(make_groups(library, params), **options)
    for _ in range(steps):
        for p in params:
            p.grad = library.tensor(rng.standard_normal(tuple(p.shape)), dtype=p.dtype)
        optimizer.step()
    return [p.detach().numpy() for p in params]


def compare(name, shapes, dtype, make_groups, tolerance, **options):
    ours, theirs = (run(lib, name, shapes, dtype, make_groups, **options) for lib in (minidl, torch))
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 2e-5)])
def test_parameters_of_all_ranks(name, dtype, tolerance):
    shapes = [s for s in SHAPES if 0 not in s] if name == "Adafactor" else SHAPES  # PyTorch's divides by zero
    compare(name, shapes, dtype, lambda library, params: params, tolerance, **ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_groups_and_rates_that_are_tensors(name):
    def groups(library, params):
        return [
            {"params": params[:2], "lr": 0.05},
            {"params": params[2:], "lr": library.tensor(0.02)},
        ]

    compare(name, SHAPES[:4], "float64", groups, 1e-6, lr=0.5, **{**ALL[name]})


@pytest.mark.parametrize("name", [name for name in ALL if name != "SGD"])
def test_zero_gradients_and_infinite_ones(name):
    for value in (0.0, np.inf, -np.inf, np.nan):
        found = []
        for library in (minidl, torch):
            p = library.nn.Parameter(library.ones(3, dtype=library.float64))
            optimizer = getattr(library.optim, name)([p], **ALL[name])
            for first in (1.0, value, 2.0):
                p.grad = library.tensor([first, 0.5, 0.0], dtype=library.float64)
                optimizer.step()
            found.append(p.detach().numpy())
        np.testing.assert_allclose(found[0], found[1], rtol=1e-9, err_msg=str(value))


@pytest.mark.parametrize("options", MUONS, ids=str)
@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (1, 4), (40, 24)])
def test_muon(options, shape):
    """Both compute in bfloat16: a rounding that falls otherwise moves a step by its last bits."""
    rate = options.get("lr", 1e-3)
    for dtype in ("float32", "float64"):
        compare("Muon", [shape], dtype, lambda library, params: params, 0.1 * rate, steps=4, **options)


def test_muon_state_travels():
    found = []
    for library in (minidl, torch):
        p = library.nn.Parameter(library.tensor(np.arange(6.0).reshape(2, 3)))
        optimizer = library.optim.Muon([p], lr=0.01)
        p.grad = library.tensor(np.arange(6.0).reshape(3, 2).T.copy())
        optimizer.step()
        found.append(optimizer)
    ours, theirs = (o.state_dict() for o in found)
    assert ours["param_groups"] == theirs["param_groups"] and repr(found[0]) == repr(found[1])
    assert list(ours["state"][0]) == list(theirs["state"][0])
    np.testing.assert_allclose(
        ours["state"][0]["momentum_buffer"].numpy(), theirs["state"][0]["momentum_buffer"].numpy()
    )


@pytest.mark.parametrize("name", ALL)
def test_reference_and_chosen_backend_agree(name):
    found = run(minidl, name, SHAPES, "float64", lambda _, params: params, **ALL[name])
    with driving.cpu_backend(backends.reference):
        wanted = run(minidl, name, SHAPES, "float64", lambda _, params: params, **ALL[name])
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


BAD = [
    ("RMSprop", {"alpha": -1}),
    ("RMSprop", {"lr": -1}),
    ("RMSprop", {"eps": -1}),
    ("RMSprop", {"momentum": -1}),
    ("RMSprop", {"weight_decay": -1}),
    ("Adagrad", {"lr_decay": -1}),
    ("Adagrad", {"initial_accumulator_value": -1}),
    ("Adagrad", {"fused": True, "foreach": True}),
    ("Adadelta", {"rho": 1.5}),
    ("Adadelta", {"eps": -1}),
    ("Adamax", {"betas": (1.0, 0.9)}),
    ("NAdam", {"momentum_decay": -1}),
    ("RAdam", {"betas": (0.9, 2.0)}),
    ("ASGD", {"weight_decay": -1}),
    ("Rprop", {"etas": (0.5, 0.6)}),
    ("Adafactor", {"lr": -1}),
    ("Adafactor", {"beta2_decay": 1}),
    ("Adafactor", {"eps": (-1, 1)}),
    ("Adafactor", {"eps": (None, -1)}),
    ("Adafactor", {"d": 0.5}),
    ("Adafactor", {"weight_decay": -1}),
    ("Muon", {}),
    ("Muon", {"lr": -1}),
    ("Muon", {"momentum": -1}),
    ("Muon", {"weight_decay": -1}),
    ("Muon", {"adjust_lr_fn": "none"}),
]


@pytest.mark.parametrize(("name", "options"), BAD, ids=str)
def test_refusals_are_the_same(name, options):
    texts = []
    for library in (minidl, torch):
        with pytest.raises((ValueError, RuntimeError)) as raised:
            getattr(library.optim, name)([library.nn.Parameter(library.ones(2))], **options)
        texts.append((raised.type, str(raised.value)))
    assert texts[0] == texts[1]


def test_a_state_that_lacks_something_is_refused():
    for library in (minidl, torch):
        p = library.nn.Parameter(library.ones(2))
        p.grad = library.ones(2)
        optimizer = library.optim.RMSprop([p])
        optimizer.step()
        optimizer.param_groups[0]["momentum"] = 0.9
        with pytest.raises(KeyError, match="momentum_buffer"):
            optimizer.step()


@pytest.mark.parametrize("name", [*ALL, "LBFGS"])
def test_the_state_of_pytorch_is_taken_as_it_is(name):
    """Its tensors are arrays on the host: no conversion is needed."""
    a, b = minidl.nn.Parameter(minidl.ones(2, 2)), torch.nn.Parameter(torch.ones(2, 2))
    options = {"lr": 0.1, "max_iter": 3} if name == "LBFGS" else ALL[name]
    ours, theirs = getattr(minidl.optim, name)([a], **options), getattr(torch.optim, name)([b], **options)

    def step(library, optimizer, p):
        def closure():
            optimizer.zero_grad()
            loss = (p**4).sum() + p.sum() * p[0, 1]
            loss.backward()
            return loss

        optimizer.step(closure)

    step(torch, theirs, b)
    with minidl.no_grad():
        a.copy_(minidl.from_numpy(b.detach().numpy().copy()))
    ours.load_state_dict(theirs.state_dict())
    for library, optimizer, p in ((minidl, ours, a), (torch, theirs, b)):
        step(library, optimizer, p)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5)
