"""Cross entropy and nll_loss of class indices: the classes of a sample are read once, forward and backward.

A bad target is noted by the kernel that meets it, and ignored.
"""

from minidl.backends import faults
from minidl.backends.device_calls import empty_alike, stream, view

_FLOATS = frozenset("feEd")


def cross_entropy(xp, ext, input, target, weight, ignore_index, reduction, label_smoothing):
    if not _served(input, target, weight):
        return NotImplemented
    dtype, shape = input.dtype, target.shape
    loss, total = xp.empty(shape if reduction == "none" else (), dtype), xp.empty((), dtype)
    log_sums, partial = xp.empty(shape, "float64"), _partial(xp, target)
    targets = _targets(xp, target, weight, ignore_index, reduction, label_smoothing)
    outputs = view(loss), view(log_sums), view(total), view(partial)
    ext.cross_entropy(view(input), targets, *outputs, stream(xp))
    return loss, log_sums, total


def cross_entropy_backward(
    xp, ext, grad, input, target, weight, log_sums, total, ignore_index, reduction, label_smoothing
):
    if not _served(input, target, weight) or grad.dtype != input.dtype:
        return NotImplemented
    out = empty_alike(xp, input)
    targets = _targets(xp, target, weight, ignore_index, reduction, label_smoothing)
    kept = view(log_sums), view(total)
    ext.cross_entropy_backward(view(grad), view(input), targets, *kept, view(out), stream(xp))
    return out


def nll_loss(xp, ext, input, target, weight, ignore_index, reduction):
    if not _served(input, target, weight):
        return NotImplemented
    loss = xp.empty(target.shape if reduction == "none" else (), input.dtype)
    total, partial = xp.empty((), input.dtype), _partial(xp, target)
    targets = _targets(xp, target, weight, ignore_index, reduction)
    ext.nll_loss(view(input), targets, view(loss), view(total), view(partial), stream(xp))
    return loss


def nll_loss_backward(xp, ext, grad, target, weight, shape, ignore_index, reduction):
    if not _served(grad, target, weight):
        return NotImplemented
    out, total = xp.empty(shape, grad.dtype), xp.empty((), grad.dtype)
    partial = _partial(xp, target)
    targets = _targets(xp, target, weight, ignore_index, reduction)
    ext.nll_loss_backward(view(grad), targets, view(total), view(partial), view(out), stream(xp))
    return out


def _served(input, target, weight):
    dtype = input.dtype
    return dtype.char in _FLOATS and target.dtype.char in "lq" and (weight is None or weight.dtype == dtype)


def _targets(xp, target, weight, ignore_index, reduction, label_smoothing=0.0):
    return view(target), view(weight), ignore_index, reduction, label_smoothing, faults.record(xp)


def _partial(xp, target):
    """Two sums for each block, of which there are no more than samples."""
    return xp.empty((2 * target.size,), "float64")
