"""The LSTM on float32 and float64 arrays: matrix products, and one kernel a step for everything else.

Letters and arguments as in ``backends/reference/recurrent.py``. A projected LSTM falls through.
"""

from minidl.backends.device_calls import floats_alike, product, stream, sum_over, view


def _steps(count, reverse):
    return range(count - 1, -1, -1) if reverse else range(count)


def lstm_sequence(xp, ext, input, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, reverse):
    if w_hr is not None or not floats_alike(input, h0, c0, w_ih, w_hh, b_ih, b_hh):
        return NotImplemented
    steps, batch, size = len(input), len(c0), c0.shape[-1]
    gates = product(xp, ext, input.reshape(steps * batch, input.shape[-1]), w_ih.T)
    gates = gates.reshape(steps, batch, 4 * size)
    cells = xp.empty((steps, batch, size), gates.dtype)
    output = xp.empty_like(cells)
    biases = view(b_ih), view(b_hh)
    h, c = h0, c0
    for t in _steps(steps, reverse):
        from_hidden = product(xp, ext, h, w_hh.T)
        now = view(gates[t])
        before, h, c = c, output[t], cells[t]
        ext.lstm_step(now, view(from_hidden), *biases, view(before), now, view(c), view(h), stream(xp))
    return output, h.copy(), c.copy(), gates, cells


def lstm_sequence_grad(
    xp, ext, doutput, dh_n, dc_n, input, h0, c0, w_ih, w_hh, w_hr, output, gates, cells, reverse, needs
):
    if w_hr is not None or not floats_alike(
        input, doutput, dh_n, dc_n, h0, c0, w_ih, w_hh, output, gates, cells
    ):
        return NotImplemented
    dz = xp.empty(gates.shape, gates.dtype)
    dh, dc, dc_before = dh_n, view(dc_n), xp.empty(c0.shape, c0.dtype)
    for t in _steps(len(input), not reverse):
        from_output = None if doutput is None else view(doutput[t])
        first = t == (len(input) - 1 if reverse else 0)
        before = c0 if first else cells[t + 1 if reverse else t - 1]
        state = view(gates[t]), view(cells[t]), view(before)
        ext.lstm_step_grad(view(dh), from_output, dc, *state, view(dz[t]), view(dc_before), stream(xp))
        dh, dc = product(xp, ext, dz[t], w_hh), view(dc_before)
    if not len(input):
        dh = xp.zeros(h0.shape, h0.dtype) if dh_n is None else dh_n
        dc_before = xp.zeros(c0.shape, c0.dtype) if dc_n is None else dc_n
    return (*_gather(xp, ext, dz, input, (dh, dc_before), w_ih, h0, output, reverse, needs), None)


def _gather(xp, ext, dz, input, dstates, w_ih, h0, output, reverse, needs):
    """All gradients from those of the pre-activations: (input, h0, c0, w_ih, w_hh, b_ih, b_hh)."""
    rows = dz.reshape(dz.shape[0] * dz.shape[1], dz.shape[2])
    db_ih = db_hh = None
    if needs[5] or needs[6]:
        db_ih = sum_over(xp, ext, rows, (0,))
        db_hh = db_ih.copy()
    states = [output[1:], h0[None]] if reverse else [h0[None], output[:-1]]
    h_before = xp.concatenate(states)[: len(dz)].reshape(len(rows), h0.shape[-1])
    return (
        product(xp, ext, dz, w_ih) if needs[0] else None,
        *(d if need else None for d, need in zip(dstates, needs[1:3], strict=True)),
        product(xp, ext, rows.T, input.reshape(len(rows), input.shape[-1])) if needs[3] else None,
        product(xp, ext, rows.T, h_before) if needs[4] else None,
        db_ih if needs[5] else None,
        db_hh if needs[6] else None,
    )


def lstm_cell(xp, ext, input, hx, cx, w_ih, w_hh, b_ih, b_hh):
    steps = lstm_sequence(xp, ext, input[None], hx, cx, w_ih, w_hh, b_ih, b_hh, None, False)
    return steps if steps is NotImplemented else (steps[1], steps[2], steps[3][0])


def lstm_cell_grad(xp, ext, dh, dc, input, hx, cx, w_ih, w_hh, h_next, c_next, gates, needs):
    saved = h_next[None], gates[None], c_next[None]
    grads = lstm_sequence_grad(
        xp, ext, None, dh, dc, input[None], hx, cx, w_ih, w_hh, None, *saved, False, (*needs, False)
    )
    if grads is NotImplemented:
        return grads
    dinput, *rest = grads[:-1]
    return (None if dinput is None else dinput[0], *rest)
