"""Rows of the recurrent ops. The oracles go step by step, one gate at a time, with nothing shared or fused."""

import numpy as np

from .case import Case, away, normal, values


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def products(gates, x, h, w_ih, w_hh, b_ih, b_hh):
    """(W_ik x + b_ik, W_hk h + b_hk) for each gate k."""
    size = len(w_hh) // gates
    for k in range(gates):
        rows = slice(k * size, (k + 1) * size)
        from_input, from_hidden = x @ w_ih[rows].T, h @ w_hh[rows].T
        yield (
            from_input if b_ih is None else from_input + b_ih[rows],
            from_hidden if b_hh is None else from_hidden + b_hh[rows],
        )


def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    [(x, h)] = products(1, input, hx, w_ih, w_hh, b_ih, b_hh)
    return np.tanh(x + h)


def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    [(x, h)] = products(1, input, hx, w_ih, w_hh, b_ih, b_hh)
    return np.maximum(x + h, 0)


def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None, w_hr=None):
    h, c = hx
    i, f, g, o = (a + b for a, b in products(4, input, h, w_ih, w_hh, b_ih, b_hh))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h if w_hr is None else h @ w_hr.T), c


def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    (x_r, h_r), (x_z, h_z), (x_n, h_n) = products(3, input, hx, w_ih, w_hh, b_ih, b_hh)
    z = sigmoid(x_z + h_z)
    n = np.tanh(x_n + sigmoid(x_r + h_r) * h_n)
    return (1 - z) * n + z * hx


def unroll(cell, input, state, reverse, *weights):
    """Outputs of all steps and the last state; the output is the state, or the first of a pair of states."""
    outputs = [None] * len(input)
    for t in sorted(range(len(input)), reverse=reverse):
        state = cell(input[t], state, *weights)
        outputs[t] = state[0] if isinstance(state, tuple) else state
    return np.stack(outputs), state


def rnn_sequence(input, h0, w_ih, w_hh, b_ih=None, b_hh=None, nonlinearity="tanh", reverse=False):
    cell = rnn_tanh_cell if nonlinearity == "tanh" else rnn_relu_cell
    return unroll(cell, input, h0, reverse, w_ih, w_hh, b_ih, b_hh)


def lstm_sequence(input, h0, c0, w_ih, w_hh, b_ih=None, b_hh=None, w_hr=None, reverse=False):
    return unroll(lstm_cell, input, (h0, c0), reverse, w_ih, w_hh, b_ih, b_hh, w_hr)


def gru_sequence(input, h0, w_ih, w_hh, b_ih=None, b_hh=None, reverse=False):
    return unroll(gru_cell, input, h0, reverse, w_ih, w_hh, b_ih, b_hh)


def stacked(cell, input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """All layers and directions of ``torch.rnn_tanh``, ``torch.lstm``, ``torch.gru``; no dropout."""
    x = input.swapaxes(0, 1) if batch_first else input
    directions = 2 if bidirectional else 1
    each = len(params) // (num_layers * directions)
    lasts = []
    for layer in range(num_layers):
        outputs = []
        for direction in range(directions):
            k = layer * directions + direction
            weights = list(params[k * each : (k + 1) * each])
            if not has_biases:
                weights[2:2] = [None, None]
            state = tuple(s[k] for s in hx) if isinstance(hx, tuple) else hx[k]
            output, last = unroll(cell, x, state, direction == 1, *weights)
            outputs.append(output)
            lasts.append(last)
        x = np.concatenate(outputs, axis=-1)
    states = [np.stack(s) for s in zip(*lasts)] if isinstance(hx, tuple) else [np.stack(lasts)]
    return (x.swapaxes(0, 1) if batch_first else x), *states


def torch_sequence(name):
    """PyTorch's function of ``name`` as one of our sequence ops: one layer, one direction."""

    def run(torch, input, *arrays, reverse=False, nonlinearity=None):
        function = getattr(torch, name if nonlinearity is None else f"rnn_{nonlinearity}")
        count = 2 if name == "lstm" else 1
        states = [state[None] for state in arrays[:count]]
        params = [array for array in arrays[count:] if array is not None]
        hx = tuple(states) if name == "lstm" else states[0]
        x = input.flip(0) if reverse else input
        output, *last = function(x, hx, params, len(params) >= 4, 1, 0.0, False, False, False)
        return (output.flip(0) if reverse else output), *(state[0] for state in last)

    return run


def weights(gates, features, size, state=None, bias=True, projection=False):
    """Specs of one layer's parameters: ``gates`` gates, ``size`` hidden features, ``state`` features of the state."""
    state = size if state is None else state
    biases = (normal(gates * size), normal(gates * size)) if bias else (None, None)
    hr = (normal(state, size),) if projection else ()
    return normal(gates * size, features), normal(gates * size, state), *biases, *hr


def params(gates, features, size, layers=1, directions=1, bias=True):
    """Specs of all parameters of several layers, as PyTorch's functions take them."""
    found = []
    for layer in range(layers):
        for _ in range(directions):
            inputs = features if layer == 0 else size * directions
            found += [s for s in weights(gates, inputs, size, bias=bias) if s is not None]
    return found


X, H = normal(3, 2, 2), normal(2, 2)  # input [T, N, I] and state [N, H]
OPTIONS = (True, 1, 0.0, False, False, False)  # has_biases ... batch_first
TWO_WAYS = (True, 2, 0.0, False, True, True)  # two layers, bidirectional, batch_first
TORCH_RNN, TORCH_LSTM, TORCH_GRU = map(torch_sequence, ("rnn", "lstm", "gru"))

CELLS = [
    Case("rnn_tanh_cell", (normal(3, 2), normal(3, 2), *weights(1, 2, 2)), numpy=rnn_tanh_cell),
    Case(
        "rnn_tanh_cell", (normal(3, 2), normal(3, 1), normal(1, 2), normal(1, 1)), rnn_tanh_cell, id="no-bias"
    ),
    Case("rnn_relu_cell", (away(3, 2), normal(3, 2), *weights(1, 2, 2)), numpy=rnn_relu_cell),
    Case("lstm_cell", (H, (H, H), *weights(4, 2, 2)), numpy=lstm_cell),
    Case("lstm_cell", (H, (H, H), normal(8, 2), normal(8, 2), normal(8)), numpy=lstm_cell, id="one-bias"),
    Case(
        "_lstm_cell",
        (H, H, H, *weights(4, 2, 2)),
        numpy=lambda input, hx, cx, *weights: lstm_cell(input, (hx, cx), *weights),
        torch=lambda torch, input, hx, cx, *weights: torch.lstm_cell(input, (hx, cx), *weights),
    ),
    Case("gru_cell", (H, H, *weights(3, 2, 2)), numpy=gru_cell),
    Case("gru_cell", (H, H, normal(6, 2), normal(6, 2)), numpy=gru_cell, id="no-bias"),
    Case("gru_cell", (normal(0, 2), normal(0, 2), *weights(3, 2, 2)), numpy=gru_cell, id="no-samples"),
]

SEQUENCES = [
    Case(
        "_rnn_sequence",
        (X, H, *weights(1, 2, 2)),
        numpy=rnn_sequence,
        torch=TORCH_RNN,
        kwargs={"nonlinearity": n},
        id=n,
    )
    for n in ("tanh", "relu")
]
SEQUENCES += [
    Case(
        "_rnn_sequence",
        (X, H, *weights(1, 2, 2, bias=False)),
        numpy=rnn_sequence,
        torch=TORCH_RNN,
        kwargs={"nonlinearity": "tanh", "reverse": True},
        id="reverse-no-bias",
    ),
    Case("_lstm_sequence", (X, H, H, *weights(4, 2, 2)), numpy=lstm_sequence, torch=TORCH_LSTM),
    Case(
        "_lstm_sequence",
        (X, H, H, *weights(4, 2, 2, bias=False)),
        numpy=lstm_sequence,
        torch=TORCH_LSTM,
        kwargs={"reverse": True},
        id="reverse-no-bias",
    ),
    Case(
        "_lstm_sequence",
        (X, normal(2, 1), H, *weights(4, 2, 2, state=1, projection=True)),
        numpy=lstm_sequence,
        torch=TORCH_LSTM,
        kwargs={"reverse": True},
        id="projection",
    ),
    Case("_gru_sequence", (X, H, *weights(3, 2, 2)), numpy=gru_sequence, torch=TORCH_GRU),
    Case(
        "_gru_sequence",
        (X, H, *weights(3, 2, 2, bias=False)),
        numpy=gru_sequence,
        torch=TORCH_GRU,
        kwargs={"reverse": True},
        id="reverse-no-bias",
    ),
]


def _packed(op, cell, gates, states=1):
    """A row of a stacked function over the packed sequences of 3, 2 and 1 steps, in both directions."""
    sizes = np.array([3, 2, 1])
    rows = [np.array([0, 3, 5]), np.array([1, 4]), np.array([2])]  # of each sequence

    def oracle(data, batch_sizes, hx, *options):
        alone = [
            stacked(cell, data[own][:, None], _sequence_state(hx, n), *options, False)
            for n, own in enumerate(rows)
        ]
        out = np.concatenate([output[:, 0] for output, *_ in alone])
        order = np.argsort(np.concatenate(rows))
        return out[order], *(np.concatenate(s, axis=1) for s in zip(*(last for _, *last in alone)))

    state = normal(2, 3, 2) if states == 1 else (normal(2, 3, 2),) * states
    options = params(gates, 2, 2, directions=2), True, 1, 0.0, False, True
    return Case(op, (normal(6, 2), values(sizes), state, *options), numpy=oracle, layouts=False, id="packed")


def _sequence_state(hx, n):
    return tuple(s[:, n : n + 1] for s in hx) if isinstance(hx, tuple) else hx[:, n : n + 1]


def _layers(op, cell, gates, states=1):
    """Rows of a stacked function: one layer, and two layers in both directions, batch first."""

    def state(count):
        spec = normal(count, 2, 2)
        return spec if states == 1 else (spec,) * states

    def oracle(*args):
        return stacked(cell, *args)

    return [
        Case(op, (X, state(1), params(gates, 2, 2), *OPTIONS), numpy=oracle),
        Case(
            op,
            (normal(2, 2, 1), state(4), params(gates, 1, 2, layers=2, directions=2), *TWO_WAYS),
            numpy=oracle,
            grad2=False,  # the rows of the sequence op, on which all of it rests, have their second gradients checked
            id="layers-two-ways-batch-first",
        ),
        _packed(op, cell, gates, states),
    ]


CASES = [
    *CELLS,
    *SEQUENCES,
    *_layers("rnn_tanh", rnn_tanh_cell, 1),
    *_layers("rnn_relu", rnn_relu_cell, 1),
    *_layers("lstm", lstm_cell, 4, states=2),
    *_layers("gru", gru_cell, 3),
]
