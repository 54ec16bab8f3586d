"""Softmax and its relatives along one axis (logsumexp: along several), and their gradients.

The largest value is subtracted first, so nothing overflows. A slice that holds NaN or +infinity, or only
-infinity, gives NaN (``logsumexp`` gives the infinity). float16 and bfloat16 are computed in float32.
"""

from minidl.backends.reference.precision import _wide


def softmax(xp, input, dim):
    """exp(x - max) / sum exp(x - max)."""
    shifted = xp.exp(_shifted(input, dim))
    return (shifted / shifted.sum(axis=dim, keepdims=True)).astype(input.dtype, copy=False)


def log_softmax(xp, input, dim):
    """x - max - log sum exp(x - max)."""
    shifted = _shifted(input, dim)
    log_sum = xp.log(xp.exp(shifted).sum(axis=dim, keepdims=True))
    return (shifted - log_sum).astype(input.dtype, copy=False)


def softmax_backward(xp, grad, output, dim):
    """y * (g - sum(g * y))."""
    g, y = _wide(grad), _wide(output)
    return (y * (g - (g * y).sum(axis=dim, keepdims=True))).astype(grad.dtype, copy=False)


def log_softmax_backward(xp, grad, output, dim):
    """g - exp(y) * sum(g)."""
    g = _wide(grad)
    return (g - xp.exp(_wide(output)) * g.sum(axis=dim, keepdims=True)).astype(grad.dtype, copy=False)


def logsumexp(xp, input, dims, keepdim):
    """log(sum(exp(x))) over a tuple of axes; -infinity where nothing is summed or all of it is -infinity."""
    wide = _wide(input)
    kept = tuple(1 if axis in dims else n for axis, n in enumerate(input.shape))
    largest = wide.max(axis=dims, keepdims=True) if wide.size else xp.zeros(kept, wide.dtype)
    offset = xp.where(xp.isinf(largest), xp.zeros_like(largest), largest)
    out = xp.log(xp.exp(wide - offset).sum(axis=dims, keepdims=keepdim))
    return (out + offset.reshape(out.shape)).astype(input.dtype, copy=False)


def _shifted(input, dim):
    wide = _wide(input)
    return wide - wide.max(axis=dim, keepdims=True) if wide.size else wide
