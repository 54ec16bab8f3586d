"""One optimizer step of Keras over a list of parameters, written into them and their states.

The arrays of each parameter have one shape and dtype; 16-bit floats are computed in float32. Where minidl.optim
has the same step, as for Adam and SGD, the kernels of that are called instead.
"""


def _wide(xp, *arrays):
    """The arrays, those of 16 bits as float32 copies."""
    return [a.astype(xp.float32) if a.dtype.itemsize == 2 else a for a in arrays]


def _store(targets, values):
    """Writes back what was computed in copies."""
    for target, value in zip(targets, values, strict=True):
        if target is not value:
            target[...] = value


def keras_scale(xp, arrays, factor):
    """Multiplies arrays in place: weight decay."""
    for array in arrays:
        if array.dtype.itemsize == 2:
            array[...] = array.astype(xp.float32) * factor
        else:
            array *= factor


def keras_average(xp, averages, values, momentum):
    """momentum * average + (1 - momentum) * value, in place; and, with momentum 1, a running sum of gradients."""
    for average, value in zip(averages, values, strict=True):
        a, v = _wide(xp, average, value)
        if momentum == 1:
            a += v
        else:
            a *= momentum
            a += (1 - momentum) * v
        _store([average], [a])


def keras_norm(xp, arrays):
    """The norm of several arrays together, a 0-d array of the device."""
    total = None
    for array in arrays:
        (wide,) = _wide(xp, array)
        flat = wide.reshape(-1)
        part = xp.dot(flat, flat)
        total = part if total is None else total + part
    return xp.sqrt(total)


def keras_clipped(xp, arrays, limit):
    """The arrays of one variable times limit / max(norm, limit)."""
    norm = keras_norm(xp, arrays)
    factor = limit / xp.maximum(norm, limit)
    return [array * factor.astype(array.dtype) for array in arrays]


def keras_clipped_together(xp, arrays, limit):
    """All arrays times limit / max(their common norm, limit); NaN where the norm is not finite."""
    norm = keras_norm(xp, arrays)
    factor = limit * xp.minimum(1.0 / norm, 1.0 / limit) + (norm - norm)
    return [array * factor.astype(array.dtype) for array in arrays]


def keras_rmsprop_step(
    xp, params, grads, velocities, momentums, averages, lr, rho, momentum, eps, centered
):  # fmt: skip
    """v = rho v + (1 - rho) g^2; p -= lr g / sqrt(v [- mean^2] + eps), through a momentum where there is one."""
    for i, target in enumerate(params):
        param, grad, velocity = _wide(xp, target, grads[i], velocities[i])
        velocity *= rho
        velocity += (1 - rho) * grad * grad
        below = velocity + eps
        if centered:
            (average,) = _wide(xp, averages[i])
            average *= rho
            average += (1 - rho) * grad
            below -= average * average
            _store([averages[i]], [average])
        change = lr * grad / xp.sqrt(below)
        if momentum:
            (speed,) = _wide(xp, momentums[i])
            speed *= momentum
            speed += change
            change = speed
            _store([momentums[i]], [speed])
        param -= change
        _store([target, velocities[i]], [param, velocity])


def keras_adagrad_step(xp, params, grads, accumulators, lr, eps):
    """a += g^2; p -= lr g / sqrt(a + eps)."""
    for i, target in enumerate(params):
        param, grad, total = _wide(xp, target, grads[i], accumulators[i])
        total += grad * grad
        param -= lr * grad / xp.sqrt(total + eps)
        _store([target, accumulators[i]], [param, total])


def keras_adadelta_step(xp, params, grads, squares, changes, lr, rho, eps):
    """s = rho s + (1 - rho) g^2; d = g sqrt(c + eps) / sqrt(s + eps); c = rho c + (1 - rho) d^2; p -= lr d."""
    for i, target in enumerate(params):
        param, grad, square, change = _wide(xp, target, grads[i], squares[i], changes[i])
        square *= rho
        square += (1 - rho) * grad * grad
        step = grad * xp.sqrt(change + eps) / xp.sqrt(square + eps)
        change *= rho
        change += (1 - rho) * step * step
        param -= lr * step
        _store([target, squares[i], changes[i]], [param, square, change])


def keras_adamax_step(xp, params, grads, means, norms, lr, beta1, beta2, eps, step):
    """m = b1 m + (1 - b1) g; u = max(b2 u, |g|); p -= lr / (1 - b1^t) m / (u + eps)."""
    rate = lr / (1 - beta1**step)
    for i, target in enumerate(params):
        param, grad, mean, norm = _wide(xp, target, grads[i], means[i], norms[i])
        mean += (1 - beta1) * (grad - mean)
        norm[...] = xp.maximum(beta2 * norm, xp.abs(grad))
        param -= rate * mean / (norm + eps)
        _store([target, means[i], norms[i]], [param, mean, norm])


def keras_nadam_step(xp, params, grads, means, squares, lr, beta1, beta2, eps, step, mean_share, grad_share):
    """Adam whose mean looks one step ahead: p -= lr (mean_share m + grad_share g) / (sqrt(v / (1 - b2^t)) + eps)."""
    correction = 1 - beta2**step
    for i, target in enumerate(params):
        param, grad, mean, square = _wide(xp, target, grads[i], means[i], squares[i])
        mean += (1 - beta1) * (grad - mean)
        square += (1 - beta2) * (grad * grad - square)
        ahead = mean_share * mean + grad_share * grad
        param -= lr * ahead / (xp.sqrt(square / correction) + eps)
        _store([target, means[i], squares[i]], [param, mean, square])


def keras_ftrl_step(xp, params, grads, accumulators, linears, lr, power, l1, l2, shrinkage):
    """Follow the regularised leader: the parameter that minimises the linear sum and both penalties."""
    for i, target in enumerate(params):
        param, grad, total, linear = _wide(xp, target, grads[i], accumulators[i], linears[i])
        new_total = total + grad * grad
        scale = new_total**-power
        linear += grad + 2 * shrinkage * param - (scale - total**-power) / lr * param
        param[...] = (xp.clip(linear, -l1, l1) - linear) / (scale / lr + 2 * l2)
        total[...] = new_total
        _store([target, accumulators[i], linears[i]], [param, total, linear])


def keras_lion_step(xp, params, grads, means, lr, beta1, beta2):
    """p -= lr sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g."""
    for i, target in enumerate(params):
        param, grad, mean = _wide(xp, target, grads[i], means[i])
        param -= lr * xp.sign(beta1 * mean + (1 - beta1) * grad)
        mean *= beta2
        mean += (1 - beta2) * grad
        _store([target, means[i]], [param, mean])


def keras_schedule_free_step(xp, params, grads, points, squares, lr, beta1, beta2, eps, step):
    """Schedule-free AdamW: z -= lr g / (sqrt(v / (1 - b2^t)) + eps); x moves 1 / t of the way to z; p lies between."""
    correction, weight = 1 - beta2**step, 1.0 / step
    for i, target in enumerate(params):
        param, grad, point, square = _wide(xp, target, grads[i], points[i], squares[i])
        square += (1 - beta2) * (grad * grad - square)
        mean = (param - (1 - beta1) * point) / beta1
        point -= lr * grad / (xp.sqrt(square / correction) + eps)
        mean = (1 - weight) * mean + weight * point
        param[...] = (1 - beta1) * point + beta1 * mean
        _store([target, points[i], squares[i]], [param, point, square])


def keras_lamb_step(xp, params, grads, means, squares, lr, beta1, beta2, eps, step):
    """Adam's change for the arrays of one variable, scaled by the variable's norm over the change's."""
    changes = []
    for i, target in enumerate(params):
        _, grad, mean, square = _wide(xp, target, grads[i], means[i], squares[i])
        mean += (1 - beta1) * (grad - mean)
        square += (1 - beta2) * (grad * grad - square)
        changes.append(mean / (1 - beta1**step) / (xp.sqrt(square / (1 - beta2**step)) + eps))
        _store([means[i], squares[i]], [mean, square])
    held, moved = keras_norm(xp, params), keras_norm(xp, changes)
    both = (held > 0) & (moved > 0)
    ratio = xp.where(both, held / xp.where(both, moved, xp.ones_like(moved)), xp.ones_like(held))
    for target, change in zip(params, changes, strict=True):
        (param,) = _wide(xp, target)
        param -= (lr * ratio).astype(param.dtype) * change
        _store([target], [param])
