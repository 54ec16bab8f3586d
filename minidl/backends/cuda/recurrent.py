"""RNN, LSTM and GRU on floating-point arrays: products of all steps at once, and one call that runs the steps.

Letters and arguments as in ``backends/reference/recurrent.py``; gates of 16-bit types are computed in float32 and
kept in 16 bits. A sequence of no steps falls through, and so does a projected LSTM of a 16-bit type.

*Projections.* ``h_t = W_hr r_t`` with ``r_t = o tanh(c_t)``: the steps run on r with the weight ``W_hh W_hr``, one
product a step in place of two, from ``r_0 = 0``; what ``h_0`` brings is added to the first step's gates.
"""

from minidl.backends.cuda.matmul import linear
from minidl.backends.device_calls import (
    floats_alike,
    matmul_rounding,
    multiply,
    product,
    split_sums,
    stream,
    sum_over,
    view,
)


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
    if not _served(input, h0, c0, w_ih, w_hh, b_ih, b_hh) or not _projects(w_hh, w_hr):
        return NotImplemented
    gates = linear(xp, ext, input, w_ih, b_ih)
    if w_hr is not None:
        first = gates[_first(gates, reverse)]
        multiply(xp, ext, view(h0), view(w_hh.T), first, addend=view(first))
        h0, w_hh = xp.zeros_like(c0), product(xp, ext, w_hh, w_hr)
    cells = xp.empty((*input.shape[:2], c0.shape[1]), gates.dtype)
    output = xp.empty(cells.shape, gates.dtype)
    options, _parts = _options(xp, ext, h0, w_hh.T, gates[0], reverse)
    states = view(h0), view(c0), view(gates), view(cells), view(output)
    ext.lstm_sequence(view(w_hh), view(b_hh), *states, *options)
    if w_hr is not None:
        output = product(xp, ext, output, w_hr.T)
    return output, _last(output, reverse).copy(), _last(cells, reverse).copy(), gates, cells


def lstm_sequence_grad(
    xp, ext, doutput, dh_n, dc_n, input, h0, c0, w_ih, w_hh, w_hr, output, gates, cells, reverse, needs
):
    arrays = doutput, dh_n, dc_n, h0, c0, w_ih, w_hh, output, gates, cells
    if not _served(input, *arrays) or not _projects(w_hh, w_hr):
        return NotImplemented
    saved, dw_hr = (c0, gates, cells), None
    if w_hr is None:
        dz, dh, dc = _lstm_steps_grad(xp, ext, (doutput, dh_n, dc_n), w_hh, *saved, reverse)
    else:
        dy = _with_last(xp, output, doutput, dh_n, reverse)
        weight = product(xp, ext, w_hh, w_hr)
        incoming = product(xp, ext, dy, w_hr), None, dc_n
        dz, _, dc = _lstm_steps_grad(xp, ext, incoming, weight, *saved, reverse)
        dh = product(xp, ext, dz[_first(dz, reverse)], w_hh)
        if needs[-1]:
            dw_hr = _projection_grad(xp, ext, dy, dz, w_hh, gates, cells, reverse)
    h_before = _before(xp, h0, output, reverse)
    return (*_gather(xp, ext, dz, dz, input, (dh, dc), w_ih, h_before, needs[:-1]), dw_hr)


def _projects(w_hh, w_hr):
    """Whether a projection (or None) is one that the kernels take: its product with W_hh has that one's dtype."""
    return w_hr is None or floats_alike(w_hh, w_hr)


def _lstm_steps_grad(xp, ext, incoming, w_hh, c0, gates, cells, reverse):
    """The gradients of the sums (T, N, 4 H), of h_0 and of c_0, from those of (output, h_n, c_n)."""
    dz = xp.empty(gates.shape, gates.dtype)
    dh, dc = xp.empty(c0.shape, c0.dtype), xp.empty(c0.shape, c0.dtype)
    options, _parts = _options(xp, ext, dz[0], w_hh, dh, reverse)
    given, saved = [view(d) for d in incoming], (view(c0), view(gates), view(cells))
    ext.lstm_sequence_grad(view(w_hh), *given, *saved, view(dz), view(dh), view(dc), *options)
    return dz, dh, dc


def _with_last(xp, output, doutput, dh_n, reverse):
    """The gradient of all outputs where the last is also ``h_n``."""
    if doutput is not None and dh_n is None:
        return doutput
    dy = xp.zeros_like(output) if doutput is None else doutput.copy()
    if dh_n is not None:
        last = _last(dy, reverse)
        last += dh_n
    return dy


def _projection_grad(xp, ext, dy, dz, w_hh, gates, cells, reverse):
    """The gradient (P, H) of ``W_hr``: of the outputs, and by way of ``W_hh W_hr``, which met r of the step before."""
    size = cells.shape[2]
    hidden = gates[:, :, 3 * size :] * xp.tanh(cells)
    before, after = (hidden[1:], dz[:-1]) if reverse else (hidden[:-1], dz[1:])
    outputs = product(xp, ext, _rows(dy).T, _rows(hidden))
    product_grad = product(xp, ext, _rows(after).T, _rows(before))
    return outputs + product(xp, ext, w_hh.T, product_grad)


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


def _first(states, reverse):
    return len(states) - 1 if reverse else 0


def _last(states, reverse):
    return states[0 if reverse else len(states) - 1]


def _rows(array):
    """(T, N, F) as (T N, F)."""
    return array.reshape(-1, array.shape[2])


def _before(xp, h0, output, reverse):
    """The state that each step started from [T, N, H]."""
    if len(output) == 1:
        return h0[None]
    return xp.concatenate([output[1:], h0[None]] if reverse else [h0[None], output[:-1]])


def _gather(xp, ext, dz_input, dz_hidden, input, dstates, w_ih, h_before, needs):
    """All gradients from those of the sums: (input, *states, w_ih, w_hh, b_ih, b_hh)."""
    count = 1 + len(dstates)
    w_ih_, w_hh_, b_ih_, b_hh_ = needs[count:]
    for_input, for_hidden, x, h = (_rows(a) for a in (dz_input, dz_hidden, input, h_before))
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
