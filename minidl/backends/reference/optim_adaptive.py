"""Steps of the optimizers that scale each coordinate by the sizes of its gradients, written as those of ``optim.py``.

``steps`` (and ``mu_products``) are host arrays of one element, which count this call too.
"""

import math

from minidl.backends.reference.precision import _wide
from minidl.backends.reference.updates import _count, _descend, _gradient, _keep, _lerp, _lerp_square


def rmsprop_step(
    xp, params, grads, square_avgs, momentum_buffers, grad_avgs, steps, lr, alpha, eps, weight_decay, momentum, maximize
):  # fmt: skip
    """RMSprop; ``momentum_buffers`` is None without momentum, ``grad_avgs`` None where it is not centred."""
    for i, target in enumerate(params):
        _count(steps, i)
        param, square = _wide(target), _wide(square_avgs[i])
        grad = _gradient(param, grads[i], weight_decay, maximize)
        _lerp_square(square, grad, 1 - alpha)
        _keep(square_avgs[i], square)
        if grad_avgs is None:
            root = xp.sqrt(square)
        else:
            mean = _wide(grad_avgs[i])
            _lerp(mean, grad, 1 - alpha)
            _keep(grad_avgs[i], mean)
            root = xp.sqrt(square - mean * mean)
        root += eps
        step = grad / root
        if momentum_buffers is not None:
            buffer = _wide(momentum_buffers[i])
            buffer *= momentum
            buffer += step
            _keep(momentum_buffers[i], buffer)
            step = buffer * 1
        _descend(target, param, step, lr)


def adagrad_step(xp, params, grads, sums, steps, lr, lr_decay, eps, weight_decay, maximize):
    """Adagrad; ``sums`` hold the sum of all squares so far."""
    for i, target in enumerate(params):
        rate = lr / (1 + (_count(steps, i) - 1) * lr_decay)
        param, total = _wide(target), _wide(sums[i])
        grad = _gradient(param, grads[i], weight_decay, maximize)
        total += grad * grad
        _keep(sums[i], total)
        root = xp.sqrt(total)
        root += eps
        _descend(target, param, grad / root, rate)


def adadelta_step(xp, params, grads, square_avgs, acc_deltas, steps, lr, rho, eps, weight_decay, maximize):
    """Adadelta; ``acc_deltas`` hold the running mean of the squares of the steps."""
    for i, target in enumerate(params):
        _count(steps, i)
        param, square, delta = _wide(target), _wide(square_avgs[i]), _wide(acc_deltas[i])
        grad = _gradient(param, grads[i], weight_decay, maximize)
        _lerp_square(square, grad, 1 - rho)
        _keep(square_avgs[i], square)
        step = xp.sqrt(delta + eps)
        step /= xp.sqrt(square + eps)
        step *= grad
        _lerp_square(delta, step, 1 - rho)
        _keep(acc_deltas[i], delta)
        _descend(target, param, step, lr)


def adamax_step(xp, params, grads, exp_avgs, exp_infs, steps, lr, beta1, beta2, eps, weight_decay, maximize):
    """Adamax; ``exp_infs`` hold the largest absolute gradient, which decays by beta2 a step."""
    for i, target in enumerate(params):
        rate = lr / (1 - beta1 ** _count(steps, i))
        param, mean, largest = _wide(target), _wide(exp_avgs[i]), _wide(exp_infs[i])
        grad = _gradient(param, grads[i], weight_decay, maximize)
        _lerp(mean, grad, 1 - beta1)
        _keep(exp_avgs[i], mean)
        size = abs(grad)
        size += eps
        largest *= beta2
        largest[...] = xp.maximum(largest, size)
        _keep(exp_infs[i], largest)
        _descend(target, param, mean / largest, rate)


def _moments(param, grad, mean, square, lr, beta1, beta2, weight_decay, decoupled, maximize):
    """Weight decay and the two running means of Adam's kind: updates ``param``, ``mean`` and ``square``."""
    if weight_decay and decoupled:
        param *= 1 - lr * weight_decay
    grad = _gradient(param, grad, 0.0 if decoupled else weight_decay, maximize)
    _lerp(mean, grad, 1 - beta1)
    _lerp_square(square, grad, 1 - beta2)
    return grad


def nadam_step(
    xp, params, grads, exp_avgs, exp_avg_sqs, mu_products, steps,
    lr, beta1, beta2, eps, weight_decay, momentum_decay, decoupled, maximize,
):  # fmt: skip
    """NAdam; ``mu_products`` hold the product of the momenta so far, ``decoupled`` is AdamW's decay."""
    for i, target in enumerate(params):
        count = _count(steps, i)
        mu, mu_next = (
            beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay)) for t in (count, count + 1)
        )  # of this step and the next
        mu_products[i] *= mu
        product = float(mu_products[i])
        param, mean, square = _wide(target), _wide(exp_avgs[i]), _wide(exp_avg_sqs[i])
        grad = _moments(param, grads[i], mean, square, lr, beta1, beta2, weight_decay, decoupled, maximize)
        _keep(exp_avgs[i], mean)
        _keep(exp_avg_sqs[i], square)
        root = xp.sqrt(square / (1 - beta2**count))
        root += eps
        step = grad * ((1 - mu) / (1 - product))
        step += mean * (mu_next / (1 - product * mu_next))
        step /= root
        _descend(target, param, step, lr)


def radam_step(
    xp, params, grads, exp_avgs, exp_avg_sqs, steps, lr, beta1, beta2, eps, weight_decay, decoupled, maximize
):  # fmt: skip
    """RAdam: Adam from where the variance of its scaling is known, before that a running mean of the gradient."""
    longest = 2 / (1 - beta2) - 1  # the length of the running mean in the end
    for i, target in enumerate(params):
        count = _count(steps, i)
        bias1, bias2 = 1 - beta1**count, 1 - beta2**count
        length = longest - 2 * count * beta2**count / bias2
        param, mean, square = _wide(target), _wide(exp_avgs[i]), _wide(exp_avg_sqs[i])
        _moments(param, grads[i], mean, square, lr, beta1, beta2, weight_decay, decoupled, maximize)
        _keep(exp_avgs[i], mean)
        _keep(exp_avg_sqs[i], square)
        if length <= 5:
            _descend(target, param, mean / bias1, lr)
            continue
        rectified = math.sqrt(
            (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        )
        root = xp.sqrt(square)
        root += eps
        _descend(target, param, mean / root, lr * rectified * math.sqrt(bias2) / bias1)
