"""Recurrent layers over whole sequences: fused ops of one layer and direction, and the stacked functions above them."""

from minidl.autograd import Saved, function, joint, op
from minidl.backends import of
from minidl.ops.dropout import dropout as drop
from minidl.ops.joining import cat, stack, unbind
from minidl.ops.matmul import linear
from minidl.ops.packed import BatchSizes, over_stretches, takes_packed
from minidl.ops.pointwise import relu, tanh
from minidl.ops.recurrent_cells import check_bias, check_dtypes, gru_step, lstm_step, rnn_step
from minidl.ops.shapes import squeeze, transpose, unsqueeze


def _check_sequence(name, gates, input, states, w_ih, w_hh, b_ih, b_hh, w_hr=None):
    """Raises ``RuntimeError`` where the arrays of one layer do not fit together."""
    check_dtypes(name, w_ih, input, *states, w_hh, b_ih, b_hh, w_hr)
    if input.ndim != 3:
        raise RuntimeError(f"input must have 3 dimensions, got {input.ndim}")
    steps, batch, features = input.shape
    if steps == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    size = w_hh.shape[0] // gates if w_hh.ndim == 2 else 0
    inner = size if w_hr is None else w_hr.shape[0]
    wanted = {"hidden state": (batch, inner), "cell state": (batch, size)}
    wanted |= {
        "weight_ih": (gates * size, features),
        "weight_hh": (gates * size, inner),
        "weight_hr": (inner, size),
    }
    got = (*states, *[None] * (2 - len(states)), w_ih, w_hh, w_hr)
    for (what, shape), array in zip(wanted.items(), got, strict=True):
        if array is not None and array.shape != shape:
            raise RuntimeError(
                f"{name}: expected {what} of shape {list(shape)}, got {list(array.shape)} "
                f"(input {list(input.shape)}, weight_hh {list(w_hh.shape)})"
            )
    check_bias(b_ih, gates * size, batch)
    check_bias(b_hh, gates * size, batch)


def _unrolled(step, input, states, w_ih, b_ih, reverse):
    """All outputs of ``step(x, *states) -> (output, *states)``, stacked, and the last states."""
    products = unbind(linear(input, w_ih, b_ih), 0)
    outputs = []
    for x in reversed(products) if reverse else products:
        output, *states = step(x, *states)
        outputs.append(output)
    return stack(outputs[::-1] if reverse else outputs, 0), *states


def _rnn_rule(g0, g1, input, h0, w_ih, w_hh, result0, nonlinearity, reverse, needs):
    return of(input).rnn_sequence_grad(g0, g1, input, h0, w_ih, w_hh, result0, nonlinearity, reverse, needs)


def _rnn_composed(input, h0, w_ih, w_hh, b_ih, b_hh, nonlinearity, reverse):
    activation = tanh if nonlinearity == "tanh" else relu

    def step(x, h):
        h = rnn_step(x, linear(h, w_hh, b_hh), activation)
        return h, h

    return _unrolled(step, input, (h0,), w_ih, b_ih, reverse)


@op(
    joint("input h0 w_ih w_hh b_ih b_hh", _rnn_rule),
    composed=_rnn_composed,
    shown="Stack",
    faces=(),
    method=False,
)
def _rnn_sequence(input, h0, w_ih, w_hh, b_ih=None, b_hh=None, nonlinearity="tanh", reverse=False):
    """One layer of an Elman network in one direction: input (T, N, I), h0 (N, H) -> output (T, N, H), h_n (N, H)."""
    _check_sequence(f"rnn_{nonlinearity}", 1, input, (h0,), w_ih, w_hh, b_ih, b_hh)
    space = of(input, h0, w_ih, w_hh, b_ih, b_hh)
    return space.rnn_sequence(input, h0, w_ih, w_hh, b_ih, b_hh, nonlinearity, reverse)


def _lstm_rule(g0, g1, g2, input, h0, c0, w_ih, w_hh, w_hr, result0, gates, cells, reverse, needs):
    return of(input).lstm_sequence_grad(
        g0, g1, g2, input, h0, c0, w_ih, w_hh, w_hr, result0, gates, cells, reverse, needs
    )


def _lstm_composed(input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, reverse):
    def step(x, h, c):
        h, c = lstm_step(x, linear(h, w_hh, b_hh), c)
        h = h if w_hr is None else linear(h, w_hr)
        return h, h, c

    return _unrolled(step, input, (h0, c0), w_ih, b_ih, reverse)


@op(
    joint("input h0 c0 w_ih w_hh b_ih b_hh w_hr", _lstm_rule), composed=_lstm_composed, faces=(), method=False
)
def _lstm_sequence(input, h0, c0, w_ih, w_hh, b_ih=None, b_hh=None, w_hr=None, reverse=False):
    """One layer of an LSTM in one direction: input (T, N, I), h0 (N, P), c0 (N, H) -> output (T, N, P), h_n, c_n."""
    _check_sequence("lstm", 4, input, (h0, c0), w_ih, w_hh, b_ih, b_hh, w_hr)
    space = of(input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr)
    output, h, c, gates, cells = space.lstm_sequence(input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, reverse)
    return (output, h, c), Saved(gates=gates, cells=cells)


def _gru_rule(g0, g1, input, h0, w_ih, w_hh, result0, gates, hidden_n, reverse, needs):
    return of(input).gru_sequence_grad(
        g0, g1, input, h0, w_ih, w_hh, result0, gates, hidden_n, reverse, needs
    )


def _gru_composed(input, h0, w_ih, w_hh, b_ih, b_hh, reverse):
    def step(x, h):
        h = gru_step(x, linear(h, w_hh, b_hh), h)
        return h, h

    return _unrolled(step, input, (h0,), w_ih, b_ih, reverse)


@op(
    joint("input h0 w_ih w_hh b_ih b_hh", _gru_rule),
    composed=_gru_composed,
    shown="Stack",
    faces=(),
    method=False,
)
def _gru_sequence(input, h0, w_ih, w_hh, b_ih=None, b_hh=None, reverse=False):
    """One layer of a GRU in one direction: input (T, N, I), h0 (N, H) -> output (T, N, H), h_n (N, H)."""
    _check_sequence("gru", 3, input, (h0,), w_ih, w_hh, b_ih, b_hh)
    space = of(input, h0, w_ih, w_hh, b_ih, b_hh)
    output, h, gates, hidden_n = space.gru_sequence(input, h0, w_ih, w_hh, b_ih, b_hh, reverse)
    return (output, h), Saved(gates=gates, hidden_n=hidden_n)


def _stacked(run, input, states, layers, dropout, train, batch_first):
    """Runs ``run(input, states, parameters, reverse) -> (output, *states)`` over all layers and directions.

    ``layers``: for each layer the parameters of each of its directions. ``states``: tensors (L D, N, H).
    ``batch_first`` is the ``BatchSizes`` of a packed input. Returns the last layer's output and the last states,
    stacked.
    """
    if isinstance(batch_first, BatchSizes):
        run, batch_first = over_stretches(run, batch_first), False
    input = transpose(input, 0, 1) if batch_first else input
    alone = len(layers) == len(layers[0]) == 1  # one layer and direction: no need to take states apart
    parts = ([squeeze(state, 0)] if alone else unbind(state, 0) for state in states)
    firsts = list(zip(*parts, strict=True))
    lasts = []
    for number, directions in enumerate(layers):
        outputs = []
        for backward, parameters in enumerate(directions):
            output, *last = run(input, firsts[len(lasts)], parameters, bool(backward))
            outputs.append(output)
            lasts.append(last)
        input = outputs[0] if len(outputs) == 1 else cat(outputs, -1)
        if dropout and train and number < len(layers) - 1:
            input = drop(input, dropout, True)
    input = transpose(input, 0, 1) if batch_first else input
    if alone:
        return input, *(unsqueeze(last, 0) for last in lasts[0])
    return input, *(stack(list(last), 0) for last in zip(*lasts, strict=True))


def _layers(name, states, params, has_biases, num_layers, bidirectional, projected=False):
    """``params`` cut into layers and directions, as keyword arguments of a sequence op. Raises ``RuntimeError``."""
    names = ["w_ih", "w_hh"] + ["b_ih", "b_hh"] * has_biases + ["w_hr"] * projected
    directions = 2 if bidirectional else 1
    count = num_layers * directions
    if len(params) != count * len(names):
        raise RuntimeError(
            f"{name}: expected {count * len(names)} parameters ({num_layers} layers x {directions} directions x "
            f"{', '.join(names)}), got {len(params)}"
        )
    for i, state in enumerate(states):
        if state.dim() != 3 or state.shape[0] != count:
            raise RuntimeError(
                f"{name}: expected hidden{i} of shape [{count}, batch, hidden_size], got {list(state.shape)}"
            )
    cells = [
        dict(zip(names, params[i : i + len(names)], strict=True)) for i in range(0, len(params), len(names))
    ]
    return [cells[i : i + directions] for i in range(0, count, directions)]


@function(method=False)
@takes_packed
def rnn_tanh(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """An Elman network of several layers over a sequence: ``h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)``.

    Shapes, for L layers and D directions: input (T, N, I) or, ``batch_first``, (N, T, I); hx (D L, N, H);
    params for each layer and direction w_ih (H, I or D H), w_hh (H, H) and with ``has_biases`` b_ih, b_hh (H)
    -> output (T, N, D H), h_n (D L, N, H). In training, elements between layers are dropped with probability
    ``dropout``. Of a packed sequence: ``rnn_tanh(data, batch_sizes, hx, params, has_biases, num_layers, dropout,
    train, bidirectional)``, data (sum of lengths, I) -> (sum of lengths, D H). Raises ``RuntimeError`` for T = 0
    and sizes or dtypes that do not fit. Source: Elman (1990), "Finding structure in time".

    >>> import minidl
    >>> x, h, params = minidl.ones(5, 2, 3), minidl.zeros(1, 2, 4), [minidl.zeros(4, 3), minidl.zeros(4, 4)]
    >>> output, h_n = minidl.rnn_tanh(x, h, params, False, 1, 0.0, False, False, False)
    >>> output.shape
    torch.Size([5, 2, 4])
    """
    return _rnn("tanh", input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)


@function(method=False)
@takes_packed
def rnn_relu(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """As ``rnn_tanh`` with relu in the place of tanh.

    >>> import minidl
    >>> x, h, params = minidl.ones(5, 2, 3), minidl.zeros(1, 2, 4), [minidl.zeros(4, 3), minidl.zeros(4, 4)]
    >>> output, h_n = minidl.rnn_relu(x, h, params, False, 1, 0.0, False, False, False)
    >>> output.shape
    torch.Size([5, 2, 4])
    """
    return _rnn("relu", input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)


def _rnn(nonlinearity, input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    def run(input, states, parameters, reverse):
        return _rnn_sequence(input, *states, **parameters, nonlinearity=nonlinearity, reverse=reverse)

    layers = _layers(f"rnn_{nonlinearity}", (hx,), params, has_biases, num_layers, bidirectional)
    return _stacked(run, input, (hx,), layers, dropout, train, batch_first)


@function(method=False)
@takes_packed
def lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """A long short-term memory of several layers over a sequence; ``lstm_cell`` gives the formulas of a step.

    Shapes, for L layers and D directions: input (T, N, I) or, ``batch_first``, (N, T, I); hx = (h_0 (D L, N, P),
    c_0 (D L, N, H)); params for each layer and direction w_ih (4 H, I or D P), w_hh (4 H, P), with ``has_biases``
    b_ih, b_hh (4 H), and where P < H the projection w_hr (P, H) -> output (T, N, D P), h_n, c_n in the shapes of hx.
    In training, elements between layers are dropped with probability ``dropout``. Of a packed sequence:
    ``lstm(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)``. Raises
    ``RuntimeError`` for T = 0 and sizes or dtypes that do not fit. Source: Hochreiter and Schmidhuber (1997); Sak
    et al. (2014), arXiv:1402.1128 (projection).

    >>> import minidl
    >>> x, state = minidl.ones(5, 2, 3), (minidl.zeros(1, 2, 4), minidl.zeros(1, 2, 4))
    >>> params = [minidl.zeros(16, 3), minidl.zeros(16, 4)]
    >>> output, h_n, c_n = minidl.lstm(x, state, params, False, 1, 0.0, False, False, False)
    >>> output.shape
    torch.Size([5, 2, 4])
    """
    if not isinstance(hx, (tuple, list)) or len(hx) != 2:
        raise RuntimeError("lstm expects two hidden states: hx must be a tuple (h_0, c_0)")

    def run(input, states, parameters, reverse):
        return _lstm_sequence(input, *states, **parameters, reverse=reverse)

    projected = hx[0].shape[-1:] != hx[1].shape[-1:]
    layers = _layers("lstm", hx, params, has_biases, num_layers, bidirectional, projected)
    return _stacked(run, input, hx, layers, dropout, train, batch_first)


@function(method=False)
@takes_packed
def gru(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    """A gated recurrent unit of several layers over a sequence; ``gru_cell`` gives the formulas of a step.

    Shapes, for L layers and D directions: input (T, N, I) or, ``batch_first``, (N, T, I); hx (D L, N, H);
    params for each layer and direction w_ih (3 H, I or D H), w_hh (3 H, H) and with ``has_biases`` b_ih, b_hh
    (3 H) -> output (T, N, D H), h_n (D L, N, H). In training, elements between layers are dropped with
    probability ``dropout``. Of a packed sequence: ``gru(data, batch_sizes, hx, params, has_biases, num_layers,
    dropout, train, bidirectional)``. Raises ``RuntimeError`` for T = 0 and sizes or dtypes that do not fit. Source:
    Cho et al. (2014), arXiv:1406.1078.

    >>> import minidl
    >>> x, h, params = minidl.ones(5, 2, 3), minidl.zeros(1, 2, 4), [minidl.zeros(12, 3), minidl.zeros(12, 4)]
    >>> output, h_n = minidl.gru(x, h, params, False, 1, 0.0, False, False, False)
    >>> output.shape
    torch.Size([5, 2, 4])
    """

    def run(input, states, parameters, reverse):
        return _gru_sequence(input, *states, **parameters, reverse=reverse)

    layers = _layers("gru", (hx,), params, has_biases, num_layers, bidirectional)
    return _stacked(run, input, (hx,), layers, dropout, train, batch_first)
