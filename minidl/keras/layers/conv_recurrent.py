"""Recurrent layers whose products are convolutions: ConvLSTM1D, ConvLSTM2D, ConvLSTM3D."""

from minidl.keras.engine import layout
from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.engine.nest import map_structure
from minidl.keras.layers.conv import CONVOLVE, MODULES, ConvLayer, positive
from minidl.keras.layers.recurrent_cells import LSTMCell
from minidl.keras.layers.recurrent_layers import CellLayer
from minidl.keras.layers.sequences import run_steps
from minidl.keras.layers.windows import channels_first, channels_last
from minidl.ops.create import zeros

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class ConvLSTMCell(LSTMCell, ConvLayer):
    """One step of an LSTM of images (N, spatial..., C): ``LSTMCell``'s equations with convolutions for its products.

    The input's convolution has the layer's windows; the state's has the same kernel size, stride 1 and 'same' padding.
    Weights: ``kernel`` (k..., C, 4 filters), ``recurrent_kernel`` (k..., filters, 4 filters), ``bias`` (4 filters,).
    """

    units = property(lambda self: self.filters, doc="The channels of the output.")

    def __init__(
        self, rank, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, dropout=0.0,
        recurrent_dropout=0.0, seed=None, name=None, dtype=None, trainable=True, **options,
    ):  # fmt: skip
        ConvLayer.__init__(self, name=name, dtype=dtype, trainable=trainable)
        positive("filters", filters)
        self.rank = rank
        self.keep(filters=int(filters))
        self.set_windows(kernel_size, strides, padding, data_format, dilation_rate)
        self.keep(**options)
        self.keep(
            dropout=min(1.0, max(0.0, dropout)), recurrent_dropout=min(1.0, max(0.0, recurrent_dropout))
        )
        self.keep(seed=seed)
        object.__setattr__(self, "_masks", None)

    def build(self, input_shape):
        size, convolution = self.channels(input_shape), MODULES[self.rank]
        dtype, kept = self.dtype_of_weights(), layout.CONV[self.rank]
        self.core = convolution(size, 4 * self.filters, self.kernel_size, bias=self.use_bias, dtype=dtype)
        self.across = convolution(self.filters, 4 * self.filters, self.kernel_size, bias=False, dtype=dtype)
        self.expose(
            "kernel", self.core, "weight", kept, self.kernel_initializer, self.kernel_regularizer,
            self.kernel_constraint,
        )  # fmt: skip
        self.expose(
            "recurrent_kernel", self.across, "weight", kept, self.recurrent_initializer, self.recurrent_regularizer,
            self.recurrent_constraint,
        )  # fmt: skip
        if self.use_bias:
            self.expose(
                "bias", self.core, "bias", None, self._start_of_bias(), self.bias_regularizer, self.bias_constraint
            )  # fmt: skip

    def of_inputs(self, steps, training):
        """The input's part of the gates at every step at once: (T, N, spatial..., C) to (T, N, 4 filters, ...)."""
        if training and self.dropout:
            steps = steps * self.dropped(
                zeros(steps.shape[1:], dtype=steps.dtype) + 1, self.dropout, "x", True
            )
        x = channels_first(steps.reshape(-1, *steps.shape[2:]), self.data_format)
        bias = self.core.bias.to(x.dtype) if self.use_bias else None
        out = self.convolved(x, self.core.weight.to(x.dtype), bias, 1)
        return out.reshape(*steps.shape[:2], *out.shape[1:])

    def step(self, gates, states, training):
        """The output and states, channels first, after a step whose inputs' part of the gates is ``gates``."""
        h, c = states
        h = self.dropped(h, self.recurrent_dropout, "state", training)
        products = CONVOLVE[self.rank](h, self.across.weight.to(h.dtype), None, 1, "same")
        i, f, g, o = (gates + products).chunk(4, 1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def call(self, inputs, states, training=False):
        states = [channels_first(state, self.data_format) for state in states]
        _, found = self.step(self.of_inputs(inputs.unsqueeze(0), training)[0], states, training)
        found = [channels_last(state, self.data_format) for state in found]
        return found[0], found


class ConvLSTM(CellLayer):
    """What the layers of all ranks share."""

    rank = None
    cell_name = "conv_lstm"
    filters = property(lambda self: self.cell.filters)
    kernel_size = property(lambda self: self.cell.kernel_size)
    strides = property(lambda self: self.cell.strides)
    padding = property(lambda self: self.cell.padding)
    data_format = property(lambda self: self.cell.data_format)
    dilation_rate = property(lambda self: self.cell.dilation_rate)
    unit_forget_bias = property(lambda self: self.cell.unit_forget_bias)

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, activation="tanh",
        recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True, kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None,
        return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, **kwargs,
    ):  # fmt: skip
        options = {
            "rank": self.rank, "filters": filters, "kernel_size": kernel_size, "strides": strides, "padding": padding,
            "data_format": data_format, "dilation_rate": dilation_rate, "activation": activation,
            "recurrent_activation": recurrent_activation, "use_bias": use_bias,
            "kernel_initializer": kernel_initializer, "recurrent_initializer": recurrent_initializer,
            "bias_initializer": bias_initializer, "unit_forget_bias": unit_forget_bias,
            "kernel_regularizer": kernel_regularizer, "recurrent_regularizer": recurrent_regularizer,
            "bias_regularizer": bias_regularizer, "kernel_constraint": kernel_constraint,
            "recurrent_constraint": recurrent_constraint, "bias_constraint": bias_constraint, "dropout": dropout,
            "recurrent_dropout": recurrent_dropout, "seed": seed, "return_sequences": return_sequences,
            "return_state": return_state, "go_backwards": go_backwards, "stateful": stateful, "unroll": unroll,
        }  # fmt: skip
        super().__init__(ConvLSTMCell, options, activity_regularizer, kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def build(self, input_shape):
        frame = (input_shape[0], *input_shape[2:])
        if not self.cell.built:
            self.cell.build(frame)
        axis = 2 if self.data_format == "channels_first" else -1
        self.input_spec = InputSpec(ndim=self.rank + 3, axes={axis: frame[self.cell.channel_axis]})

    def _begin(self, sequences, initial_state):
        if initial_state is None and self._states is None:
            shape = self._state_shape(sequences.shape)
            initial_state = [zeros(shape, dtype=sequences.dtype, device=sequences.device) for _ in range(2)]
        return super()._begin(sequences, initial_state)

    def _run_over(self, steps, states, mask, training):
        cell = self.cell
        cell.begin_sequence()
        try:
            states = [channels_first(state, cell.data_format) for state in states]
            out, states = run_steps(
                lambda gates, own: cell.step(gates, own, training), cell.of_inputs(steps, training), states, mask,
                self.go_backwards, self.zero_output_for_mask,
            )  # fmt: skip
        finally:
            cell.end_sequence()
        count, batch = out.shape[:2]
        out = channels_last(out.reshape(count * batch, *out.shape[2:]), cell.data_format)
        states = map_structure(lambda state: channels_last(state, cell.data_format), states)
        return out.reshape(count, batch, *out.shape[1:]), states

    def _state_shape(self, input_shape):
        frame = (input_shape[0], *input_shape[2:])
        return self.cell.shaped(frame[0], self.cell.window_counts(frame), self.filters)

    def compute_output_shape(self, input_shape):
        state = self._state_shape(input_shape)
        found = (state[0], input_shape[1], *state[1:]) if self.return_sequences else state
        return [found, state, state] if self.return_state else found

    def compute_mask(self, inputs, mask=None):
        own = mask if self.return_sequences else None
        return [own, None, None] if self.return_state else own


class ConvLSTM1D(ConvLSTM):
    """An LSTM over the steps of (N, T, L, C) whose products are 1-D convolutions; output (N, L', filters).

    Options as of ``LSTM`` and ``Conv1D``; ``return_sequences`` gives (N, T, L', filters). Source: X. Shi et al., 2015;
    Keras' ``ConvLSTM1D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.ConvLSTM1D(4, 3, return_sequences=True)(np.ones((2, 5, 8, 3))).shape
    torch.Size([2, 5, 6, 4])
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """An LSTM over the steps of (N, T, H, W, C) whose products are 2-D convolutions; output (N, H', W', filters).

    Options as of ``LSTM`` and ``Conv2D``; with ``data_format="channels_first"`` inputs are (N, T, C, H, W). Weights:
    ``kernel`` (kh, kw, C, 4 filters), ``recurrent_kernel`` (kh, kw, filters, 4 filters), ``bias`` (4 filters,), gates
    i, f, c, o. Source: X. Shi et al., 2015; Keras' ``ConvLSTM2D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.ConvLSTM2D(4, 3, padding="same")(np.ones((2, 5, 8, 8, 3))).shape
    torch.Size([2, 8, 8, 4])
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """An LSTM over the steps of (N, T, D, H, W, C) whose products are 3-D convolutions; output (N, D', ..., filters).

    Options as of ``LSTM`` and ``Conv3D``. Source: X. Shi et al., 2015; Keras' ``ConvLSTM3D``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.ConvLSTM3D(2, 2)(np.ones((1, 3, 4, 4, 4, 1))).shape
    torch.Size([1, 3, 3, 3, 2])
    """

    rank = 3
