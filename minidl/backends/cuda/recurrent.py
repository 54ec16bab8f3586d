"""RNN, LSTM and GRU on floating-point arrays: products of all steps at once, and one call that runs the steps.

Letters and arguments as in ``backends/reference/recurrent.py``; gates of 16-bit types are computed in float32 and
kept in 16 bits. A projected LSTM and a sequence of no steps fall through.
"""

from minidl.backends.cuda.matmul import linear
from minidl.backends.device_calls import matmul_rounding, product, split_sums, stream, sum_over, view


def _served(input, *others):
    """Whether the kernels take these arrays (None among the others is skipped): steps, and one dtype in all."""
    dtype = input.dtype
    alike = all(other is None or other.dtype == dtype for other in others)
    return alike and dtype.char in "fdeE" and len(input) > 0


def _options(xp, ext, state, weight, out, reverse):
    """The last arguments of a sequence's call, for steps with the product ``state`` x ``weight`` -> ``out``."""
    parts = split_sums(xp, ext, view(state), view(weight), view(out))
    return (reverse, matmul_rounding["tf32"], view(parts), stream(xp)), parts


def rnn_sequence(xp, ext, input, h0, w_ih, w_hh, b_ih, b_hh, nonlinearity, reverse):
    if not _served(input, h0, w_ih, w_hh, b_ih, b_hh):
        return NotImplemented
    output = linear(xp, ext, input, w_ih, b_ih)
    options, _parts = _options(xp, ext, h0, w_hh.T, output[0], reverse)
    ext.rnn_sequence(view(w_hh), view(b_hh), view(h0), view(output), nonlinearity == "relu", *options)
    return output, _last(output, reverse).copy()


def rnn_sequence_grad(xp, ext, doutput, dh_n, input, h0, w_ih, w_hh, output, nonlinearity, reverse, needs):
    if not _served(input, doutput, dh_n, h0, w_ih, w_hh, output):
        return NotImplemented
    dz, dh = xp.empty(output.shape, output.dtype), xp.empty(h0.shape, h0.dtype)
    options, _parts = _options(xp, ext, dz[0], w_hh, dh, reverse)
    incoming, relu = (view(doutput), view(dh_n)), nonlinearity == "relu"
    ext.rnn_sequence_grad(view(w_hh), *incoming, view(output), view(dz), view(dh), relu, *options)
    return _gather(xp, ext, dz, dz, input, (dh,), w_ih, _before(xp, h0, output, reverse), needs)


def lstm_sequence(xp, ext, input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, reverse):
    if w_hr is not None or not _served(input, h0, c0, w_ih, w_hh, b_ih, b_hh):
        return NotImplemented
    gates = linear(xp, ext, input, w_ih, b_ih)
    cells = xp.empty((*input.shape[:2], c0.shape[1]), gates.dtype)
    output = xp.empty(cells.shape, gates.dtype)
    options, _parts = _options(xp, ext, h0, w_hh.T, gates[0], reverse)
    states = view(h0), view(c0), view(gates), view(cells), view(output)
    ext.lstm_sequence(view(w_hh), view(b_hh), *states, *options)
    return output, _last(output, reverse).copy(), _last(cells, reverse).copy(), gates, cells


def lstm_sequence_grad(
    xp, ext, doutput, dh_n, dc_n, input, h0, c0, w_ih, w_hh, w_hr, output, gates, cells, reverse, needs
):
    arrays = doutput, dh_n, dc_n, h0, c0, w_ih, w_hh, output, gates, cells
    if w_hr is not None or not _served(input, *arrays):
        return NotImplemented
    dz = xp.empty(gates.shape, gates.dtype)
    dh, dc = xp.empty(h0.shape, h0.dtype), xp.empty(c0.shape, c0.dtype)
    options, _parts = _options(xp, ext, dz[0], w_hh, dh, reverse)
    incoming, saved = (view(doutput), view(dh_n), view(dc_n)), (view(c0), view(gates), view(cells))
    ext.lstm_sequence_grad(view(w_hh), *incoming, *saved, view(dz), view(dh), view(dc), *options)
    h_before = _before(xp, h0, output, reverse)
    return (*_gather(xp, ext, dz, dz, input, (dh, dc), w_ih, h_before, needs[:-1]), None)


def gru_sequence(xp, ext, input, h0, w_ih, w_hh, b_ih, b_hh, reverse):
    if not _served(input, h0, w_ih, w_hh, b_ih, b_hh):
        return NotImplemented
    gates = linear(xp, ext, input, w_ih, b_ih)
    output = xp.empty((*input.shape[:2], h0.shape[1]), gates.dtype)
    hidden_n = xp.empty(output.shape, gates.dtype)
    from_hidden = xp.empty(gates.shape[1:], gates.dtype)
    options, _parts = _options(xp, ext, h0, w_hh.T, from_hidden, reverse)
    arrays = view(h0), view(gates), view(hidden_n), view(output), view(from_hidden)
    ext.gru_sequence(view(w_hh), view(b_hh), *arrays, *options)
    return output, _last(output, reverse).copy(), gates, hidden_n


def gru_sequence_grad(xp, ext, doutput, dh_n, input, h0, w_ih, w_hh, output, gates, hidden_n, reverse, needs):
    if not _served(input, doutput, dh_n, h0, w_ih, w_hh, output, gates, hidden_n):
        return NotImplemented
    dz_input, dz_hidden = (xp.empty(gates.shape, gates.dtype) for _ in range(2))
    dh = xp.empty(h0.shape, h0.dtype)
    options, _parts = _options(xp, ext, dz_hidden[0], w_hh, dh, reverse)
    saved = view(h0), view(output), view(gates), view(hidden_n)
    outs = view(dz_input), view(dz_hidden), view(dh)
    ext.gru_sequence_grad(view(w_hh), view(doutput), view(dh_n), *saved, *outs, *options)
    h_before = _before(xp, h0, output, reverse)
    return _gather(xp, ext, dz_input, dz_hidden, input, (dh,), w_ih, h_before, needs)


def _last(states, reverse):
    return states[0 if reverse else len(states) - 1]


def _before(xp, h0, output, reverse):
    """The state that each step started from [T, N, H]."""
    if len(output) == 1:
        return h0[None]
    return xp.concatenate([output[1:], h0[None]] if reverse else [h0[None], output[:-1]])


def _gather(xp, ext, dz_input, dz_hidden, input, dstates, w_ih, h_before, needs):
    """All gradients from those of the sums: (input, *states, w_ih, w_hh, b_ih, b_hh)."""
    count = 1 + len(dstates)
    w_ih_, w_hh_, b_ih_, b_hh_ = needs[count:]
    for_input, for_hidden, x, h = (a.reshape(-1, a.shape[2]) for a in (dz_input, dz_hidden, input, h_before))
    db_ih = sum_over(xp, ext, for_input, (0,)) if b_ih_ else None
    if b_hh_ and b_ih_ and dz_hidden is dz_input:
        db_hh = db_ih.copy()
    else:
        db_hh = sum_over(xp, ext, for_hidden, (0,)) if b_hh_ else None
    return (
        product(xp, ext, dz_input, w_ih) if needs[0] else None,
        *(d if need else None for d, need in zip(dstates, needs[1:count], strict=True)),
        product(xp, ext, for_input.T, x) if w_ih_ else None,
        product(xp, ext, for_hidden.T, h) if w_hh_ else None,
        db_ih,
        db_hh,
    )


def rnn_cell(xp, ext, input, hx, w_ih, w_hh, b_ih, b_hh, nonlinearity):
    steps = rnn_sequence(xp, ext, input[None], hx, w_ih, w_hh, b_ih, b_hh, nonlinearity, False)
    return steps if steps is NotImplemented else steps[0][0]


def rnn_cell_grad(xp, ext, dh, input, hx, w_ih, w_hh, h_next, nonlinearity, needs):
    saved = h_next[None], nonlinearity, False
    return _one_step(rnn_sequence_grad(xp, ext, None, dh, input[None], hx, w_ih, w_hh, *saved, needs))


def lstm_cell(xp, ext, input, hx, cx, w_ih, w_hh, b_ih, b_hh):
    steps = lstm_sequence(xp, ext, input[None], hx, cx, w_ih, w_hh, b_ih, b_hh, None, False)
    return steps if steps is NotImplemented else (steps[1], steps[2], steps[3][0])


def lstm_cell_grad(xp, ext, dh, dc, input, hx, cx, w_ih, w_hh, h_next, c_next, gates, needs):
    saved = h_next[None], gates[None], c_next[None]
    grads = lstm_sequence_grad(
        xp, ext, None, dh, dc, input[None], hx, cx, w_ih, w_hh, None, *saved, False, (*needs, False)
    )
    return grads if grads is NotImplemented else _one_step(grads[:-1])


def gru_cell(xp, ext, input, hx, w_ih, w_hh, b_ih, b_hh):
    steps = gru_sequence(xp, ext, input[None], hx, w_ih, w_hh, b_ih, b_hh, False)
    return steps if steps is NotImplemented else (steps[0][0], steps[2][0], steps[3][0])


def gru_cell_grad(xp, ext, dh, input, hx, w_ih, w_hh, h_next, gates, hidden_n, needs):
    saved = h_next[None], gates[None], hidden_n[None]
    return _one_step(gru_sequence_grad(xp, ext, None, dh, input[None], hx, w_ih, w_hh, *saved, False, needs))


def _one_step(grads):
    """The gradients of a sequence of one step as those of a cell: the input's loses its axis of steps."""
    if grads is NotImplemented:
        return grads
    dinput, *rest = grads
    return (None if dinput is None else dinput[0], *rest)
