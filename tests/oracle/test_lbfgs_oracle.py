"""L-BFGS beside PyTorch's: losses, parameters, how often the closure ran, state there and back."""

import numpy as np
import pytest
import torch

import minidl

OPTIONS = [
    {},
    {"lr": 0.1},
    {"lr": 0.1, "max_iter": 5},
    {"max_iter": 1},
    {"lr": 0.5, "history_size": 2},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 7},
    {"line_search_fn": "strong_wolfe", "lr": 0.01},
    {"line_search_fn": "strong_wolfe", "lr": 50.0},
    {"line_search_fn": "strong_wolfe", "max_eval": 4},
    {"line_search_fn": "strong_wolfe", "max_eval": 1},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-2, "tolerance_change": 1e-4},
]


def rosenbrock(library, x):
    return (1 - x[:-1]).pow(2).sum() + 100 * (x[1:] - x[:-1].pow(2)).pow(2).sum()


def waves(library, x):
    """Many minima: line searches that bracket."""
    return (library.sin(3 * x) + 0.1 * x.pow(2)).sum()


def logistic(library, x):
    data = library.tensor(np.random.default_rng(0).standard_normal((30, 5)), dtype=x.dtype)
    return library.nn.functional.softplus(data @ x).mean() + 0.01 * (x * x).sum()


def kinked(library, x):
    return x.abs().sum() + (x * x).sum()


PROBLEMS = [rosenbrock, waves, logistic, kinked]


def run(library, problem, options, steps, dtype="float64", state=None, start=None):
    """Losses, parameters, calls of the closure and the optimizer after some steps."""
    start = np.random.default_rng(2).standard_normal(5) if start is None else start
    first, second = (
        library.nn.Parameter(library.tensor(part, dtype=getattr(library, dtype)))
        for part in (start[:2], start[2:])
    )
    optimizer = library.optim.LBFGS([first, second], **options)
    if state is not None:
        optimizer.load_state_dict(state)
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = problem(library, library.cat([first, second]))
        loss.backward()
        calls.append(loss.item())
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    return losses, np.concatenate([p.detach().numpy() for p in (first, second)]), calls, optimizer


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_steps_are_the_same(problem, options):
    ours, theirs = (run(library, problem, options, 3) for library in (minidl, torch))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6, atol=1e-7)
    assert len(ours[2]) == len(theirs[2])


@pytest.mark.parametrize("options", OPTIONS[1:6], ids=str)
def test_float32(options):
    ours, theirs = (run(library, logistic, options, 1, "float32") for library in (minidl, torch))
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-3, atol=1e-4)


def converted(value, library):
    if isinstance(value, dict):
        return {key: converted(item, library) for key, item in value.items()}
    if isinstance(value, list):
        return [converted(item, library) for item in value]
    if isinstance(value, (minidl.Tensor, torch.Tensor)):
        return library.tensor(value.detach().numpy().copy())
    return value


@pytest.mark.parametrize("options", [{"lr": 0.1, "max_iter": 4}, {**OPTIONS[6], "max_iter": 4}], ids=str)
def test_state_travels_both_ways(options):
    _, at, _, ours = run(minidl, rosenbrock, options, 2)
    _, _, _, theirs = run(torch, rosenbrock, options, 2)
    mine, other = ours.state_dict(), theirs.state_dict()
    assert mine["param_groups"] == other["param_groups"] and repr(ours) == repr(theirs)
    assert set(mine["state"]) == set(other["state"]) == {0}
    assert set(mine["state"][0]) == set(other["state"][0])
    for name in ("old_dirs", "old_stps", "ro"):
        for a, b in zip(mine["state"][0][name], other["state"][0][name], strict=True):
            assert tuple(a.shape) == tuple(b.shape)
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
    resumed = [
        run(minidl, rosenbrock, options, 2, state=converted(other, minidl), start=at),
        run(torch, rosenbrock, options, 2, state=converted(mine, torch), start=at),
        run(minidl, rosenbrock, options, 2, state=mine, start=at),
    ]
    for found in resumed:
        np.testing.assert_allclose(found[1], resumed[0][1], rtol=1e-6)


def test_parameters_without_a_gradient_and_a_minimum_reached():
    for library in (minidl, torch):
        x, unused = (library.nn.Parameter(library.ones(2)) for _ in range(2))
        optimizer = library.optim.LBFGS([unused, x])

        def closure(optimizer=optimizer, x=x):
            optimizer.zero_grad()
            loss = (x * x).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        assert unused.tolist() == [1.0, 1.0]
        before = optimizer.state_dict()["state"][0]["n_iter"]
        assert abs(optimizer.step(closure).item()) < 1e-12
        assert optimizer.state_dict()["state"][0]["n_iter"] == before


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda o, p: o.LBFGS([p], lr=-1), ValueError),
        (lambda o, p: o.LBFGS([{"params": [p]}, {"params": [p * 1]}]), ValueError),
        (lambda o, p: o.LBFGS([p], line_search_fn="armijo").step(lambda: loss_of(p)), RuntimeError),
    ],
)
def test_refusals_are_the_same(call, error):
    texts = []
    for library in (minidl, torch):
        with pytest.raises(error) as raised:
            call(library.optim, library.nn.Parameter(library.ones(2)))
        texts.append(str(raised.value).split(" Hint")[0])
    assert texts[0].rstrip(".") == texts[1].rstrip(".")


def loss_of(p):
    loss = (p * p).sum()
    loss.backward()
    return loss
