"""Averages of weights along training: means and decaying means, buffers, batch normalization, refusals."""

import copy

import numpy as np
import pytest

import minidl
from minidl import nn, optim
from minidl.optim import swa_utils


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))


def drift(model, times, after):
    """Moves all parameters at random some times; the weights that ``after`` saw."""
    rng, seen = np.random.default_rng(0), []
    for _ in range(times):
        with minidl.no_grad():
            for p in model.parameters():
                p.copy_(minidl.tensor(rng.standard_normal(tuple(p.shape))))
        model(minidl.tensor(rng.standard_normal((5, 3)), dtype=minidl.float32))
        seen.append(model[0].weight.detach().numpy().copy())
        after(model)
    return seen


@pytest.mark.parametrize(
    "options", [{}, {"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()}], ids=["each", "lists"]
)
def test_the_mean_of_all_weights(options):
    model = network()
    average = swa_utils.AveragedModel(model, **options)
    seen = drift(model, 5, average.update_parameters)
    np.testing.assert_allclose(
        average.module[0].weight.detach().numpy(), np.mean(seen, 0), rtol=1e-5, atol=1e-6
    )
    assert average.n_averaged.item() == 5
    np.testing.assert_array_equal(average.module[1].running_mean.numpy(), model[1].running_mean.numpy())


@pytest.mark.parametrize("use_buffers", [False, True])
def test_a_decaying_mean(use_buffers):
    model = network()
    averages = [
        swa_utils.AveragedModel(model, avg_fn=swa_utils.get_ema_avg_fn(0.75), use_buffers=use_buffers),
        swa_utils.AveragedModel(
            model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.75), use_buffers=use_buffers
        ),
    ]
    seen = drift(model, 4, lambda model: [average.update_parameters(model) for average in averages])
    wanted = seen[0]
    for weight in seen[1:]:
        wanted = 0.75 * wanted + 0.25 * weight
    for average in averages:
        np.testing.assert_allclose(average.module[0].weight.detach().numpy(), wanted, rtol=1e-5, atol=1e-6)
    same = np.array_equal(averages[0].module[1].running_mean.numpy(), model[1].running_mean.numpy())
    assert same != use_buffers


def test_the_average_is_a_module_of_its_own():
    model = network()
    average = swa_utils.AveragedModel(model)
    assert list(average.state_dict())[:2] == ["n_averaged", "module.0.weight"]
    average.update_parameters(model)
    again = swa_utils.AveragedModel(network())
    again.load_state_dict(average.state_dict())
    x = minidl.ones(2, 3)
    model.eval(), average.eval(), again.eval()
    for other in (average, again, copy.deepcopy(average)):
        np.testing.assert_array_equal(other(x).detach().numpy(), model(x).detach().numpy())


def test_statistics_of_a_pass_over_the_data():
    model = network().eval()
    batches = [minidl.randn(6, 3) for _ in range(4)]
    swa_utils.update_bn([(batch, None) for batch in batches], model)
    hidden = [model[0](batch).detach().numpy() for batch in batches]
    np.testing.assert_allclose(
        model[1].running_mean.numpy(), np.mean([h.mean(0) for h in hidden], 0), rtol=1e-4, atol=1e-6
    )
    assert model[1].momentum == 0.1 and not model.training
    swa_utils.update_bn([], nn.Linear(1, 1))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: swa_utils.get_ema_avg_fn(1.5), ValueError, "Invalid decay value 1.5 provided"),
        (lambda: swa_utils.get_ema_multi_avg_fn(-1), ValueError, "Invalid decay value -1 provided"),
        (lambda: swa_utils.AveragedModel(network(), None, min, max), AssertionError, "Only one of avg_fn and"),
        (lambda: swa_utils.SWALR(sgd(), 0.1, anneal_epochs=-1), ValueError, "anneal_epochs must be equal or greater"),
        (lambda: swa_utils.SWALR(sgd(), 0.1, anneal_strategy="a"), ValueError, "anneal_strategy must be one of 'cos'"),
        (lambda: swa_utils.SWALR(sgd(), [0.1, 0.2]), ValueError, "swa_lr must have the same length as"),
    ],
)  # fmt: skip
def test_refusals(call, error, text):
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)


def sgd():
    return optim.SGD([nn.Parameter(minidl.ones(1))], lr=0.1)
