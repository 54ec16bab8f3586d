"""Optimizers that look at a weight as a matrix: Adafactor, Muon. They work in Keras' layout of the weight."""

import math
import re

from minidl.autograd.tensor import make
from minidl.keras.optimizers.adam import adam_step
from minidl.keras.optimizers.base import Optimizer
from minidl.keras.state import make_state

__all__ = ["Adafactor", "Muon"]


def _in_keras(row):
    """A row's weight and gradient as tensors in Keras' layout."""
    return row.slot.in_keras(row.parts), row.slot.in_keras([make(grad, None) for grad in row.grads])


class Adafactor(Optimizer):
    """Adam without a mean, whose squares are kept as the outer product of row and column means (last two sizes).

    Source: N. Shazeer, M. Stern, "Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018.
    """

    _options = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")

    def __init__(
        self, learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0,
        relative_step=True, weight_decay=None, **kwargs,
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def _make_states(self):
        self._means, self._state["velocity"] = [], []
        for slot in self._slots:
            shape, dtype = slot.shape, slot.parts[0].dtype
            if len(shape) < 2:  # files keep two numbers in their place
                pair = [make_state((), dtype="int32", name=slot.name) for _ in range(2)]
                self._variables.extend(pair)
            else:
                shapes = (shape[:-1], (*shape[:-2], shape[-1]))
                pair = [self.add_variable(size, dtype=dtype, name=slot.name) for size in shapes]
            self._means.append(pair)
            self._state["velocity"].append(self.add_variable_from_reference(slot, "velocity"))

    def _step_rows(self, rows, rate):
        self._decay(rows, rate)
        step = self._done() + 1
        if self.relative_step and hasattr(self._learning_rate, "assign"):
            rate = min(rate, 1 / math.sqrt(step))
        rho, beta = min(rate, 1 / math.sqrt(step)), 1 - float(step) ** self.beta_2_decay
        for row in rows:
            weight, grad = _in_keras(row)
            size = _rms(weight).clamp(min=self.epsilon_2) * rho
            square = grad.square() + self.epsilon_1
            state = self._state["velocity"][row.index]
            state.arrays(row.parts)
            if weight.ndim >= 2:
                down, across = self._means[row.index]
                down.assign(beta * down.to(square.device) + (1 - beta) * square.mean(-1))
                across.assign(beta * across.to(square.device) + (1 - beta) * square.mean(-2))
                velocity = (down / down.mean(-1, keepdim=True)).unsqueeze(-1) * across.unsqueeze(-2)
            else:
                velocity = beta * state.value + (1 - beta) * square
            state.assign(velocity)
            change = grad / velocity.sqrt()
            change = change / (_rms(change) / self.clip_threshold).clamp(min=1.0)
            row.slot.write(weight - size * change)


def _rms(x):
    return x.square().mean().sqrt()


class Muon(Optimizer):
    """Momentum whose matrices are made orthogonal by Newton-Schulz iterations; other weights go by AdamW.

    Matrices are weights of two dimensions that are no embedding and match no pattern of ``exclude_layers``.
    Source: K. Jordan et al., "Muon: an optimizer for hidden layers", 2024.
    """

    _options = (
        "adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c", "adam_lr_ratio",
        "momentum", "ns_steps", "nesterov", "exclude_embeddings", "adam_weight_decay", "rms_rate",
    )  # fmt: skip

    def __init__(
        self, learning_rate=0.001, adam_beta_1=0.9, adam_beta_2=0.999, adam_weight_decay=0.004, epsilon=1e-7,
        weight_decay=0.004, exclude_layers=None, exclude_embeddings=True, muon_a=3.4445, muon_b=-4.775, muon_c=2.0315,
        adam_lr_ratio=1, momentum=0.95, ns_steps=5, nesterov=True, rms_rate=0.2, **kwargs,
    ):  # fmt: skip
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.exclude_layers = adam_weight_decay, exclude_layers or []
        self.exclude_embeddings, self.adam_lr_ratio = exclude_embeddings, adam_lr_ratio
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.momentum, self.ns_steps, self.nesterov, self.rms_rate = momentum, ns_steps, nesterov, rms_rate

    def _by_adam(self, slot):
        if len(slot.shape) != 2:
            return True
        if self.exclude_embeddings and "embedding" in slot.path.lower():
            return True
        return any(re.search(pattern, slot.path) for pattern in self.exclude_layers)

    def _make_states(self):
        self._state.update(momentum=[], velocity=[])
        for slot in self._slots:
            self._state["momentum"].append(self.add_variable_from_reference(slot, "momentum"))
            by_adam = self._by_adam(slot)
            made = self.add_variable_from_reference(slot, "velocity") if by_adam else None
            self._state["velocity"].append(made)

    def _wanted_states(self):
        return (("momentum", 0.0), ("velocity", 0.0))

    def _step_rows(self, rows, rate):
        plain = [row for row in rows if self._state["velocity"][row.index] is not None]
        for decays in (True, False):
            decay = float(self.adam_weight_decay or 0.0) if decays else 0.0
            chosen = [row for row in plain if self._decays(row.slot) is decays]
            for row in chosen if decay else ():
                self._shrink(row, decay, rate)
            for columns in self._columns(chosen):
                adam_step(
                    *columns, None, self._done(), rate * self.adam_lr_ratio, self.adam_beta_1,
                    self.adam_beta_2, self.epsilon, 0.0,
                )  # fmt: skip
        for row in rows:
            if self._state["velocity"][row.index] is None:
                self._matrix_step(row, rate)

    def _shrink(self, row, decay, rate):
        for part in row.parts:
            part.mul_(1.0 - decay * rate)

    def _matrix_step(self, row, rate):
        if self.weight_decay and self._decays(row.slot):
            self._shrink(row, float(self.weight_decay), rate)
        weight, grad = _in_keras(row)
        state = self._state["momentum"][row.index]
        state.arrays(row.parts)
        speed = state.value * self.momentum + grad
        state.assign(speed)
        change = rate * self._orthogonal(grad + self.momentum * speed if self.nesterov else speed)
        if self.rms_rate is not None:
            change = change * (math.sqrt(max(change.shape)) * self.rms_rate)
        row.slot.write(weight - change)

    def _orthogonal(self, x):
        tall = x.shape[-2] > x.shape[-1]
        x = x.t() if tall else x
        x = x / (x.square().sum().sqrt() + 1e-7)
        for _ in range(self.ns_steps):
            square = x @ x.t()
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x.t() if tall else x
