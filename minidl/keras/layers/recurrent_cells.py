"""One step of a recurrent layer: SimpleRNNCell, LSTMCell, GRUCell; StackedRNNCells."""

from minidl import nn
from minidl.keras.engine.serialization import deserialize_layer, serialize_layer
from minidl.keras.engine.tensors import named_dtype
from minidl.keras.initializers import get as initializer_of
from minidl.keras.layers.arguments import Described
from minidl.keras.layers.recurrent_layouts import GRU_BIAS, GRU_KERNEL, GRU_ONE_BIAS
from minidl.nn import functional as F
from minidl.ops.create import ones, zeros
from minidl.ops.joining import cat

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"]

TRANSPOSED = (1, 0)


class RecurrentCell(Described):
    """What the cells share: parameters, kept in an ``nn`` cell, dropout masks that last for a sequence, states."""

    parts = None  # the nn cell that holds the parameters
    gates = 1
    kernel_layout = TRANSPOSED
    unit_forget_bias = False

    def _take(self, units, dropout, recurrent_dropout, seed, **arguments):
        if isinstance(units, bool) or int(units) != units or units <= 0:
            raise ValueError(
                f"Received an invalid value for argument `units`, expected a positive integer, got {units}."
            )
        self.keep(units=int(units), **arguments)
        self.keep(
            dropout=min(1.0, max(0.0, dropout)), recurrent_dropout=min(1.0, max(0.0, recurrent_dropout))
        )
        self.keep(seed=seed)
        object.__setattr__(self, "_masks", None)

    @property
    def state_size(self):
        """Sizes of the states."""
        return self.units

    @property
    def output_size(self):
        """Size of the output."""
        return self.units

    def get_initial_state(self, batch_size=None, dtype=None):
        """Zeros, one tensor a state."""
        return [zeros(batch_size, self.units, dtype=named_dtype(dtype or self.compute_dtype))]

    def build(self, input_shape):
        self.core = core = self.parts(input_shape[-1], self.units, dtype=self.dtype_of_weights())
        self.expose(
            "kernel", core, "weight_ih", self.kernel_layout, self.kernel_initializer, self.kernel_regularizer,
            self.kernel_constraint,
        )  # fmt: skip
        self.expose(
            "recurrent_kernel", core, "weight_hh", self.kernel_layout, self.recurrent_initializer,
            self.recurrent_regularizer, self.recurrent_constraint,
        )  # fmt: skip
        if not self.use_bias:
            core.bias_ih = core.bias_hh = None
        else:
            self._expose_bias(core)

    def _expose_bias(self, core):
        core.bias_hh = None
        self.expose(
            "bias", core, "bias_ih", None, self._start_of_bias(), self.bias_regularizer, self.bias_constraint
        )  # fmt: skip

    def _start_of_bias(self):
        return self.bias_initializer

    # --- dropout: one mask for all steps of a sequence -------------------------------------------------------------

    def begin_sequence(self):
        """From now until ``end_sequence`` the dropout masks stay the same."""
        object.__setattr__(self, "_masks", {})

    def end_sequence(self):
        """Forgets the dropout masks."""
        object.__setattr__(self, "_masks", None)

    def dropped(self, x, rate, name, training):
        """x with the sequence's mask of this name."""
        if not training or rate == 0:
            return x
        mask = None if self._masks is None else self._masks.get(name)
        if mask is None:
            mask = F.dropout(ones(x.shape, dtype=x.dtype, device=x.device), rate, True)
            if self._masks is not None:
                self._masks[name] = mask
        return x * mask

    def _products(self, inputs, state, training):
        """The products of input and state with the kernels, with their biases."""
        core = self.core
        x = self.dropped(inputs, self.dropout, "inputs", training)
        h = self.dropped(state, self.recurrent_dropout, "state", training)
        return F.linear(x, core.weight_ih, core.bias_ih), F.linear(h, core.weight_hh, core.bias_hh)


def _states(states):
    return list(states) if isinstance(states, (list, tuple)) else [states]


class SimpleRNNCell(RecurrentCell):
    """h' = activation(x kernel + h recurrent_kernel + bias).

    Shapes: inputs (N, in), a state (N, units); output (N, units) and the list of the new state.
    Weights: ``kernel`` (in, units), ``recurrent_kernel`` (units, units), ``bias`` (units,).
    Source: Keras' ``SimpleRNNCell``.
    """

    parts = nn.RNNCell

    def __init__(
        self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._take(
            units, dropout, recurrent_dropout, seed, activation=activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip

    def call(self, sequence, states, training=False):
        x, h = self._products(sequence, _states(states)[0], training)
        out = self.activation(x + h)
        return out, [out]


class LSTMCell(RecurrentCell):
    """One step of an LSTM, whose gates i, f, c, o lie side by side in the kernels::

        i, f, o = recurrent_activation(x kernel + h recurrent_kernel + bias)
        c' = f c + i activation(...);   h' = o activation(c')

    Shapes: inputs (N, in), states [h, c] of (N, units); output (N, units) and the new states.
    Weights: ``kernel`` (in, 4 units), ``recurrent_kernel`` (units, 4 units), ``bias`` (4 units,), f's starting at 1.
    Source: S. Hochreiter, J. Schmidhuber, 1997; Keras' ``LSTMCell``.
    """

    parts = nn.LSTMCell
    gates = 4

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
        kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
        recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._take(
            units, dropout, recurrent_dropout, seed, activation=activation,
            recurrent_activation=recurrent_activation, use_bias=use_bias, unit_forget_bias=unit_forget_bias,
            kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )  # fmt: skip

    @property
    def state_size(self):
        return [self.units, self.units]

    def get_initial_state(self, batch_size=None, dtype=None):
        return [super(LSTMCell, self).get_initial_state(batch_size, dtype)[0] for _ in range(2)]

    def _start_of_bias(self):
        if not self.unit_forget_bias:
            return self.bias_initializer
        own, one, units = self.bias_initializer, initializer_of("ones"), self.units

        def start(shape, dtype=None):
            parts = own((units,), dtype=dtype), one((units,), dtype=dtype), own((2 * units,), dtype=dtype)
            return cat(parts, 0)

        return start

    def call(self, inputs, states, training=False):
        h, c = states
        x, h = self._products(inputs, h, training)
        i, f, g, o = (x + h).chunk(4, 1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        h = gate(o) * self.activation(c)
        return h, [h, c]


class GRUCell(RecurrentCell):
    """One step of a GRU, whose gates z, r, h lie side by side in the kernels::

        z, r = recurrent_activation(x kernel + h recurrent_kernel + biases)
        h~ = activation(x kernel_h + b + r (h recurrent_kernel_h + b'));   h' = z h + (1 - z) h~

    With ``reset_after=False`` h~ = activation(x kernel_h + b + (r h) recurrent_kernel_h).

    Shapes: inputs (N, in), a state (N, units); output (N, units) and the list of the new state. Weights: ``kernel``
    (in, 3 units), ``recurrent_kernel`` (units, 3 units), ``bias`` (2, 3 units), without ``reset_after`` (3 units,).
    Source: K. Cho et al., 2014; Keras' ``GRUCell``.
    """

    parts = nn.GRUCell
    gates = 3
    kernel_layout = GRU_KERNEL

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, reset_after=True,
        seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._take(
            units, dropout, recurrent_dropout, seed, activation=activation,
            recurrent_activation=recurrent_activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.keep(reset_after=reset_after)

    def _expose_bias(self, core):
        names, layout = (("bias_ih", "bias_hh"), GRU_BIAS) if self.reset_after else ("bias_ih", GRU_ONE_BIAS)
        if not self.reset_after:
            core.bias_hh = None
        self.expose(
            "bias", core, names, layout, self.bias_initializer, self.bias_regularizer, self.bias_constraint
        )  # fmt: skip

    def call(self, inputs, states, training=False):
        state = _states(states)[0]
        if not self.reset_after:
            return self._reset_before(inputs, state, training)
        x, h = self._products(inputs, state, training)
        (x_r, x_z, x_n), (h_r, h_z, h_n) = x.chunk(3, 1), h.chunk(3, 1)
        z, r = self.recurrent_activation(x_z + h_z), self.recurrent_activation(x_r + h_r)
        out = z * state + (1 - z) * self.activation(x_n + r * h_n)
        return out, [out]

    def _reset_before(self, inputs, state, training):
        core, units = self.core, self.units
        x = F.linear(self.dropped(inputs, self.dropout, "inputs", training), core.weight_ih, core.bias_ih)
        h = self.dropped(state, self.recurrent_dropout, "state", training)
        x_r, x_z, x_n = x.chunk(3, 1)
        h_r, h_z = F.linear(h, core.weight_hh[: 2 * units]).chunk(2, 1)
        z, r = self.recurrent_activation(x_z + h_z), self.recurrent_activation(x_r + h_r)
        n = self.activation(x_n + F.linear(r * h, core.weight_hh[2 * units :]))
        out = z * state + (1 - z) * n
        return out, [out]


class StackedRNNCells(Described):
    """Cells one above the other, as one cell: each one's output is the next one's input.

    >>> import numpy as np
    >>> from minidl import keras
    >>> cells = [keras.layers.LSTMCell(4), keras.layers.GRUCell(3)]
    >>> keras.layers.RNN(keras.layers.StackedRNNCells(cells))(np.ones((2, 5, 6))).shape
    torch.Size([2, 3])
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        for cell in cells:
            if "call" not in dir(cell) or not hasattr(cell, "state_size"):
                raise ValueError(
                    f"All cells must have a `call` method and a `state_size` attribute. Received cells: {cells}"
                )
        self.cells = list(cells)

    @property
    def state_size(self):
        """Sizes of each cell's states."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        """Size of the last cell's output."""
        last = self.cells[-1]
        size = getattr(last, "output_size", None)
        return size if size is not None else _states(last.state_size)[0]

    def get_initial_state(self, batch_size=None, dtype=None):
        """Each cell's initial states."""
        return [cell.get_initial_state(batch_size=batch_size, dtype=dtype) for cell in self.cells]

    def build(self, input_shape):
        for cell in self.cells:
            if not cell.built:
                cell.build(input_shape)
            size = getattr(cell, "output_size", None) or _states(cell.state_size)[0]
            input_shape = (input_shape[0], size)

    def begin_sequence(self):
        """Begins a sequence in every cell that keeps dropout masks."""
        for cell in self.cells:
            if hasattr(cell, "begin_sequence"):
                cell.begin_sequence()

    def end_sequence(self):
        """Ends the sequence in every cell."""
        for cell in self.cells:
            if hasattr(cell, "end_sequence"):
                cell.end_sequence()

    def call(self, inputs, states, training=False):
        new = []
        for cell, own in zip(self.cells, states, strict=True):
            inputs, own = (
                cell(inputs, own, training=training) if cell._signature.training else cell(inputs, own)
            )
            new.append(own)
        return inputs, new

    def get_config(self):
        return {**super().get_config(), "cells": [serialize_layer(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        return cls([deserialize_layer(cell) for cell in config.pop("cells")], **config)
