"""Optimizers without Keras: formulas by hand, devices of state, refusals, old names, weights held in two parts."""

import numpy as np
import pytest

import minidl
from minidl import keras

OPT = keras.optimizers
NAMES = [n for n in OPT.__all__ if n[0].isupper() and n not in ("Optimizer", "LossScaleOptimizer")]


def weight(*values, dtype="float32"):
    return minidl.nn.Parameter(minidl.tensor(np.array(values, dtype)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_a_bowl_is_descended(name, dtype):
    rate = {"Adadelta": 10.0, "Ftrl": 0.5, "Adagrad": 0.5, "Adafactor": 0.5}.get(name, 0.05)
    optimizer = OPT.get(name.lower()).from_config({"learning_rate": rate})
    optimizer = (
        getattr(OPT, name)(learning_rate=rate) if type(optimizer) is not getattr(OPT, name) else optimizer
    )
    w = minidl.nn.Parameter(minidl.tensor(np.array([[1.0, -2.0], [0.5, 3.0]], dtype)))
    first = float((w * w).sum().detach())
    for _ in range(60):
        w.grad = None
        (w * w).sum().backward()
        optimizer.apply([w.grad], [w])
    assert w.dtype.name == dtype
    assert float((w.float() ** 2).sum().detach()) < 0.7 * first
    assert np.isfinite(w.detach().numpy()).all()


def test_adam_by_hand():
    w, optimizer = weight(1.0), OPT.Adam(0.1, epsilon=0.5)
    m = v = 0.0
    x = 1.0
    for t, g in enumerate((2.0, -1.0, 0.5), 1):
        optimizer.apply([minidl.tensor([g])], [w])
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x -= 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 0.5)
        assert float(w.detach()) == pytest.approx(x, rel=1e-6)


def test_schedule_free_by_hand():
    w, optimizer = weight(1.0), OPT.ScheduleFreeAdamW(0.1)
    z = mean = 1.0
    v = 0.0
    for t, g in enumerate((2.0, -1.0, 0.5), 1):
        optimizer.apply([minidl.tensor([g])], [w])
        v = 0.999 * v + 0.001 * g * g
        z -= 0.1 * g / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        mean = (1 - 1 / t) * mean + z / t
        assert float(w.detach()) == pytest.approx(0.1 * z + 0.9 * mean, rel=1e-5)


class Halves:
    """A weight of (2, n) that two parameters hold, a row each."""

    path = name = "gate/bias"

    class Layout:
        def to_keras(self, *tensors):
            return minidl.stack(tensors)

        def from_keras(self, tensor):
            return [tensor[0], tensor[1]]

    layout = Layout()

    def __init__(self, values):
        self.parameters = [minidl.nn.Parameter(minidl.tensor(row)) for row in values]
        self.shape = values.shape


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", [{}, {"clipnorm": 0.5}, {"use_ema": True, "ema_overwrite_frequency": 2}])
def test_a_weight_in_two_parts_moves_as_one(name, options):
    generator = np.random.default_rng(0)
    values = generator.normal(size=(2, 3)).astype("float32")
    halves, whole = Halves(values), minidl.nn.Parameter(minidl.tensor(values))
    one, other = getattr(OPT, name)(**options), getattr(OPT, name)(**options)
    for _ in range(4):
        grad = generator.normal(size=(2, 3)).astype("float32")
        one.apply([[minidl.tensor(grad[0]), minidl.tensor(grad[1])]], [halves])
        other.apply([minidl.tensor(grad)], [whole])
    moved = np.stack([p.detach().numpy() for p in halves.parameters])
    np.testing.assert_allclose(moved, whole.detach().numpy(), rtol=1e-5, atol=1e-6)
    for a, b in zip(one.variables, other.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-7)
    again = getattr(OPT, name)(**options)
    again.build([halves])
    again.set_weights(one.get_weights())
    for a, b in zip(one.variables, again.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_an_optimizer_written_as_for_keras():
    class Plain(OPT.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.speeds = [self.add_variable_from_reference(v, name="speed") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            speed = self.speeds[self._get_variable_index(variable)]
            self.assign(speed, 0.5 * speed + -gradient * learning_rate)
            self.assign_add(variable, speed)

    w, x = weight(1.0, 2.0), weight(1.0, 2.0)
    mine, other = Plain(0.1), OPT.SGD(0.1, momentum=0.5)
    for _ in range(3):
        mine.apply([minidl.tensor([1.0, -1.0])], [w])
        other.apply([minidl.tensor([1.0, -1.0])], [x])
    np.testing.assert_allclose(w.detach().numpy(), x.detach().numpy(), rtol=1e-6)
    state = mine.speeds[0]
    state.assign([1.0, 2.0])
    state.assign_add([1.0, 1.0])
    state.assign_sub(state / 2)
    assert state.numpy().tolist() == [1.0, 1.5]
    for found in (2 - state, 2 + -state, state**0 * 1 - state + 1, (state + state) / -2 + 2):
        np.testing.assert_allclose(found.numpy(), [1.0, 0.5])


def test_constraints_act_after_the_step():
    w = weight(1.0, -1.0)
    w.constraint = keras.constraints.NonNeg()
    OPT.SGD(0.1).apply([minidl.tensor([0.0, 0.0])], [w])
    np.testing.assert_array_equal(w.detach().numpy(), [1.0, 0.0])


def test_what_is_excluded_does_not_decay():
    for cls in (OPT.AdamW, OPT.SGD, OPT.Muon):
        w, b = weight(1.0), weight(1.0)
        b.name = "bias"
        optimizer = cls(0.5, weight_decay=0.1)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.apply([minidl.tensor([0.0])] * 2, [w, b])
        assert float(w.detach()) < 1
        assert float(b.detach()) == 1
        with pytest.raises(ValueError, match="before"):
            optimizer.exclude_from_weight_decay(var_list=[w])


def test_the_rate_is_set_and_read():
    optimizer = OPT.Adam(0.01)
    assert float(optimizer.learning_rate) == pytest.approx(0.01)
    optimizer.learning_rate = 0.5
    assert float(optimizer.learning_rate) == 0.5
    optimizer.learning_rate.assign(0.25)
    assert optimizer.get_config()["learning_rate"] == 0.25
    optimizer.learning_rate = OPT.schedules.ExponentialDecay(0.1, 1, 0.5)
    assert optimizer.learning_rate == 0.1
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        optimizer.learning_rate = 0.1
    assert float(OPT.SGD(lambda: 0.125).learning_rate) == 0.125


def test_names_of_keras_2():
    with pytest.warns(DeprecationWarning, match="learning_rate"):
        optimizer = OPT.Adam(lr=0.5)
    assert float(optimizer.learning_rate) == 0.5
    with pytest.warns(DeprecationWarning, match="learning_rate"):
        assert float(optimizer.lr) == 0.5
    with pytest.warns(DeprecationWarning, match="learning_rate"):
        optimizer.lr = 0.25
    assert float(optimizer.learning_rate) == 0.25
    with pytest.warns(DeprecationWarning, match="InverseTimeDecay"):
        decayed = OPT.SGD(learning_rate=1.0, decay=0.5)
    w = weight(0.0)
    for _ in range(3):
        decayed.apply([minidl.tensor([-1.0])], [w])
    assert float(w.detach()) == pytest.approx(1 + 1 / 1.5 + 1 / 2)
    config = {
        "class_name": "Custom>Adam",
        "config": {"learning_rate": 0.1, "jit_compile": True, "decay": 0.0},
    }
    assert float(OPT.deserialize(config).learning_rate) == pytest.approx(0.1)


def test_missing_gradients():
    w, b, optimizer = weight(1.0), weight(1.0), OPT.SGD(1.0)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([minidl.tensor([1.0]), None], [w, b])
    assert (float(w.detach()), float(b.detach())) == (0.0, 1.0)
    optimizer.apply([minidl.tensor([1.0])], [w])
    optimizer.apply_gradients([(minidl.tensor([1.0]), w)])
    assert float(w.detach()) == -2.0
    assert int(optimizer.iterations) == 3


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: OPT.get("adm"), ValueError, "Did you mean 'adam'"),
        (lambda: OPT.get(3), ValueError, "Could not interpret optimizer"),
        (lambda: OPT.Adam(clipnorm=1.0, clipvalue=1.0), ValueError, "Only one of"),
        (lambda: OPT.Adam(use_ema=True, ema_momentum=2.0), ValueError, "ema_momentum"),
        (lambda: OPT.Adam(gradient_accumulation_steps=1), ValueError, "gradient_accumulation_steps"),
        (lambda: OPT.Adam(unknown=1), ValueError, "not recognized"),
        (lambda: OPT.SGD(momentum=2.0), ValueError, "momentum"),
        (lambda: OPT.Ftrl(beta=-1.0), ValueError, "beta"),
        (lambda: OPT.Ftrl(learning_rate_power=0.5), ValueError, "learning_rate_power"),
        (lambda: OPT.Lion(beta_1=0.0), ValueError, "beta_1"),
        (lambda: OPT.SGD().apply([minidl.tensor([1.0])]), ValueError, "must already be built"),
        (lambda: OPT.SGD().apply([None], [weight(1.0)]), ValueError, "No gradients provided"),
        (lambda: OPT.SGD().apply([minidl.tensor([1.0, 2.0])], [weight(1.0)]), ValueError, "shape"),
        (lambda: OPT.SGD().set_weights([]), ValueError, "not yet been built"),
        (lambda: OPT.Optimizer(0.1).apply([minidl.tensor([1.0])], [weight(1.0)]), AttributeError, "_step"),
        (lambda: OPT.LossScaleOptimizer(OPT.SGD(), dynamic=False), ValueError, "dynamic"),
        (lambda: OPT.LossScaleOptimizer(OPT.SGD(), clipnorm=1.0), ValueError, "inner_optimizer"),
        (lambda: OPT.schedules.ExponentialDecay(0.1, 0, 0.5), ValueError, "decay_steps"),
        (lambda: OPT.schedules.PiecewiseConstantDecay([1], [0.1]), ValueError, "boundaries"),
        (lambda: OPT.schedules.LearningRateSchedule()(1), NotImplementedError, "override"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_weights_of_another_model_are_refused():
    optimizer = OPT.SGD()
    optimizer.build([weight(1.0)])
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply([minidl.tensor([1.0])], [weight(1.0)])
    with pytest.raises(ValueError, match="one-to-on"):
        optimizer.apply([minidl.tensor([1.0])] * 2)
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        optimizer.load_own_variables({"0": np.array(1)})


def test_steps_are_seen_by_the_tape():
    w = weight(1.0)
    loss = (w * w).sum()
    OPT.Adagrad().apply([minidl.tensor([1.0])], [w])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
