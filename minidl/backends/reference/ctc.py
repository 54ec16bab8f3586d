"""Connectionist temporal classification: forward-backward in logarithms, over all samples and states at once.

T steps, N samples, C classes, L = 2 S + 1 states: a blank, the first label, a blank, ..., a blank. A path goes through
the states of its sample, each step staying, going on by one or, between labels that differ, by two. Impossible is
``FLOOR`` instead of -inf, so that differences of two impossible paths are no NaN.
"""

FLOOR = -1e30
IMPOSSIBLE = -1e29  # below: no path


def _emitted(xp, log_probs, states):
    """(T, N, L): the logarithm of each state's class at each step."""
    rows = xp.arange(states.shape[0])[:, None]
    return xp.maximum(log_probs[:, rows, states], FLOOR)


def _hops(xp, states):
    """(N, L): whether a path may come from two states before; blanks and repeated labels equal that state's class."""
    first = xp.zeros((states.shape[0], min(2, states.shape[1])), bool)
    return xp.concatenate([first, states[:, 2:] != states[:, :-2]], axis=1)


def _log_sum(xp, *terms):
    largest = terms[0]
    for term in terms[1:]:
        largest = xp.maximum(largest, term)
    total = xp.exp(terms[0] - largest)
    for term in terms[1:]:
        total = total + xp.exp(term - largest)
    return xp.log(total) + largest


def _arrived(xp, before, hops):
    """(N, L): the logarithm of the sum over all ways into each state."""
    blocked = xp.full((before.shape[0], 2), FLOOR, before.dtype)
    padded = xp.concatenate([blocked, before], axis=1)
    return _log_sum(xp, before, padded[:, 1:-1], xp.where(hops, padded[:, :-2], FLOOR).astype(before.dtype))


def ctc_loss(xp, log_probs, states, input_lengths, target_lengths):
    """-log of the probability of all paths, (N,), inf where there is none, and the forward variables (T, N, L).

    log_probs (T, N, C); states (N, L) classes, input_lengths and target_lengths (N,), int64. After a sample's last step
    its forward variables stay as they are.
    """
    emitted, hops = _emitted(xp, log_probs, states), _hops(xp, states)
    alphas = xp.full(emitted.shape, FLOOR, emitted.dtype)
    alphas[0, :, :2] = emitted[0, :, :2]
    for t in range(1, emitted.shape[0]):
        going = (t < input_lengths)[:, None]
        alphas[t] = xp.where(going, emitted[t] + _arrived(xp, alphas[t - 1], hops), alphas[t - 1])
    rows, last = xp.arange(states.shape[0]), 2 * target_lengths
    label = xp.where(last > 0, alphas[-1, rows, xp.maximum(last - 1, 0)], FLOOR).astype(emitted.dtype)
    total = _log_sum(xp, alphas[-1, rows, last], label)
    total = xp.where(input_lengths == 0, xp.where(last == 0, 0.0, FLOOR).astype(emitted.dtype), total)
    return xp.where(total < IMPOSSIBLE, xp.inf, -total).astype(emitted.dtype), alphas


def ctc_loss_backward(
    xp, g, log_probs, states, input_lengths, target_lengths, nll, alphas, blank, zero_infinity
):
    """The gradient of ``log_probs``: -g times the probability, given the labels, that a step is of a class.

    g (N,); nll and alphas as ``ctc_loss`` gives them. A sample without a path has NaN, or with ``zero_infinity`` 0.
    """
    emitted, hops = _emitted(xp, log_probs, states), _hops(xp, states)
    ahead = xp.concatenate([hops[:, 2:], xp.zeros((hops.shape[0], 2), bool)], axis=1)[:, : hops.shape[1]]
    ahead = ahead[:, ::-1]
    places = xp.arange(states.shape[1])
    last = 2 * target_lengths[:, None]
    ends = (places == last) | (places == last - 1)
    lost = xp.isinf(nll)
    offset = xp.where(lost, xp.nan, nll).astype(emitted.dtype)[:, None]
    beta = xp.full(emitted.shape[1:], FLOOR, emitted.dtype)
    posterior = xp.zeros(emitted.shape, emitted.dtype)
    for t in range(emitted.shape[0] - 1, -1, -1):
        final = xp.where(ends, emitted[t], FLOOR).astype(emitted.dtype)
        going = emitted[t] + _arrived(xp, beta[:, ::-1], ahead)[:, ::-1]
        beta = xp.where((t == input_lengths - 1)[:, None], final, going)
        active = (t < input_lengths)[:, None]
        beta = xp.where(active, beta, FLOOR).astype(emitted.dtype)
        share = xp.exp(alphas[t] + beta - emitted[t] + offset)
        posterior[t] = xp.where(active & ~(lost[:, None] & bool(zero_infinity)), share, 0)
    posterior *= -g[:, None]
    posterior = xp.where(lost[:, None] & bool(zero_infinity), 0, posterior).astype(emitted.dtype)
    return _by_class(xp, posterior, states, log_probs.shape, blank)


def _by_class(xp, values, states, shape, blank):
    """(T, N, C): the sums of (T, N, L) values over the states of each class."""
    out = xp.zeros(shape, values.dtype)
    steps, samples, classes = shape
    labels = xp.ascontiguousarray(values[:, :, 1::2])
    rows = (xp.arange(steps)[:, None] * samples + xp.arange(samples)) * classes
    index = rows[:, :, None] + states[None, :, 1::2]
    xp.add.at(out.reshape(-1), index.reshape(-1), labels.reshape(-1))
    out[:, :, blank] += values[:, :, ::2].sum(axis=2)
    return out
