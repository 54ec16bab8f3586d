"""Elman RNN, LSTM and GRU: one cell step, and whole sequences of one layer in one direction, with gradients.

Letters: T steps, N batch, I input features, H hidden features, P features of the state (P = H without a
projection), G gates (RNN 1, LSTM 4 in the order i f g o, GRU 3 in the order r z n). Arrays:

    input [T, N, I]   h0 [N, P]   c0 [N, H]   output [T, N, P]
    w_ih [G H, I]   w_hh [G H, P]   b_ih, b_hh [G H] or None   w_hr [P, H] or None (LSTM's projection)

All steps share one product with ``w_ih`` before the loop and one product a weight gradient after it; inside the loop
only the product with ``w_hh`` remains. With ``reverse`` the steps run from the last to the first; ``output[t]`` still
belongs to ``input[t]``. A gradient function takes ``needs``, one bool an input, and gives None where it is False;
an incoming gradient may be None for zero. Sources: Elman (1990), "Finding structure in time"; Hochreiter and
Schmidhuber (1997), "Long short-term memory"; Cho et al. (2014), arXiv:1406.1078 (GRU, with PyTorch's placement of
the reset gate: after the product with W_hn).
"""

import functools


def _float32_inside(fn):
    """Runs ``fn`` in float32 where its arrays are float16 or bfloat16, and rounds the results back once."""

    @functools.wraps(fn)
    def call(xp, *args):
        dtype = next(a.dtype for a in args if hasattr(a, "dtype"))
        if dtype.itemsize > 2:
            return fn(xp, *args)
        wide = (a.astype(xp.float32) if hasattr(a, "dtype") else a for a in args)
        return tuple(None if out is None else out.astype(dtype) for out in fn(xp, *wide))

    return call


def _steps(count, reverse):
    return range(count - 1, -1, -1) if reverse else range(count)


def _sigmoid(xp, x):
    return 1 / (1 + xp.exp(-x))


def _linear(x, weight, *biases):
    out = x @ weight.T
    for bias in biases:
        if bias is not None:
            out = out + bias
    return out


def _before(xp, first, states, reverse):
    """The state that each step started from: ``states`` shifted by one step, ``first`` filled in."""
    if reverse:
        return xp.concatenate([states[1:], first[None]])
    return xp.concatenate([first[None], states[:-1]])


def _weight_grad(g, x):
    """``d(x weight^T)``'s gradient for the weight, all steps in one product: g [T, N, M], x [T, N, K] -> [M, K]."""
    return g.reshape(-1, g.shape[-1]).T @ x.reshape(-1, x.shape[-1])


def _start(xp, dlast, like):
    return xp.zeros_like(like) if dlast is None else dlast


@_float32_inside
def rnn_sequence(xp, input, h0, w_ih, w_hh, b_ih, b_hh, nonlinearity, reverse):
    """``h_t = act(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)`` -> (output, h_n); act is "tanh" or "relu"."""
    output = _linear(input, w_ih, b_ih, b_hh)
    h = h0
    for t in _steps(len(input), reverse):
        z = output[t] + h @ w_hh.T
        h = output[t] = xp.tanh(z) if nonlinearity == "tanh" else xp.maximum(z, 0)
    return output, h.copy()


@_float32_inside
def rnn_sequence_grad(xp, doutput, dh_n, input, h0, w_ih, w_hh, output, nonlinearity, reverse, needs):
    """Gradients for (input, h0, w_ih, w_hh, b_ih, b_hh) of ``rnn_sequence``."""
    dz = xp.empty_like(output)
    dh = _start(xp, dh_n, h0)
    for t in _steps(len(input), not reverse):
        dh = dh if doutput is None else dh + doutput[t]
        dz[t] = dh * (1 - output[t] * output[t]) if nonlinearity == "tanh" else dh * (output[t] > 0)
        dh = dz[t] @ w_hh
    return _gather(xp, dz, dz, input, (dh,), w_ih, _before(xp, h0, output, reverse), needs)


@_float32_inside
def lstm_sequence(xp, input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, reverse):
    """LSTM over all steps -> (output, h_n, c_n, gates [T, N, 4 H] after their activations, cells [T, N, H]).

    ``c_t = f c_(t-1) + i g``; ``h_t = o tanh(c_t)``, times ``W_hr^T`` where a projection is given (arXiv:1402.1128).
    """
    gates = _linear(input, w_ih, b_ih, b_hh)
    size = c0.shape[-1]
    cells = xp.empty((*input.shape[:2], size), dtype=gates.dtype)
    output = xp.empty((*input.shape[:2], h0.shape[-1]), dtype=gates.dtype)
    h, c = h0, c0
    for t in _steps(len(input), reverse):
        z = gates[t] + h @ w_hh.T
        gates[t] = _sigmoid(xp, z)
        gates[t, :, 2 * size : 3 * size] = xp.tanh(z[:, 2 * size : 3 * size])
        i, f, g, o = _split(gates[t], size)
        c = cells[t] = f * c + i * g
        h = o * xp.tanh(c)
        h = output[t] = h if w_hr is None else h @ w_hr.T
    return output, h.copy(), c.copy(), gates, cells


@_float32_inside
def lstm_sequence_grad(
    xp, doutput, dh_n, dc_n, input, h0, c0, w_ih, w_hh, w_hr, output, gates, cells, reverse, needs
):
    """Gradients for (input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr) of ``lstm_sequence``."""
    size = c0.shape[-1]
    c_before = _before(xp, c0, cells, reverse)
    dz = xp.empty_like(gates)
    dprojected = xp.empty_like(output)
    dh, dc = _start(xp, dh_n, h0), _start(xp, dc_n, c0)
    for t in _steps(len(input), not reverse):
        i, f, g, o = _split(gates[t], size)
        dh = dprojected[t] = dh if doutput is None else dh + doutput[t]
        if w_hr is not None:
            dh = dh @ w_hr
        tanh_c = xp.tanh(cells[t])
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        di, df, dg, do = _split(dz[t], size)
        di[...] = dc * g * i * (1 - i)
        df[...] = dc * c_before[t] * f * (1 - f)
        dg[...] = dc * i * (1 - g * g)
        do[...] = dh * tanh_c * o * (1 - o)
        dh = dz[t] @ w_hh
        dc = dc * f
    *head, needs_w_hr = needs
    grads = _gather(xp, dz, dz, input, (dh, dc), w_ih, _before(xp, h0, output, reverse), head)
    if not needs_w_hr:
        return (*grads, None)
    hidden = gates[..., 3 * size :] * xp.tanh(cells)
    return (*grads, _weight_grad(dprojected, hidden))


@_float32_inside
def gru_sequence(xp, input, h0, w_ih, w_hh, b_ih, b_hh, reverse):
    """GRU over all steps -> (output, h_n, gates [T, N, 3 H] after their activations, hidden_n [T, N, H]).

    ``r, z = sigmoid(W_i x + b_i + W_h h + b_h)``; ``hidden_n = W_hn h + b_hn``;
    ``n = tanh(W_in x + b_in + r hidden_n)``; ``h' = (1 - z) n + z h``.
    """
    gates = _linear(input, w_ih, b_ih)
    size = h0.shape[-1]
    output = xp.empty((*input.shape[:2], size), dtype=gates.dtype)
    hidden_n = xp.empty_like(output)
    h = h0
    for t in _steps(len(input), reverse):
        from_hidden = _linear(h, w_hh, b_hh)
        hidden_n[t] = from_hidden[:, 2 * size :]
        gates[t, :, : 2 * size] = _sigmoid(xp, gates[t, :, : 2 * size] + from_hidden[:, : 2 * size])
        r, z, n = _split(gates[t], size)
        n[...] = xp.tanh(n + r * hidden_n[t])
        h = output[t] = (1 - z) * n + z * h
    return output, h.copy(), gates, hidden_n


@_float32_inside
def gru_sequence_grad(xp, doutput, dh_n, input, h0, w_ih, w_hh, output, gates, hidden_n, reverse, needs):
    """Gradients for (input, h0, w_ih, w_hh, b_ih, b_hh) of ``gru_sequence``."""
    size = h0.shape[-1]
    h_before = _before(xp, h0, output, reverse)
    dz_input = xp.empty_like(gates)
    dz_hidden = xp.empty_like(gates)  # equals dz_input but for n, which the reset gate scales
    dh = _start(xp, dh_n, h0)
    for t in _steps(len(input), not reverse):
        r, z, n = _split(gates[t], size)
        dh = dh if doutput is None else dh + doutput[t]
        dr, dz, dn = _split(dz_input[t], size)
        dn[...] = dh * (1 - z) * (1 - n * n)
        dz[...] = dh * (h_before[t] - n) * z * (1 - z)
        dr[...] = dn * hidden_n[t] * r * (1 - r)
        dz_hidden[t] = dz_input[t]
        dz_hidden[t, :, 2 * size :] *= r
        dh = dh * z + dz_hidden[t] @ w_hh
    return _gather(xp, dz_input, dz_hidden, input, (dh,), w_ih, h_before, needs)


def _split(gates, size):
    """Views of the gates, ``size`` features each."""
    return [gates[..., k : k + size] for k in range(0, gates.shape[-1], size)]


def _gather(xp, dz_input, dz_hidden, input, dstates, w_ih, h_before, needs):
    """All gradients from those of the pre-activations: (input, *states, w_ih, w_hh, b_ih, b_hh)."""
    count = len(dstates)
    for_input, for_states, (w_ih_, w_hh_, b_ih_, b_hh_) = needs[0], needs[1 : 1 + count], needs[1 + count :]
    return (
        dz_input @ w_ih if for_input else None,
        *(d if need else None for d, need in zip(dstates, for_states, strict=True)),
        _weight_grad(dz_input, input) if w_ih_ else None,
        _weight_grad(dz_hidden, h_before) if w_hh_ else None,
        dz_input.sum(axis=(0, 1)) if b_ih_ else None,
        dz_hidden.sum(axis=(0, 1)) if b_hh_ else None,
    )


def rnn_cell(xp, input, hx, w_ih, w_hh, b_ih, b_hh, nonlinearity):
    """One step: input [N, I], hx [N, H] -> h' [N, H]."""
    return rnn_sequence(xp, input[None], hx, w_ih, w_hh, b_ih, b_hh, nonlinearity, False)[1]


def rnn_cell_grad(xp, dh, input, hx, w_ih, w_hh, h_next, nonlinearity, needs):
    """Gradients for (input, hx, w_ih, w_hh, b_ih, b_hh) of ``rnn_cell``."""
    grads = rnn_sequence_grad(
        xp, None, dh, input[None], hx, w_ih, w_hh, h_next[None], nonlinearity, False, needs
    )
    return _one_step(grads)


def lstm_cell(xp, input, hx, cx, w_ih, w_hh, b_ih, b_hh):
    """One step: input [N, I], hx and cx [N, H] -> (h', c', gates [N, 4 H])."""
    steps = lstm_sequence(xp, input[None], hx, cx, w_ih, w_hh, b_ih, b_hh, None, False)
    return steps[1], steps[2], steps[3][0]


def lstm_cell_grad(xp, dh, dc, input, hx, cx, w_ih, w_hh, h_next, c_next, gates, needs):
    """Gradients for (input, hx, cx, w_ih, w_hh, b_ih, b_hh) of ``lstm_cell``."""
    saved = h_next[None], gates[None], c_next[None]
    grads = lstm_sequence_grad(
        xp, None, dh, dc, input[None], hx, cx, w_ih, w_hh, None, *saved, False, (*needs, False)
    )
    return _one_step(grads[:-1])


def gru_cell(xp, input, hx, w_ih, w_hh, b_ih, b_hh):
    """One step: input [N, I], hx [N, H] -> (h', gates [N, 3 H], hidden_n [N, H])."""
    _, h, gates, hidden_n = gru_sequence(xp, input[None], hx, w_ih, w_hh, b_ih, b_hh, False)
    return h, gates[0], hidden_n[0]


def gru_cell_grad(xp, dh, input, hx, w_ih, w_hh, h_next, gates, hidden_n, needs):
    """Gradients for (input, hx, w_ih, w_hh, b_ih, b_hh) of ``gru_cell``."""
    saved = h_next[None], gates[None], hidden_n[None]
    return _one_step(gru_sequence_grad(xp, None, dh, input[None], hx, w_ih, w_hh, *saved, False, needs))


def _one_step(grads):
    """The gradients of a sequence of one step as those of a cell: the input's loses its axis of steps."""
    dinput, *rest = grads
    return (None if dinput is None else dinput[0], *rest)
