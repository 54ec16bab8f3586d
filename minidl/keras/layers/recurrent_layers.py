"""The recurrent layers: SimpleRNN, LSTM, GRU."""

from minidl.keras import regularizers
from minidl.keras.dropped import warned
from minidl.keras.layers.recurrence import RNN
from minidl.keras.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell

__all__ = ["GRU", "LSTM", "CuDNNGRU", "CuDNNLSTM", "SimpleRNN"]


def _of_cell(name):
    return property(lambda self: getattr(self.cell, name), doc=f"The cell's ``{name}``.")


class CellLayer(RNN):
    """A layer that makes its own cell, and shows the cell's options as its own."""

    hidden = ("name", "trainable", "dtype")

    units = _of_cell("units")
    activation = _of_cell("activation")
    recurrent_activation = _of_cell("recurrent_activation")
    use_bias = _of_cell("use_bias")
    dropout = _of_cell("dropout")
    recurrent_dropout = _of_cell("recurrent_dropout")

    def __init__(self, cell, options, regularizer, kwargs):
        names = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
        own = {name: options.pop(name) for name in names}
        given = {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}
        made = cell(**options, **given, name=f"{self.cell_name}_cell")
        super().__init__(made, **own, activity_regularizer=regularizers.get(regularizer), **kwargs)

    def get_config(self):
        config = super().get_config()
        config.pop("cell")
        cell = {name: value for name, value in self.cell.get_config().items() if name not in self.hidden}
        return {**config, **cell, "activity_regularizer": regularizers.serialize(self.activity_regularizer)}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class SimpleRNN(CellLayer):
    """h_t = activation(x_t kernel + h_(t-1) recurrent_kernel + bias), over the steps of (N, T, in).

    Options as of ``RNN``; ``dropout`` and ``recurrent_dropout`` drop inputs and states, the same at every step. With
    tanh or relu and no ``recurrent_dropout`` it runs by a fused kernel. Source: Keras' ``SimpleRNN``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.SimpleRNN(4)(np.ones((2, 5, 3))).shape
    torch.Size([2, 4])
    """

    cell_name = "simple_rnn"
    hidden = (*CellLayer.hidden, "seed")
    recurrent_activation = None

    def __init__(
        self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0,
        return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, seed=None,
        **kwargs,
    ):  # fmt: skip
        options = {
            "units": units, "activation": activation, "use_bias": use_bias, "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer, "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer, "recurrent_regularizer": recurrent_regularizer,
            "bias_regularizer": bias_regularizer, "kernel_constraint": kernel_constraint,
            "recurrent_constraint": recurrent_constraint, "bias_constraint": bias_constraint, "dropout": dropout,
            "recurrent_dropout": recurrent_dropout, "seed": seed, "return_sequences": return_sequences,
            "return_state": return_state, "go_backwards": go_backwards, "stateful": stateful, "unroll": unroll,
        }  # fmt: skip
        super().__init__(SimpleRNNCell, options, activity_regularizer, kwargs)


class LSTM(CellLayer):
    """Long short-term memory over the steps of (N, T, in): ``LSTMCell`` says the equations and weights.

    Options as of ``RNN``. With the usual activations and no ``recurrent_dropout`` it runs by a fused kernel, masks
    included. Source: Keras' ``LSTM``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> output, h, c = keras.layers.LSTM(4, return_sequences=True, return_state=True)(np.ones((2, 5, 3)))
    >>> output.shape, h.shape, c.shape
    (torch.Size([2, 5, 4]), torch.Size([2, 4]), torch.Size([2, 4]))
    """

    cell_name = "lstm"
    unit_forget_bias = property(lambda self: self.cell.unit_forget_bias)

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
        activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
        dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False,
        go_backwards=False, stateful=False, unroll=False, use_cudnn="auto", **kwargs,
    ):  # fmt: skip
        options = {
            "units": units, "activation": activation, "recurrent_activation": recurrent_activation,
            "use_bias": use_bias, "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer, "bias_initializer": bias_initializer,
            "unit_forget_bias": unit_forget_bias, "kernel_regularizer": kernel_regularizer,
            "recurrent_regularizer": recurrent_regularizer, "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint, "recurrent_constraint": recurrent_constraint,
            "bias_constraint": bias_constraint, "dropout": dropout, "recurrent_dropout": recurrent_dropout,
            "seed": seed, "return_sequences": return_sequences, "return_state": return_state,
            "go_backwards": go_backwards, "stateful": stateful, "unroll": unroll,
        }  # fmt: skip
        super().__init__(LSTMCell, options, activity_regularizer, kwargs)


class GRU(CellLayer):
    """Gated recurrent units over the steps of (N, T, in): ``GRUCell`` says the equations and weights.

    Options as of ``RNN``. With the usual activations, ``reset_after`` and no ``recurrent_dropout`` it runs by a fused
    kernel, masks included. Source: Keras' ``GRU``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.GRU(4, return_sequences=True)(np.ones((2, 5, 3))).shape
    torch.Size([2, 5, 4])
    """

    cell_name = "gru"
    reset_after = property(lambda self: self.cell.reset_after)

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None,
        kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
        recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False,
        stateful=False, unroll=False, reset_after=True, use_cudnn="auto", **kwargs,
    ):  # fmt: skip
        options = {
            "units": units, "activation": activation, "recurrent_activation": recurrent_activation,
            "use_bias": use_bias, "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer, "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer, "recurrent_regularizer": recurrent_regularizer,
            "bias_regularizer": bias_regularizer, "kernel_constraint": kernel_constraint,
            "recurrent_constraint": recurrent_constraint, "bias_constraint": bias_constraint, "dropout": dropout,
            "recurrent_dropout": recurrent_dropout, "reset_after": reset_after, "seed": seed,
            "return_sequences": return_sequences, "return_state": return_state, "go_backwards": go_backwards,
            "stateful": stateful, "unroll": unroll,
        }  # fmt: skip
        super().__init__(GRUCell, options, activity_regularizer, kwargs)


CuDNNLSTM = warned(LSTM, "keras.layers.CuDNNLSTM", "keras.layers.LSTM")
CuDNNGRU = warned(GRU, "keras.layers.CuDNNGRU", "keras.layers.GRU")
