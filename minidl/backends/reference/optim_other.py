"""Steps that average weights, follow signs, factor their state or orthogonalise, written as those of ``optim.py``.

``steps``, ``etas`` and ``mus`` are host arrays of one element.
"""

import math

from minidl.backends.reference.precision import _wide
from minidl.backends.reference.updates import _count, _descend, _gradient, _keep, _lerp, _pieces


def asgd_step(xp, params, grads, axs, etas, mus, steps, lr, lambd, alpha, t0, weight_decay, maximize):
    """Averaged descent; ``axs`` hold the mean of the weights, ``etas`` and ``mus`` the rates of the next step."""
    for i, whole in enumerate(params):
        count = _count(steps, i)
        eta, mu = float(etas[i]), float(mus[i])
        for target, grad, ax in _pieces(whole, grads[i], axs[i]):
            param, average = _wide(target), _wide(ax)
            grad = _gradient(param, grad, weight_decay, maximize)
            param *= 1 - lambd * eta
            _descend(target, param, grad * eta, 1)
            if mu == 1:
                average[...] = param
            else:
                _lerp(average, param, mu)
            _keep(ax, average)
        etas[i][...] = lr / (1 + lambd * lr * count) ** alpha
        mus[i][...] = 1 / max(1.0, count - t0)


def rprop_step(xp, params, grads, prevs, step_sizes, steps, shrink, grow, smallest, largest, maximize):
    """Rprop: ``prevs`` hold the gradient of the step before, zero where that step was undone."""
    dtype = xp.float32 if params[0].dtype.itemsize == 2 else params[0].dtype
    zero, one, more, less = (xp.full((), number, dtype) for number in (0, 1, grow, shrink))
    for i, whole in enumerate(params):
        _count(steps, i)
        for target, grad, prev, step_size in _pieces(whole, grads[i], prevs[i], step_sizes[i]):
            param, size, grad = _wide(target), _wide(step_size), _gradient(None, grad, 0.0, maximize)
            turn = grad * _wide(prev)
            turned = turn < 0
            size *= xp.where(turn > 0, more, xp.where(turned, less, one))
            xp.maximum(size, smallest, out=size)
            xp.minimum(size, largest, out=size)
            _keep(step_size, size)
            grad = xp.where(turned, zero, grad)
            prev[...] = grad
            sign = (grad > 0).astype(dtype) - (grad < 0).astype(dtype)  # of NaN too: 0
            _descend(target, param, sign * size, 1)


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
    """The float32 values of a fresh array rounded to those of bfloat16, ties to even; overwrites it."""
    bits = array.view(xp.uint32)
    odd = bits >> 16
    odd &= 1
    odd += 0x7FFF
    bits += odd
    bits &= 0xFFFF0000
    return array


def _orthogonal(xp, matrix, coefficients, eps, rounds):
    """The nearest half-orthogonal matrix, about, by Newton's iteration of the fifth order in bfloat16."""
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = _rounded(xp, xp.array(matrix.T if tall else matrix, dtype=xp.float32, order="C"))
    norm = _rounded(xp, xp.sqrt((x * x).sum(keepdims=True)))
    x /= xp.maximum(norm, _rounded(xp, xp.full((1, 1), eps, xp.float32)))
    x = _rounded(xp, x)
    for _ in range(rounds):
        gram = _rounded(xp, xp.matmul(x, x.T))
        update = xp.matmul(gram, gram.T)  # symmetric: the BLAS computes half of it
        update *= c
        gram *= b
        update += gram
        product = xp.matmul(_rounded(xp, update), x)
        x *= a
        x += product
        x = _rounded(xp, x)
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
