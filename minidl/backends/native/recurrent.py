"""RNN, LSTM and GRU in C++ for float32 and float64: sequences are the extension's functions; a cell is one step."""

from minidl._native import (
    gru_sequence,
    gru_sequence_grad,
    lstm_sequence,
    lstm_sequence_grad,
    rnn_sequence,
    rnn_sequence_grad,
)

__all__ = [
    "gru_cell",
    "gru_cell_grad",
    "gru_sequence",
    "gru_sequence_grad",
    "lstm_cell",
    "lstm_cell_grad",
    "lstm_sequence",
    "lstm_sequence_grad",
    "rnn_cell",
    "rnn_cell_grad",
    "rnn_sequence",
    "rnn_sequence_grad",
]


def rnn_cell(input, hx, w_ih, w_hh, b_ih, b_hh, nonlinearity):
    out = rnn_sequence(input[None], hx, w_ih, w_hh, b_ih, b_hh, nonlinearity, False)
    return out if out is NotImplemented else out[1]


def rnn_cell_grad(dh, input, hx, w_ih, w_hh, h_next, nonlinearity, needs):
    output = h_next[None]
    return _one_step(
        rnn_sequence_grad(None, dh, input[None], hx, w_ih, w_hh, output, nonlinearity, False, needs)
    )


def lstm_cell(input, hx, cx, w_ih, w_hh, b_ih, b_hh):
    out = lstm_sequence(input[None], hx, cx, w_ih, w_hh, b_ih, b_hh, None, False)
    return out if out is NotImplemented else (out[1], out[2], out[3][0])


def lstm_cell_grad(dh, dc, input, hx, cx, w_ih, w_hh, h_next, c_next, gates, needs):
    saved = h_next[None], gates[None], c_next[None]
    grads = lstm_sequence_grad(
        None, dh, dc, input[None], hx, cx, w_ih, w_hh, None, *saved, False, (*needs, False)
    )
    return _one_step(grads if grads is NotImplemented else grads[:-1])


def gru_cell(input, hx, w_ih, w_hh, b_ih, b_hh):
    out = gru_sequence(input[None], hx, w_ih, w_hh, b_ih, b_hh, False)
    return out if out is NotImplemented else (out[1], out[2][0], out[3][0])


def gru_cell_grad(dh, input, hx, w_ih, w_hh, h_next, gates, hidden_n, needs):
    saved = h_next[None], gates[None], hidden_n[None]
    return _one_step(gru_sequence_grad(None, dh, input[None], hx, w_ih, w_hh, *saved, False, needs))


def _one_step(grads):
    """The gradients of a sequence of one step as those of a cell: the input's loses its axis of steps."""
    if grads is NotImplemented:
        return grads
    dinput, *rest = grads
    return (None if dinput is None else dinput[0], *rest)
