"""Averages of weights beside PyTorch's, and the schedule that goes with them."""

import numpy as np
import pytest
import torch

import minidl

LIBRARIES = [minidl, torch]
AVERAGES = {
    "mean": lambda u: {},
    "mean, a function": lambda u: {"avg_fn": u.get_swa_avg_fn()},
    "mean, lists": lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn()},
    "decaying, a function": lambda u: {"avg_fn": u.get_ema_avg_fn(0.9)},
    "decaying, lists": lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.6)},
    "decaying, with buffers": lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(), "use_buffers": True},
    "a function of one's own": lambda u: {"avg_fn": lambda held, now, n: held + 0.5 * (now - held) / (n + 1)},
}


def swa_of(library):
    __import__(f"{library.__name__}.optim.swa_utils")
    return library.optim.swa_utils


@pytest.mark.parametrize("name", AVERAGES)
def test_averages_are_the_same(name):
    found = []
    for library in LIBRARIES:
        rng = np.random.default_rng(0)
        n = library.nn
        model = n.Sequential(n.Linear(3, 4), n.BatchNorm1d(4), n.Linear(4, 1)).to(library.float64)
        average = swa_of(library).AveragedModel(model, **AVERAGES[name](swa_of(library)))
        for _ in range(5):
            with library.no_grad():
                for p in model.parameters():
                    p.copy_(library.tensor(rng.standard_normal(tuple(p.shape))))
            model(library.tensor(rng.standard_normal((6, 3))))
            average.update_parameters(model)
        data = [library.tensor(rng.standard_normal((6, 3))) for _ in range(3)]
        state = {k: v.numpy().copy() for k, v in average.state_dict().items()}
        swa_of(library).update_bn(data, average)
        average.eval()
        found.append((state, average.state_dict(), average(data[0]).detach().numpy()))
    assert list(found[0][0]) == list(found[1][0])
    for key, value in found[0][0].items():
        np.testing.assert_allclose(
            value, found[1][0][key], rtol=1e-6, err_msg=key
        )  # PyTorch's weights are float32
        np.testing.assert_allclose(found[0][1][key].numpy(), found[1][1][key].numpy(), rtol=1e-6, err_msg=key)
    np.testing.assert_allclose(found[0][2], found[1][2], rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"swa_lr": 0.05},
        {"swa_lr": [0.05, 0.4], "anneal_epochs": 5, "anneal_strategy": "linear"},
        {"swa_lr": 0.05, "anneal_epochs": 0},
        {"swa_lr": 0.05, "anneal_epochs": 1},
    ],
    ids=str,
)
def test_the_schedule_is_the_same(options):
    found = []
    for library in LIBRARIES:
        groups = [{"params": [library.nn.Parameter(library.ones(1))], "lr": rate} for rate in (0.1, 0.2)]
        optimizer = library.optim.SGD(groups)
        decay = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        scheduler = swa_of(library).SWALR(optimizer, **options)
        rates = [scheduler.get_last_lr()]
        for epoch in range(30):
            optimizer.step()
            (decay if epoch < 8 else scheduler).step()
            rates.append([group["lr"] for group in optimizer.param_groups])
            if epoch == 12:
                state = scheduler.state_dict()
                scheduler = swa_of(library).SWALR(optimizer, **options)
                scheduler.load_state_dict(state)
        found.append((rates, scheduler.state_dict()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-9)
    assert list(found[0][1]) == list(found[1][1])
