"""Schedules beside PyTorch's: rates and momenta over 40 epochs, state there and back, resuming, warnings, refusals."""

import math
import warnings

import numpy as np
import pytest
import torch

import minidl

EPOCHS = 40


class Root:
    """A callable object, whose attributes a state holds."""

    def __init__(self, power=0.5):
        self.power = power

    def __call__(self, x):
        return (x + 1) ** -self.power


def sequential(lr, optimizer):
    return lr.SequentialLR(
        optimizer,
        [lr.ConstantLR(optimizer, 0.1, 2), lr.ExponentialLR(optimizer, 0.9), lr.StepLR(optimizer, 4)],
        [3, 20],
    )


def warm_up_then_cosine(lr, optimizer):
    warm_up = lr.LinearLR(optimizer, start_factor=0.01, total_iters=5)
    return lr.SequentialLR(optimizer, [warm_up, lr.CosineAnnealingLR(optimizer, T_max=35)], milestones=[5])


def restarts_in_turn(lr, optimizer):
    restarts = lr.CosineAnnealingWarmRestarts(optimizer, 4, 2)
    return lr.SequentialLR(optimizer, [lr.LinearLR(optimizer), restarts], milestones=[7])


def chained(lr, optimizer):
    return lr.ChainedScheduler([lr.ConstantLR(optimizer, 0.1, 4), lr.ExponentialLR(optimizer, 0.9)])


def chained_in_turn(lr, optimizer):
    parts = [lr.ConstantLR(optimizer, 0.1, 4), lr.ExponentialLR(optimizer, 0.9)]
    return lr.SequentialLR(
        optimizer, [lr.ChainedScheduler(parts, optimizer), lr.PolynomialLR(optimizer, 9)], [10]
    )


SCHEDULES = {
    "constant": lambda lr, o: lr.ConstantLR(o),
    "constant longer": lambda lr, o: lr.ConstantLR(o, factor=0.2, total_iters=12),
    "multiplicative": lambda lr, o: lr.MultiplicativeLR(o, lambda epoch: 0.9 + 0.001 * epoch),
    "multiplicative, a function a group": lambda lr, o: lr.MultiplicativeLR(o, [lambda epoch: 0.9, Root(0.1)]),
    "polynomial": lambda lr, o: lr.PolynomialLR(o),
    "polynomial longer": lambda lr, o: lr.PolynomialLR(o, total_iters=30, power=2.5),
    "restarts": lambda lr, o: lr.CosineAnnealingWarmRestarts(o, 5),
    "restarts, longer each": lambda lr, o: lr.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.01),
    "cyclic": lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, step_size_up=4),
    "cyclic, slow down": lambda lr, o: lr.CyclicLR(o, [0.01, 0.02], [0.1, 0.3], 3, 7, base_momentum=[0.5, 0.6]),
    "cyclic triangular2": lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, step_size_up=4, mode="triangular2"),
    "cyclic exp_range": lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, step_size_up=4, mode="exp_range", gamma=0.95),
    "cyclic, a function": lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, step_size_up=4, scale_fn=lambda x: 1 / x),
    "cyclic, an object": lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, 4, scale_fn=Root(), scale_mode="iterations"),
    "cyclic without momentum": lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, step_size_up=4, cycle_momentum=False),
    "one cycle": lambda lr, o: lr.OneCycleLR(o, max_lr=0.5, total_steps=EPOCHS),
    "one cycle of epochs": lambda lr, o: lr.OneCycleLR(
        o, [0.5, 0.7], epochs=5, steps_per_epoch=9, pct_start=0.4, anneal_strategy="linear", max_momentum=[0.9, 0.8]
    ),
    "one cycle, three phases": lambda lr, o: lr.OneCycleLR(
        o, 0.5, EPOCHS, three_phase=True, pct_start=0.25, div_factor=10.0, final_div_factor=100.0
    ),
    "one cycle without momentum": lambda lr, o: lr.OneCycleLR(o, 0.5, EPOCHS, cycle_momentum=False),
    "sequential": sequential,
    "warm-up, then cosine": warm_up_then_cosine,
    "restarts in turn": restarts_in_turn,
    "chained": chained,
    "chained in turn": chained_in_turn,
}  # fmt: skip
schedules = pytest.mark.parametrize("name", SCHEDULES)
premature = pytest.mark.filterwarnings(
    "ignore:Detected call of"
)  # "chained in turn" steps its parts when it is made
LIBRARIES = [minidl, torch]


def optimizer_of(library, kind="SGD", tensors=False):
    a, b = (library.nn.Parameter(library.ones(1)) for _ in range(2))
    rates = [library.tensor(r, dtype=library.float64) if tensors else r for r in (0.1, 0.2)]
    options = {"momentum": 0.9} if kind == "SGD" else {}
    groups = [{"params": [a], "lr": rates[0]}, {"params": [b], "lr": rates[1]}]
    return getattr(library.optim, kind)(groups, lr=0.1, **options)


def numbers(rates):
    return [float(rate) for rate in rates]


def go(scheduler, optimizer, epochs):
    """Rates and the options of the groups that a schedule may move, an epoch a row."""
    rows = []
    for _ in range(epochs):
        optimizer.step()
        scheduler.step()
        last = numbers(scheduler.get_last_lr())
        assert last == numbers(group["lr"] for group in optimizer.param_groups)
        momenta = [
            group["betas"][0] if "betas" in group else group["momentum"] for group in optimizer.param_groups
        ]
        rows.append([*last, *momenta])
    return rows


@schedules
@premature
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("tensors", [False, True], ids=["numbers", "tensors"])
def test_rates_are_the_same(name, kind, tensors):
    found = []
    for library in LIBRARIES:
        optimizer = optimizer_of(library, kind, tensors)
        scheduler = SCHEDULES[name](library.optim.lr_scheduler, optimizer)
        rows = [numbers(scheduler.get_last_lr())]
        assert rows[0] == numbers(group["lr"] for group in optimizer.param_groups)
        found.append((rows, go(scheduler, optimizer, EPOCHS - 1)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-9, atol=1e-15)


def assert_same_state(ours, theirs):
    assert type(ours) is type(theirs)
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
        for key, value in ours.items():
            assert_same_state(value, theirs[key])
    elif isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same_state(a, b)
    elif isinstance(ours, float):
        assert math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-15)
    else:
        assert ours == theirs


@schedules
@premature
def test_state_is_the_same_and_travels_both_ways(name):
    made = []
    for library in LIBRARIES:
        optimizer = optimizer_of(library)
        scheduler = SCHEDULES[name](library.optim.lr_scheduler, optimizer)
        go(scheduler, optimizer, 11)
        made.append((optimizer, scheduler))
    states = [scheduler.state_dict() for _, scheduler in made]
    assert_same_state(*states)
    groups = [
        [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
        for optimizer, _ in made
    ]
    for ours, theirs in zip(*groups, strict=True):
        assert list(ours) == list(theirs)
    wanted = go(made[1][1], made[1][0], 20)
    for library, state, saved in ((minidl, states[1], groups[1]), (torch, states[0], groups[0])):
        optimizer = optimizer_of(library)
        scheduler = SCHEDULES[name](library.optim.lr_scheduler, optimizer)
        for group, options in zip(optimizer.param_groups, saved, strict=True):
            group.update(options)
        before = dict(state)
        scheduler.load_state_dict(state)
        assert before == state or library is torch  # which takes an entry out of that of CyclicLR
        np.testing.assert_allclose(go(scheduler, optimizer, 20), wanted, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    "name",
    [name for name in SCHEDULES if not any(word in name for word in ("sequential", "turn", "chain", "then"))],
)
def test_resuming_at_an_epoch_is_the_same(name, monkeypatch):
    """With ``last_epoch``, as programs do that save no state of the schedule."""
    found = []
    for library in LIBRARIES:
        module, optimizer = library.optim.lr_scheduler, optimizer_of(library)
        go(SCHEDULES[name](module, optimizer), optimizer, 6)

        class Resumed:
            def __getattr__(self, kind, module=module):
                return lambda *args, **kwargs: getattr(module, kind)(*args, **kwargs, last_epoch=5)

        scheduler = SCHEDULES[name](Resumed(), optimizer)
        found.append([numbers(scheduler.get_last_lr()), *(row[:2] for row in go(scheduler, optimizer, 20))])
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    "name", ["constant", "constant longer", "polynomial", "polynomial longer", "restarts"]
)
def test_closed_forms_are_the_same(name):
    found = []
    for library in LIBRARIES:
        optimizer = optimizer_of(library)
        scheduler = SCHEDULES[name](library.optim.lr_scheduler, optimizer)
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = []
            for epoch in (3, 11, 2, 31):
                scheduler.step(epoch)
                rows.append(scheduler.get_last_lr())
        found.append(rows)
    np.testing.assert_allclose(*found, rtol=1e-12)


@pytest.mark.parametrize("options", [{"T_0": 5}, {"T_0": 3, "T_mult": 2}])
def test_restarts_at_fractions_of_epochs(options):
    found = []
    for library in LIBRARIES:
        optimizer = optimizer_of(library)
        scheduler = library.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, **options)
        rows = []
        for epoch in (0.5, 2.75, 3.25, 4.5, 17.125, 26, None, None, 1.5, None):
            scheduler.step(epoch)
            rows.append([*scheduler.get_last_lr(), scheduler.T_cur, scheduler.T_i, scheduler.last_epoch])
        with pytest.raises(ValueError, match="Expected non-negative epoch, but got -1"):
            scheduler.step(-1)
        found.append(rows)
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_one_cycle_ends():
    texts = []
    for library in LIBRARIES:
        optimizer = optimizer_of(library)
        scheduler = library.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=5)
        go(scheduler, optimizer, 5)
        with pytest.raises(ValueError) as raised:
            scheduler.step()
        texts.append(str(raised.value))
    assert texts[0] == texts[1]


@schedules
def test_warnings_are_the_same(name):
    found = []
    for library in LIBRARIES:
        optimizer = optimizer_of(library)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            scheduler = SCHEDULES[name](library.optim.lr_scheduler, optimizer)
            scheduler.step()
            optimizer.step()
            scheduler.step()
            another = library.optim.lr_scheduler.StepLR(optimizer, 3)
            another.step()
            another.get_lr()
        found.append([str(w.message) for w in seen if w.category is UserWarning])
    assert found[0] == found[1]


BAD = [
    lambda lr, o: lr.ConstantLR(o, factor=1.5),
    lambda lr, o: lr.MultiplicativeLR(o, 3),
    lambda lr, o: lr.MultiplicativeLR(o, [abs]),
    lambda lr, o: lr.LinearLR(o, start_factor=0),
    lambda lr, o: lr.CosineAnnealingWarmRestarts(o, 0),
    lambda lr, o: lr.CosineAnnealingWarmRestarts(o, 2.5),
    lambda lr, o: lr.CosineAnnealingWarmRestarts(o, 2, 0),
    lambda lr, o: lr.CosineAnnealingWarmRestarts(o, 2, 1, "a"),
    lambda lr, o: lr.CyclicLR(o, 0.1, 0.2, mode="square"),
    lambda lr, o: lr.CyclicLR(o, [0.1], 0.2),
    lambda lr, o: lr.CyclicLR(o, 0.1, [0.2] * 3),
    lambda lr, o: lr.CyclicLR(3, 0.1, 0.2),
    lambda lr, o: lr.OneCycleLR(3, 0.1, 10),
    lambda lr, o: lr.OneCycleLR(o, 0.1),
    lambda lr, o: lr.OneCycleLR(o, 0.1, epochs=3),
    lambda lr, o: lr.OneCycleLR(o, 0.1, total_steps=0),
    lambda lr, o: lr.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=1),
    lambda lr, o: lr.OneCycleLR(o, 0.1, epochs=1, steps_per_epoch=1.5),
    lambda lr, o: lr.OneCycleLR(o, 0.1, 10, pct_start=1.5),
    lambda lr, o: lr.OneCycleLR(o, 0.1, 10, pct_start=1),
    lambda lr, o: lr.OneCycleLR(o, 0.1, 10, anneal_strategy="square"),
    lambda lr, o: lr.OneCycleLR(o, [0.1], 10),
    lambda lr, o: lr.SequentialLR(o, [], []),
    lambda lr, o: lr.SequentialLR(o, [lr.StepLR(o, 1)], [1]),
    lambda lr, o: lr.SequentialLR(o, [3], []),
    lambda lr, o: lr.SequentialLR(o, [lr.ReduceLROnPlateau(o)], []),
    lambda lr, o: lr.ChainedScheduler([]),
    lambda lr, o: lr.ChainedScheduler([3], o),
    lambda lr, o: lr.ChainedScheduler([lr.ReduceLROnPlateau(o)]),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_refusals_are_the_same(number):
    texts = []
    for library in LIBRARIES:
        with pytest.raises((ValueError, TypeError)) as raised:
            BAD[number](library.optim.lr_scheduler, optimizer_of(library))
        texts.append((raised.type, str(raised.value).split(", got 0")[0].rstrip(".")))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("kind", ["CyclicLR", "OneCycleLR"])
def test_an_optimizer_without_momentum_is_refused(kind):
    for library in LIBRARIES:
        optimizer = library.optim.Adagrad([library.nn.Parameter(library.ones(1))])
        with pytest.raises(
            ValueError, match="optimizer must support momentum or beta1 with `cycle_momentum`"
        ):
            getattr(library.optim.lr_scheduler, kind)(optimizer, 0.1, 5)


def test_schedules_of_several_optimizers_are_refused():
    for library in LIBRARIES:
        lr, a, b = library.optim.lr_scheduler, optimizer_of(library), optimizer_of(library)
        for make in (
            lambda lr=lr, a=a, b=b: lr.SequentialLR(a, [lr.StepLR(a, 1), lr.StepLR(b, 1)], [2]),
            lambda lr=lr, a=a, b=b: lr.ChainedScheduler([lr.StepLR(a, 1), lr.StepLR(b, 1)]),
        ):
            with pytest.raises(
                ValueError, match="expects all schedulers to belong to the same optimizer, but got"
            ):
                make()
