"""Running a cell over the steps of a sequence: by the fused kernels where the options allow, else step by step.

All functions take and give time-major tensors, (T, N, features), and masks (T, N).
"""

from minidl.keras import activations
from minidl.keras.engine.nest import flatten, pack_like
from minidl.keras.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell
from minidl.nn import functional as F
from minidl.ops.create import arange, zeros_like
from minidl.ops.joining import stack
from minidl.ops.recurrent import _gru_sequence, _lstm_sequence, _rnn_sequence
from minidl.ops.scans import cumsum
from minidl.ops.selection import where

__all__ = ["has_kernel", "run_fused", "run_fused_masked", "run_steps"]


def has_kernel(cell, training):
    """Whether a fused kernel computes what the cell does."""
    if training and getattr(cell, "recurrent_dropout", 0):
        return False
    if type(cell) is SimpleRNNCell:
        return cell.activation in (activations.tanh, activations.relu)
    usual = type(cell) in (LSTMCell, GRUCell) and cell.activation is activations.tanh
    usual = usual and cell.recurrent_activation is activations.sigmoid
    return usual and getattr(cell, "reset_after", True)


def run_fused(cell, x, states, training, backwards=False):
    """Outputs (T, N, units) in the input's order, and the last states."""
    if training and cell.dropout:
        x = x * cell.dropped(zeros_like(x[0]) + 1, cell.dropout, "inputs", True)
    core = cell.core
    weights = (core.weight_ih, core.weight_hh, core.bias_ih, core.bias_hh)
    weights = [w if w is None or w.dtype == x.dtype else w.to(x.dtype) for w in weights]
    if type(cell) is LSTMCell:
        out, *states = _lstm_sequence(x, *states, *weights, None, backwards)
    elif type(cell) is GRUCell:
        out, *states = _gru_sequence(x, *states, *weights, backwards)
    else:
        kind = "tanh" if cell.activation is activations.tanh else "relu"
        out, *states = _rnn_sequence(x, *states, *weights, kind, backwards)
    return out, states


def run_fused_masked(cell, x, states, mask, training, backwards=False):
    """As ``run_fused``, where masked steps keep the state, and repeat the output (None for the states after c).

    A masked step changes nothing, so the kernel runs over each sample's unmasked steps, moved to the front; what it
    gives at step k belongs to the steps from the k-th unmasked one up to the next.
    """
    if backwards:
        out, states = run_fused_masked(cell, x.flip(0), states, mask.flip(0), training)
        return out.flip(0), states
    count = cumsum(mask.long(), 0)
    order = (~mask).long().argsort(0, stable=True)
    out, _ = run_fused(cell, _taken(x, order), states, training)
    out = where((count > 0).unsqueeze(2), _taken(out, (count - 1).clamp(min=0)), 0.0)
    last = where((count[-1] > 0).unsqueeze(1), out[-1], states[0])
    return out, [last, *[None] * (len(states) - 1)]


def _taken(x, steps):
    """x (T, N, F) at ``steps`` (T, N) of each sample."""
    count, batch, features = x.shape
    rows = steps * batch + arange(batch, device=x.device)
    return F.embedding(rows, x.reshape(count * batch, features))


def run_steps(step, x, states, mask=None, backwards=False, zero_masked=False):
    """Outputs (T, N, ...) in the input's order and the last states of ``step(x_t, states) -> output, states``."""
    outputs, previous = [], None
    order = range(x.shape[0] - 1, -1, -1) if backwards else range(x.shape[0])
    for t in order:
        out, new = step(x[t], states)
        if mask is not None:
            kept = mask[t]
            out = _chosen(kept, out, zeros_like(out) if previous is None or zero_masked else previous)
            pairs = zip(flatten(new), flatten(states), strict=True)
            new = pack_like(new, [_chosen(kept, a, b) for a, b in pairs])
        outputs.append(out)
        states, previous = new, out
    return stack(outputs[::-1] if backwards else outputs, 0), states


def _chosen(mask, new, old):
    """``new`` for the samples where the mask is True, ``old`` for the others."""
    return where(mask.reshape(-1, *[1] * (new.ndim - 1)), new, old)
