"""Steps that average weights, follow signs, factor their state or orthogonalise, written as those of ``optim.py``.

``steps``, ``etas`` and ``mus`` are host arrays of one element.
"""

import math

from minidl.backends.reference.precision import _wide
from minidl.backends.reference.updates import _count, _descend, _gradient, _keep, _lerp


def asgd_step(xp, params, grads, axs, etas, mus, steps, lr, lambd, alpha, t0, weight_decay, maximize):
    """Averaged descent; ``axs`` hold the mean of the weights, ``etas`` and ``mus`` the rates of the next step."""
    for i, target in enumerate(params):
        count = _count(steps, i)
        eta, mu = float(etas[i]), float(mus[i])
        param, average = _wide(target), _wide(axs[i])
        grad = _gradient(param, grads[i], weight_decay, maximize)
        param *= 1 - lambd * eta
        _descend(target, param, grad * 1, eta)
        if mu == 1:
            average[...] = param
        else:
            _lerp(average, param, mu)
        _keep(axs[i], average)
        etas[i][...] = lr / (1 + lambd * lr * count) ** alpha
        mus[i][...] = 1 / max(1.0, count - t0)


def rprop_step(xp, params, grads, prevs, step_sizes, steps, shrink, grow, smallest, largest, maximize):
    """Rprop: ``prevs`` hold the gradient of the step before, zero where that step was undone."""
    for i, target in enumerate(params):
        _count(steps, i)
        param, size, grad = _wide(target), _wide(step_sizes[i]), _gradient(None, grads[i], 0.0, maximize)
        turn = grad * _wide(prevs[i])
        turned = turn < 0
        size *= xp.where(turn > 0, grow, xp.where(turned, shrink, 1.0)).astype(size.dtype)
        size[...] = xp.minimum(xp.maximum(size, smallest), largest)
        _keep(step_sizes[i], size)
        zero = xp.zeros((), grad.dtype)
        grad = xp.where(turned, zero, grad)
        prevs[i][...] = grad
        _descend(target, param, xp.where(grad > 0, size, xp.where(grad < 0, -size, zero)), 1)


def _root_mean_square(xp, array):
    return math.sqrt(float((array * array).sum()) / array.size)


def adafactor_step(
    xp, params, grads, row_vars, col_vars, variances, steps, lr, beta2_decay, eps1, eps2, d, weight_decay, maximize
):  # fmt: skip
    """Adafactor; a matrix has ``row_vars`` and ``col_vars``, anything else ``variances`` (the other is None)."""
    for i, target in enumerate(params):
        count = _count(steps, i)
        if target.size == 0:
            continue
        weight = count**beta2_decay
        param, grad = _wide(target), _gradient(None, grads[i], 0.0, maximize)
        rate = max(eps2, _root_mean_square(xp, param)) * min(lr, 1 / math.sqrt(count))
        if weight_decay:
            param *= 1 - lr * weight_decay
        square = grad * grad
        if variances[i] is None:
            row, col = _wide(row_vars[i]), _wide(col_vars[i])
            _lerp(row, square.mean(axis=-1, keepdims=True), weight)
            _lerp(col, square.mean(axis=-2, keepdims=True), weight)
            _keep(row_vars[i], row)
            _keep(col_vars[i], col)
            estimate = row * col
            estimate /= xp.maximum(row.mean(axis=-2, keepdims=True), eps1)
        else:
            estimate = _wide(variances[i])
            _lerp(estimate, square, weight)
            _keep(variances[i], estimate)
        step = grad / xp.sqrt(xp.maximum(estimate, eps1 * eps1))
        _descend(target, param, step, rate / max(1.0, _root_mean_square(xp, step) / d))


def _rounded(xp, array):
    """Float32 values rounded to those of bfloat16, ties to even."""
    bits = array.view(xp.uint32)
    bits = bits + (((bits >> 16) & 1) + 0x7FFF)
    bits &= 0xFFFF0000
    return bits.view(xp.float32)


def _orthogonal(xp, matrix, coefficients, eps, rounds):
    """The nearest half-orthogonal matrix, about, by Newton's iteration of the fifth order in bfloat16."""
    a, b, c = coefficients
    x = _rounded(xp, xp.ascontiguousarray(matrix.astype(xp.float32)))
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = xp.ascontiguousarray(x.T)
    norm = _rounded(xp, xp.sqrt((x * x).sum(keepdims=True)))
    x = _rounded(xp, x / xp.maximum(norm, _rounded(xp, xp.full((1, 1), eps, xp.float32))))
    for _ in range(rounds):
        gram = _rounded(xp, xp.matmul(x, x.T))
        update = _rounded(xp, b * gram + c * xp.matmul(gram, gram))
        x = _rounded(xp, a * x + xp.matmul(update, x))
    return x.T if tall else x


def muon_step(
    xp, params, grads, momentum_buffers, lr, weight_decay, momentum, nesterov, coefficients, eps, rounds, match_rms
):  # fmt: skip
    """Muon; ``match_rms`` scales steps to the size of AdamW's rather than by the shape of the matrix alone."""
    for i, target in enumerate(params):
        param, grad, buffer = _wide(target), _wide(grads[i]), _wide(momentum_buffers[i])
        _lerp(buffer, grad, 1 - momentum)
        _keep(momentum_buffers[i], buffer)
        along = grad + momentum * (buffer - grad) if nesterov else buffer
        rows, columns = target.shape
        if target.size == 0:
            continue
        scale = 0.2 * math.sqrt(max(rows, columns)) if match_rms else math.sqrt(max(1, rows / columns))
        param *= 1 - lr * weight_decay
        step = _orthogonal(xp, along, coefficients, eps, rounds).astype(param.dtype)
        _descend(target, param, step, lr * scale)
