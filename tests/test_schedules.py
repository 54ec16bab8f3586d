"""Learning-rate schedules: their formulas, the order of calls, groups, rates that are tensors."""

import warnings

import numpy as np
import pytest

import minidl
from minidl import nn, optim
from minidl.optim import lr_scheduler


def parameter(*shape):
    out = nn.Parameter(minidl.ones(*shape))
    out.grad = minidl.ones(*shape)
    return out


def test_call_order_is_watched():
    optimizer = optim.SGD([parameter(2)], lr=0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    scheduler = lr_scheduler.StepLR(optimizer, 1)
    optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


def test_get_lr_outside_step_warns_and_epoch_is_deprecated():
    optimizer = optim.SGD([parameter(2)], lr=1.0)
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    with pytest.warns(UserWarning, match=r"get_last_lr\(\)"):
        scheduler.get_lr()
    with pytest.warns(UserWarning, match="epoch parameter"):
        scheduler.step(3)
    assert scheduler.get_last_lr() == [0.125]


def test_plateau_with_a_late_group():
    optimizer = optim.SGD([parameter(2)], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0])
    optimizer.add_param_group({"params": [parameter(1)]})
    scheduler.step(1.0)
    with pytest.raises(RuntimeError, match="modify the `min_lrs` field"):
        scheduler.step(1.0)


def test_a_tensor_learning_rate_is_written_in_place():
    rate = minidl.tensor(1.0)
    optimizer = optim.SGD([parameter(2)], lr=rate)
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert rate.item() == 0.5
    assert scheduler.get_last_lr()[0].item() == 0.5


def rates(scheduler, steps):
    found = [scheduler.get_last_lr()[0]]
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
        found += scheduler.get_last_lr()
    return found


SCHEDULES = {
    "constant": (lambda o: lr_scheduler.ConstantLR(o, 0.5, 2), [0.5, 0.5, 1, 1, 1]),
    "multiplicative": (
        lambda o: lr_scheduler.MultiplicativeLR(o, lambda epoch: 1 / epoch), [1, 1, 1 / 2, 1 / 6, 1 / 24],
    ),
    "polynomial": (lambda o: lr_scheduler.PolynomialLR(o, 3, 2.0), [1, 4 / 9, 1 / 9, 0, 0]),
    "restarts": (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2), [1, 0.5, 1, 0.5, 1]),
    "cyclic": (lambda o: lr_scheduler.CyclicLR(o, 0.2, 0.6, 2), [0.2, 0.4, 0.6, 0.4, 0.2]),
    "cyclic halved": (
        lambda o: lr_scheduler.CyclicLR(o, 0.2, 0.6, 1, mode="triangular2"), [0.2, 0.6, 0.2, 0.4, 0.2]
    ),
    "one cycle": (
        lambda o: lr_scheduler.OneCycleLR(
            o, 1.0, 5, pct_start=0.6, anneal_strategy="linear", div_factor=5.0, final_div_factor=2.0
        ),
        [0.2, 0.6, 1, 0.55, 0.1],
    ),
    "in turn": (
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.ConstantLR(o, 0.1), lr_scheduler.ExponentialLR(o, 0.5)], [2]
        ),
        [0.1, 0.1, 1, 0.5, 0.25],
    ),
    "chained": (
        lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.ConstantLR(o, 0.1, 2), lr_scheduler.StepLR(o, 3, 0.5)]),
        [0.1, 0.1, 1, 0.5, 0.5],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_follow_their_formula(name):
    make, wanted = SCHEDULES[name]
    scheduler = make(optim.SGD([parameter(2)], lr=1.0, momentum=0.9))
    np.testing.assert_allclose(rates(scheduler, 4), wanted, atol=1e-12)


def test_momentum_goes_against_the_rate():
    for kind in (lambda p: optim.SGD(p, momentum=0.5), optim.Adam):
        optimizer = kind([parameter(2)])
        scheduler = lr_scheduler.CyclicLR(optimizer, 0.1, 0.2, 2, base_momentum=0.6, max_momentum=0.8)
        found = []
        for _ in range(4):
            group = optimizer.param_groups[0]
            found.append(group["betas"][0] if "betas" in group else group["momentum"])
            optimizer.step()
            scheduler.step()
        np.testing.assert_allclose(found, [0.8, 0.7, 0.6, 0.7])
