"""Optimizers and schedules against Keras: ten steps of weights and state, names of the state, configs."""

import keras
import numpy as np
import pytest
import torch

import minidl
from minidl import keras as ours

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
R = np.random.default_rng(2)
SHAPES = [(4, 3), (3,), (2, 2, 3, 5), (6, 7)]
START = [R.normal(size=s).astype("float32") for s in SHAPES]
GRADS = [[(R.normal(size=s) * 3 ** R.normal()).astype("float32") for s in SHAPES] for _ in range(10)]

CASES = [
    ("SGD", {}), ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("RMSprop", {}), ("RMSprop", {"momentum": 0.5, "centered": True}), ("RMSprop", {"rho": 0.8, "epsilon": 1e-3}),
    ("Adam", {}), ("Adam", {"amsgrad": True, "epsilon": 1e-3}), ("Adam", {"weight_decay": 0.1, "beta_1": 0.8}),
    ("AdamW", {}), ("Adagrad", {}), ("Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 1e-2}),
    ("Adadelta", {}), ("Adadelta", {"learning_rate": 1.0, "rho": 0.9}), ("Adamax", {}), ("Nadam", {}),
    ("Ftrl", {}), ("Ftrl", {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02, "beta": 0.1,
                            "l2_shrinkage_regularization_strength": 0.03, "learning_rate_power": -0.7}),
    ("Lion", {}), ("Lamb", {}), ("Lamb", {"weight_decay": 0.01}), ("Adafactor", {}),
    ("Adafactor", {"relative_step": False, "learning_rate": 0.05, "clip_threshold": 0.5}),
    ("Muon", {}), ("Muon", {"nesterov": False, "rms_rate": None, "ns_steps": 3}),
    # ScheduleFreeAdamW of Keras 3.15 reads, on torch, a point that it has already moved: tests/keras holds ours
    ("SGD", {"clipnorm": 0.5}), ("SGD", {"clipvalue": 0.2}), ("Adam", {"global_clipnorm": 1.0}),
    ("SGD", {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3, "momentum": 0.9}),
    ("Adam", {"gradient_accumulation_steps": 3}), ("SGD", {"loss_scale_factor": 4.0}),
]  # fmt: skip
IDS = [f"{i}-{n}-{'-'.join(k)}" for i, (n, k) in enumerate(CASES)]


class Named:
    """A weight as the engine shows it: the parameter in PyTorch's layout, named and laid out as Keras'."""

    def __init__(self, values, path, layout=None):
        self.path, self.name = path, path.rpartition("/")[2]
        self.layout = layout
        order = values.transpose(np.argsort(layout)) if layout else values
        self.parameter = minidl.nn.Parameter(minidl.tensor(np.ascontiguousarray(order)))
        self.shape = values.shape

    parameters = property(lambda self: [self.parameter])
    value = property(lambda self: self.parameter)

    def numpy(self):
        values = self.parameter.detach().numpy()
        return values.transpose(self.layout) if self.layout else values


LAYOUTS = [(1, 0), None, (2, 3, 1, 0), (1, 0)]


def pairs():
    paths = [f"model/layer_{i}/{'bias' if len(s) == 1 else 'kernel'}" for i, s in enumerate(SHAPES)]
    ours_ = [Named(v, p, layout) for v, p, layout in zip(START, paths, LAYOUTS, strict=True)]
    theirs = []
    for values, path in zip(START, paths, strict=True):
        variable = keras.Variable(values, name=path.rpartition("/")[2])
        variable._path = path
        theirs.append(variable)
    return ours_, theirs


def step(one, theirs, variables, keras_variables, grads):
    mine = [
        minidl.tensor(np.ascontiguousarray(g.transpose(np.argsort(v.layout)) if v.layout else g))
        for g, v in zip(grads, variables, strict=True)
    ]
    one.apply(mine, variables)
    theirs.apply([torch.tensor(g) for g in grads], keras_variables)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_ten_steps(name, kwargs):
    one, theirs = getattr(ours.optimizers, name)(**kwargs), getattr(keras.optimizers, name)(**kwargs)
    variables, keras_variables = pairs()
    for grads in GRADS:
        step(one, theirs, variables, keras_variables, grads)
    for mine, other in zip(variables, keras_variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=2e-5, atol=2e-6)
    assert [v.path.rpartition("/")[2] for v in one.variables] == [
        v.path.rpartition("/")[2] for v in theirs.variables
    ]
    assert int(one.iterations) == int(theirs.iterations)
    for mine, other in zip(one.variables, theirs.variables, strict=True):
        assert tuple(mine.shape) == tuple(other.shape)
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=5e-5, atol=1e-6)
    one.finalize_variable_values()
    theirs.finalize_variable_values(keras_variables)
    for mine, other in zip(variables, keras_variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_state_goes_to_keras_and_back(name, kwargs):
    one, theirs = getattr(ours.optimizers, name)(**kwargs), getattr(keras.optimizers, name)(**kwargs)
    variables, keras_variables = pairs()
    for grads in GRADS[:4]:
        step(one, theirs, variables, keras_variables, grads)
    fresh = getattr(ours.optimizers, name)(**kwargs)
    fresh.build(variables)
    store = {}
    theirs.save_own_variables(store)
    fresh.load_own_variables(store)
    for grads in GRADS[4:]:
        step(fresh, theirs, variables, keras_variables, grads)
    for mine, other in zip(variables, keras_variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=5e-5, atol=5e-6)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=IDS)
def test_config(name, kwargs):
    one, theirs = getattr(ours.optimizers, name)(**kwargs), getattr(keras.optimizers, name)(**kwargs)
    mine, other = one.get_config(), theirs.get_config()
    assert mine["name"].rstrip("_0123456789") == other["name"].rstrip("_0123456789")
    assert {**mine, "name": ""} == {**other, "name": ""}
    back = ours.optimizers.deserialize(keras.optimizers.serialize(theirs))
    assert {**back.get_config(), "name": ""} == {**mine, "name": ""}
    if name == "Lamb":  # Keras 3.15 does not know its name
        return
    there = keras.optimizers.deserialize(ours.optimizers.serialize(one))
    assert {**there.get_config(), "name": ""} == {**mine, "name": ""}


def test_loss_scale():
    one = ours.optimizers.LossScaleOptimizer(
        ours.optimizers.Adam(0.01), initial_scale=8.0, dynamic_growth_steps=3
    )
    theirs = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.01), initial_scale=8.0, dynamic_growth_steps=3
    )
    variables, keras_variables = pairs()
    for i, grads in enumerate(GRADS):
        grads = [g.copy() for g in grads]
        if i in (4, 8):
            grads[0][0, 0] = np.inf
        step(one, theirs, variables, keras_variables, grads)
        assert float(one.dynamic_scale) == float(theirs.dynamic_scale)
        assert int(one.step_counter) == int(theirs.step_counter)
    for mine, other in zip(variables, keras_variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=2e-5, atol=2e-6)
    names = [[v.path.rpartition("/")[2] for v in optimizer.variables] for optimizer in (one, theirs)]
    assert names[0] == names[1]
    back = ours.optimizers.deserialize(ours.optimizers.serialize(one))
    assert back.inner_optimizer.get_config()["learning_rate"] == pytest.approx(0.01)


SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [5, 12], "values": [0.1, 0.05, 0.01]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "power": 2.0}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "end_learning_rate": 0.02, "cycle": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 15, "alpha": 0.1}),
    ("CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 15, "warmup_target": 0.1, "warmup_steps": 6}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.0, "m_mul": 0.8,
                             "alpha": 0.05}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kwargs"), SCHEDULES)
def test_schedule(name, kwargs):
    one = getattr(ours.optimizers.schedules, name)(**kwargs)
    theirs = getattr(keras.optimizers.schedules, name)(**kwargs)
    for at in range(40):
        if name == "CosineDecayRestarts" and "t_mul" not in kwargs and at in (5, 15, 35):
            continue  # a restart, where Keras' float32 may still be at the end of the last
        assert one(at) == pytest.approx(float(theirs(at)), rel=1e-4, abs=1e-7), at
    assert one.get_config() == theirs.get_config()
    back = ours.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(theirs))
    assert back.get_config() == one.get_config()
    adam, keras_adam = ours.optimizers.Adam(one), keras.optimizers.Adam(theirs)
    variables, keras_variables = pairs()
    for grads in GRADS:
        step(adam, keras_adam, variables, keras_variables, grads)
    np.testing.assert_allclose(variables[0].numpy(), keras_variables[0].numpy(), rtol=2e-5, atol=2e-5)
    again = ours.optimizers.deserialize(keras.optimizers.serialize(keras_adam))
    assert again.get_config()["learning_rate"] == adam.get_config()["learning_rate"]
