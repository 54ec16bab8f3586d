"""Learning rates that change with the step.

>>> from minidl import keras
>>> schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
>>> schedule(10)
0.05
"""

import math

from minidl.keras.identifiers import Identifiers

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


class LearningRateSchedule:
    """Base of the schedules: ``schedule(step)`` is the learning rate at a step, a Python float."""

    _names = ()

    def __call__(self, step):
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self):
        """The constructor's arguments."""
        if not self._names and type(self).__init__ is not object.__init__:
            raise NotImplementedError(
                f"Learning rate schedule '{type(self).__name__}' must override `get_config()` to be saved."
            )
        return {name: getattr(self, name) for name in self._names}

    @classmethod
    def from_config(cls, config):
        """The schedule that ``get_config`` describes."""
        return cls(**config)


def _positive(decay_steps):
    if decay_steps <= 0:
        raise ValueError(f"Argument `decay_steps` must be > 0. Received: decay_steps={decay_steps}")
    return decay_steps


class ExponentialDecay(LearningRateSchedule):
    """initial * decay_rate^(step / decay_steps); ``staircase`` takes whole numbers of the exponent."""

    _names = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"
    ):  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, _positive(decay_steps)
        self.decay_rate, self.staircase, self.name = decay_rate, staircase, name

    def __call__(self, step):
        share = float(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (
            math.floor(share) if self.staircase else share
        )


class InverseTimeDecay(ExponentialDecay):
    """initial / (1 + decay_rate * step / decay_steps); ``staircase`` takes whole numbers of the quotient."""

    def __init__(
        self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"
    ):  # fmt: skip
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step):
        share = float(step) / self.decay_steps
        return self.initial_learning_rate / (
            1 + self.decay_rate * (math.floor(share) if self.staircase else share)
        )


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and with step boundaries[0], values[1] up to boundaries[1], and so on."""

    _names = ("boundaries", "values", "name")

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length {len(values)}."
            )
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step):
        step = float(step)
        return float(self.values[sum(step > float(boundary) for boundary in self.boundaries)])


class PolynomialDecay(LearningRateSchedule):
    """From initial to end by (1 - step / decay_steps)^power; ``cycle`` begins anew at each multiple, ever longer."""

    _names = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False,
        name="PolynomialDecay",
    ):  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, _positive(decay_steps)
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def __call__(self, step):
        step, span = float(step), float(self.decay_steps)
        if self.cycle:
            span *= max(math.ceil(step / span), 1)
        share = min(step, span) / span
        return (self.initial_learning_rate - self.end_learning_rate) * (1 - share) ** self.power + (
            self.end_learning_rate
        )


class CosineDecay(LearningRateSchedule):
    """Half a cosine from initial to alpha * initial over ``decay_steps``, after a linear warm-up to
    ``warmup_target`` over ``warmup_steps`` where one is given.

    Source: I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """

    _names = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None, warmup_steps=0
    ):  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, _positive(decay_steps)
        self.alpha, self.name = alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step):
        step, start = float(step), self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start, step = self.warmup_target, step - self.warmup_steps
        share = min(step, self.decay_steps) / self.decay_steps
        return start * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * share)) + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after another, each ``t_mul`` times as long and ``m_mul`` times as high as the last.

    Source: I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """

    _names = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"
    ):  # fmt: skip
        if first_decay_steps <= 0:
            raise ValueError(
                f"Argument `first_decay_steps` must be > 0. Received: first_decay_steps={first_decay_steps}"
            )
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step):
        share = float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            restart = math.floor(share)
            share -= restart
        else:
            restart = math.floor(math.log(1.0 - share * (1.0 - self.t_mul)) / math.log(self.t_mul) + 1e-12)
            before = (1.0 - self.t_mul**restart) / (1.0 - self.t_mul)
            share = (share - before) / self.t_mul**restart
        height = 0.5 * self.m_mul**restart * (1 + math.cos(math.pi * share))
        return self.initial_learning_rate * ((1 - self.alpha) * height + self.alpha)


_KNOWN = Identifiers("learning rate schedule", "keras.optimizers.schedules", (
    CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay,
), aliases={"PiecewiseConstant": "PiecewiseConstantDecay", "SGDRDecay": "CosineDecayRestarts"})  # fmt: skip


def serialize(learning_rate_schedule):
    """A dict from which ``deserialize`` makes the schedule again."""
    return _KNOWN.serialize(learning_rate_schedule)


def deserialize(config, custom_objects=None):
    """The schedule of a dict of Keras 2 or 3."""
    return _KNOWN.deserialize(config, custom_objects)
