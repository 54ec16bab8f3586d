"""Adam and its kin."""

import math

import numpy as np

from minidl.backends import of
from minidl.keras.initializers import Ones
from minidl.keras.optimizers.base import Optimizer

__all__ = ["Adam", "AdamW", "Adamax", "Lamb", "Nadam", "ScheduleFreeAdamW"]


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon).

    ``epsilon`` is the paper's epsilon-hat: it joins sqrt(v) before the correction. ``amsgrad`` divides by the largest
    v so far. Decay and step are one call of the kernel for all weights. Source: D. Kingma, J. Ba, ICLR 2015.
    """

    _options = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, weight_decay=None, **kwargs
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def _wanted_states(self):
        base = (("momentum", 0.0), ("velocity", 0.0))
        return (*base, ("velocity_hat", 0.0)) if self.amsgrad else base

    def _late_states(self):
        return ("velocity_hat",) if self.amsgrad else ()

    def _step_rows(self, rows, rate):
        decay = float(self.weight_decay or 0.0)
        groups = {decay: rows}
        if decay and (self._excluded or self._excluded_names):
            groups = {
                decay: [row for row in rows if self._decays(row.slot)],
                0.0: [row for row in rows if not self._decays(row.slot)],
            }
        for factor, group in groups.items():
            for columns in self._columns(group):
                self._adam(columns, rate, factor)

    def _adam(self, columns, rate, decay):
        params, grads, means, squares, *largest = columns
        adam_step(
            params, grads, means, squares, largest[0] if largest else None, self._done(), rate,
            self.beta_1, self.beta_2, self.epsilon, decay,
        )  # fmt: skip


def adam_step(params, grads, means, squares, largest, done, rate, beta_1, beta_2, epsilon, decay):
    """Keras' Adam by the kernel of PyTorch's, whose epsilon joins after the correction of sqrt(v).

    sqrt(1 - b2^t) m / (sqrt(v) + e) is m / (sqrt(v) / sqrt(1 - b2^t) + e / sqrt(1 - b2^t)).
    """
    steps = [np.array(done, np.float32) for _ in params]
    root = math.sqrt(1.0 - beta_2 ** (done + 1))
    of(params[0]).adam_step(
        params, grads, means, squares, largest, steps, rate, float(beta_1), float(beta_2), float(epsilon) / root,
        decay, True, False,
    )  # fmt: skip


class AdamW(Adam):
    """``Adam`` with a weight decay of 0.004. Source: I. Loshchilov, F. Hutter, ICLR 2019."""

    def __init__(
        self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, **kwargs
    ):  # fmt: skip
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, **kwargs)
        if self.weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")


class Adamax(Optimizer):
    """m as in Adam; u = max(b2 u, |g|); p -= lr / (1 - b1^t) m / (u + epsilon). Source: D. Kingma, J. Ba, 2015."""

    _options = ("beta_1", "beta_2", "epsilon")
    states = (("momentum", 0.0), ("norm", 0.0))

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=None, **kwargs
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def _betas(self):
        return float(self.beta_1), float(self.beta_2), float(self.epsilon), self._done() + 1

    def _step(self, params, grads, means, norms, rate):
        of(params[0]).keras_adamax_step(params, grads, means, norms, rate, *self._betas())


class Nadam(Adamax):
    """Adam whose momentum looks a step ahead, by a schedule that grows to b1. Source: T. Dozat, ICLR 2016."""

    states = (("momentum", 0.0), ("velocity", 0.0))

    def _make_states(self):
        super()._make_states()
        self._product = self.add_variable((), Ones(), "float32", "variable")
        self._product.path = "variable"

    def _shares(self):
        step = self._done() + 1
        return tuple(self.beta_1 * (1.0 - 0.5 * 0.96 ** (step + ahead)) for ahead in (0, 1))

    def _begin_step(self):
        self._product.assign(float(self._product) * self._shares()[0])

    def _step(self, params, grads, means, squares, rate):
        now, ahead = self._shares()
        product = float(self._product)
        shares = (ahead / (1.0 - product * ahead), (1.0 - now) / (1.0 - product))
        of(params[0]).keras_nadam_step(params, grads, means, squares, rate, *self._betas(), *shares)


class Lamb(Adamax):
    """Adam's change, a weight's scaled to the weight's norm. Source: Y. You et al., ICLR 2020."""

    states = (("momentum", 0.0), ("velocity", 0.0))

    def _step_rows(self, rows, rate):
        self._decay(rows, rate)
        for row in rows:
            for params, grads, means, squares in self._columns([row]):
                of(params[0]).keras_lamb_step(params, grads, means, squares, rate, *self._betas())


class ScheduleFreeAdamW(Adamax):
    """AdamW that averages its own points instead of lowering the rate, after ``warmup_steps``.

    Source: A. Defazio et al., "The road less scheduled", NeurIPS 2024.
    """

    _options = ("beta_1", "beta_2", "epsilon", "warmup_steps")
    states = (("momentum", 0.0), ("velocity", 0.0))

    def __init__(
        self, learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0, weight_decay=None, **kwargs
    ):  # fmt: skip
        super().__init__(learning_rate, beta_1, beta_2, epsilon, weight_decay, **kwargs)
        self.warmup_steps = warmup_steps

    def _make_states(self):
        super()._make_states()
        for slot, point in zip(self._slots, self._state["momentum"], strict=True):
            for tensor, part in zip(point.tensors, slot.parts, strict=True):
                tensor.copy_(part.detach())

    def _step(self, params, grads, points, squares, rate):
        if self.warmup_steps > 0:
            rate *= min((self._done() + 1) / self.warmup_steps, 1.0)
        of(params[0]).keras_schedule_free_step(params, grads, points, squares, rate, *self._betas())
