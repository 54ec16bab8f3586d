"""Connectionist temporal classification: the likelihood of a sequence of labels whose places in time are unknown.

Source: A. Graves et al., "Connectionist temporal classification: labelling unsegmented sequence data with recurrent
neural networks", 2006.
"""

import math

import numpy as np

from minidl import dtypes
from minidl.autograd import Saved, Tensor, function, op
from minidl.backends import of
from minidl.ops.arithmetic import add, div, mul, neg, sub
from minidl.ops.common import as_index
from minidl.ops.comparison import eq, gt, lt, ne
from minidl.ops.create import arange, tensor
from minidl.ops.indexing import gather
from minidl.ops.joining import stack, unbind
from minidl.ops.loss_reduction import check_reduction, check_tensors, reduced
from minidl.ops.pad import pad
from minidl.ops.selection import clamp, where
from minidl.ops.shapes import expand, reshape, unsqueeze
from minidl.ops.softmax import logsumexp

_FLOOR, _IMPOSSIBLE = -1e30, -1e29  # instead of -inf, and what lies below has no path


def _ctc_rule(g, log_probs, states, input_lengths, target_lengths, nll, alphas, blank, zero_infinity):
    return of(g).ctc_loss_backward(
        g, log_probs, states, input_lengths, target_lengths, nll, alphas, blank, zero_infinity
    )


def _ctc_composed(log_probs, states, input_lengths, target_lengths, zero_infinity):
    """The forward recursion in terms of ops."""
    shape = (log_probs.shape[0], *states.shape)
    emitted = unbind(clamp(gather(log_probs, 2, expand(unsqueeze(states, 0), shape)), _FLOOR))
    places = arange(shape[2], device=log_probs.device)
    hops = pad(ne(states[:, 2:], states[:, :-2]), (2, 0), value=False)[:, -shape[2] :]
    alpha = where(lt(places, 2), emitted[0], _FLOOR)
    for t, emission in enumerate(emitted[1:], 1):
        padded = pad(alpha, (2, 0), value=_FLOOR)
        ways = stack([alpha, padded[:, 1:-1], where(hops, padded[:, :-2], _FLOOR)])
        going = unsqueeze(gt(input_lengths, t), 1)
        alpha = where(going, add(emission, logsumexp(ways, 0)), alpha)
    last = mul(target_lengths, 2)
    ends = gather(alpha, 1, stack([last, clamp(sub(last, 1), 0)], 1))
    label = where(gt(last, 0), ends[:, 1], _FLOOR)
    total = logsumexp(stack([ends[:, 0], label]), 0)
    total = where(eq(input_lengths, 0), where(eq(last, 0), 0.0, _FLOOR), total)
    return where(lt(total, _IMPOSSIBLE), 0.0 if zero_infinity else math.inf, neg(total))


@op(
    log_probs=_ctc_rule,
    constant="states input_lengths target_lengths",
    composed=_ctc_composed,
    shown="CtcLoss",
    faces=(),
    method=False,
)
def _ctc(log_probs, states, input_lengths, target_lengths, blank, zero_infinity):
    """The loss (N,) of samples whose states (N, 2 S + 1) are a blank, a label, a blank, ..., a blank."""
    space = of(log_probs)
    nll, alphas = space.ctc_loss(log_probs, states, input_lengths, target_lengths)
    loss = space.where(space.isinf(nll), 0.0, nll) if zero_infinity else nll
    return loss, Saved(nll=nll, alphas=alphas)


def _lengths(given, name, batch, least, most):
    """Lengths as ints on the host. Raises ``RuntimeError`` for others, and for ones that do not fit."""
    if isinstance(given, Tensor):
        if given.is_floating_point() or given.dtype is dtypes.bool_:
            raise RuntimeError(f"{name} must be integral")
        found = reshape(given, (-1,)).tolist()
    else:
        found = [as_index(n, name) for n in (given if isinstance(given, (tuple, list)) else (given,))]
    if len(found) != batch:
        raise RuntimeError(f"{name} must be of size batch_size")
    for length in found:
        if length < least:
            raise RuntimeError(f"Expected {name} to have value at least {least}, but got value {length}")
        if most is not None and length > most:
            raise RuntimeError(f"Expected {name} to have value at most {most}, but got value {length}")
    return found


def _check(log_probs, targets, blank):
    check_tensors("ctc_loss", log_probs=log_probs, targets=targets)
    if log_probs.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {log_probs.ndim}-dimensional tensor for argument #1 'log_probs'. "
            "Hint: (T, N, C), or (T, C) of one sample."
        )
    if log_probs.dtype not in (dtypes.float32, dtypes.float64):
        kind = dtypes.scalar_name(log_probs._array.dtype)
        raise NotImplementedError(
            f"\"ctc_loss_cpu\" not implemented for '{kind}'. Hint: convert log_probs with .float()."
        )
    if log_probs.numel() == 0:
        raise RuntimeError("log_probs tensor must not be empty")
    if not 0 <= blank < log_probs.shape[-1]:
        raise RuntimeError("blank must be in label range")


def _padded(targets, lengths, blank, classes):
    """Labels (N, S) int64 with blanks past the lengths, from (N, >= S) or from all in one row."""
    batch, longest = len(lengths), max(lengths)
    if targets.ndim not in (1, 2):
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {targets.ndim}-dimensional tensor for argument #2 'targets'"
        )
    sizes = np.array(lengths, np.int64)[:, None]
    steps = np.arange(longest)
    if targets.ndim == 1:
        _check_size(targets, 0, sum(lengths), "")
        starts = np.cumsum([0, *lengths[:-1]])[:, None]
    else:
        _check_size(targets, 0, batch, "")
        _check_size(targets, 1, longest, "at least ")
        starts = np.arange(batch)[:, None] * targets.shape[1]
    inside = steps < sizes
    if not inside.any():
        return tensor(np.full((batch, longest), blank), device=targets.device)
    index = tensor(np.where(inside, starts + steps, 0), device=targets.device)
    labels = reshape(targets, (-1,))[index].long()
    labels = where(tensor(inside, device=targets.device), labels, blank)
    if of(labels._array).first_out_of_range(labels._array, classes, None) >= 0:
        raise RuntimeError(
            f"ctc_loss: targets must lie in [0, {classes}), the classes of log_probs; got values from "
            f"{int(labels.min())} to {int(labels.max())}"
        )
    return labels


def _check_size(targets, dim, size, least):
    found = targets.shape[dim]
    if found < size or (found != size and not least):
        raise RuntimeError(
            f"Expected tensor to have size {least}{size} at dimension {dim}, but got size {found} for argument #2 "
            "'targets'"
        )


def _states(labels, blank):
    """(N, S) labels with blanks between and around them: (N, 2 S + 1)."""
    blanks = labels * 0 + blank
    pairs = reshape(stack([blanks, labels], 2), (labels.shape[0], -1))
    return pad(pairs, (0, 1), value=blank)


@function(faces=("functional",), method=False)
def ctc_loss(
    log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False
):
    """-log of the probability of the labels: of all sequences of classes that give them, once repeats and blanks go.

    Shapes, for T steps, N samples, C classes: log_probs (T, N, C) or (T, C), logarithms of probabilities, float32 or
    float64; targets (N, S), padded by anything, or (sum of target_lengths,), all samples in one row; input_lengths and
    target_lengths (N,) or (), tensors of integers or tuples; output () or (N,), () of a single sample. A mean divides
    each loss by its target's length, at least 1, first. No path (a target longer than its input allows) gives inf, and
    with ``zero_infinity`` 0 without gradient.

    The gradient is that of ``log_probs`` as they are. PyTorch's has exp(log_probs) added to it, which vanishes in the
    gradient of the ``log_softmax`` before; so beyond that both are the same.

    Raises ``RuntimeError`` for shapes and lengths that do not fit, a blank or a label that is no class,
    ``NotImplementedError`` for other dtypes.
    Source: A. Graves et al., "Connectionist temporal classification", 2006.

    >>> import minidl
    >>> logs = minidl.full((2, 1, 2), 0.5).log()
    >>> minidl.nn.functional.ctc_loss(logs, minidl.tensor([[1]]), (2,), (1,)).exp()
    tensor(1.3333)
    """
    check_reduction(reduction)
    _check(log_probs, targets, blank)
    single = log_probs.ndim == 2
    if single:
        log_probs = unsqueeze(log_probs, 1)
    steps, batch, classes = log_probs.shape
    inputs = _lengths(input_lengths, "input_lengths", batch, 0, steps)
    sizes = _lengths(target_lengths, "target_lengths", batch, 0, None)
    states = _states(_padded(targets, sizes, blank, classes), blank)
    device = log_probs.device
    inputs, lengths = tensor(inputs, device=device), tensor(sizes, device=device)
    losses = _ctc(log_probs, states, inputs, lengths, blank, bool(zero_infinity))
    if reduction == "mean":
        losses = div(losses, clamp(lengths, 1).to(losses.dtype))
    return reduced(losses[0] if single else losses, reduction)
