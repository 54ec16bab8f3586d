"""Steps of the optimizers that scale each coordinate by the sizes of its gradients, written as those of ``optim.py``.

``steps`` (and ``mu_products``) are host arrays of one element, which count this call too.
"""

import math

from minidl.backends.reference.precision import _wide
from minidl.backends.reference.updates import (
    _count,
    _descend,
    _gradient,
    _keep,
    _lerp,
    _lerp_square,
    _of,
    _pieces,
)


def rmsprop_step(
    xp, params, grads, square_avgs, momentum_buffers, grad_avgs, steps, lr, alpha, eps, weight_decay, momentum, maximize
):  # fmt: skip
    """RMSprop; ``momentum_buffers`` is None without momentum, ``grad_avgs`` None where it is not centred."""
    for i, whole in enumerate(params):
        _count(steps, i)
        states = square_avgs[i], _of(momentum_buffers, i), _of(grad_avgs, i)
        for target, grad, square_avg, momentum_buffer, grad_avg in _pieces(whole, grads[i], *states):
            param, square = _wide(target), _wide(square_avg)
            grad = _gradient(param, grad, weight_decay, maximize)
            _lerp_square(square, grad, 1 - alpha)
            _keep(square_avg, square)
            if grad_avg is None:
                root = xp.sqrt(square)
            else:
                mean = _wide(grad_avg)
                _lerp(mean, grad, 1 - alpha)
                _keep(grad_avg, mean)
                root = xp.sqrt(square - mean * mean)
            root += eps
            step, rate = grad / root, lr
            if momentum_buffer is not None:
                buffer = _wide(momentum_buffer)
                buffer *= momentum
                buffer += step
                _keep(momentum_buffer, buffer)
                step, rate = buffer * lr, 1
            _descend(target, param, step, rate)


def adagrad_step(xp, params, grads, sums, steps, lr, lr_decay, eps, weight_decay, maximize):
    """Adagrad; ``sums`` hold the sum of all squares so far."""
    for i, whole in enumerate(params):
        rate = lr / (1 + (_count(steps, i) - 1) * lr_decay)
        for target, grad, held in _pieces(whole, grads[i], sums[i]):
            param, total = _wide(target), _wide(held)
            grad = _gradient(param, grad, weight_decay, maximize)
            total += grad * grad
            _keep(held, total)
            root = xp.sqrt(total)
            root += eps
            _descend(target, param, grad / root, rate)


def adadelta_step(xp, params, grads, square_avgs, acc_deltas, steps, lr, rho, eps, weight_decay, maximize):
    """Adadelta; ``acc_deltas`` hold the running mean of the squares of the steps."""
    for i, whole in enumerate(params):
        _count(steps, i)
        for target, grad, square_avg, acc_delta in _pieces(whole, grads[i], square_avgs[i], acc_deltas[i]):
            param, square, delta = _wide(target), _wide(square_avg), _wide(acc_delta)
            grad = _gradient(param, grad, weight_decay, maximize)
            _lerp_square(square, grad, 1 - rho)
            _keep(square_avg, square)
            step = xp.sqrt(delta + eps)
            step /= xp.sqrt(square + eps)
            step *= grad
            _lerp_square(delta, step, 1 - rho)
            _keep(acc_delta, delta)
            _descend(target, param, step, lr)


def adamax_step(xp, params, grads, exp_avgs, exp_infs, steps, lr, beta1, beta2, eps, weight_decay, maximize):
    """Adamax; ``exp_infs`` hold the largest absolute gradient, which decays by beta2 a step."""
    for i, whole in enumerate(params):
        rate = lr / (1 - beta1 ** _count(steps, i))
        for target, grad, exp_avg, exp_inf in _pieces(whole, grads[i], exp_avgs[i], exp_infs[i]):
            param, mean, largest = _wide(target), _wide(exp_avg), _wide(exp_inf)
            grad = _gradient(param, grad, weight_decay, maximize)
            _lerp(mean, grad, 1 - beta1)
            _keep(exp_avg, mean)
            size = abs(grad)
            size += eps
            largest *= beta2
            xp.maximum(largest, size, out=largest)
            _keep(exp_inf, largest)
            _descend(target, param, mean / largest, rate)


def _moments(target, grad, exp_avg, exp_avg_sq, lr, beta1, beta2, weight_decay, decoupled, maximize):
    """Weight decay and the two running means of Adam's kind. Gives the parameter, its gradient, and both means."""
    param, mean, square = _wide(target), _wide(exp_avg), _wide(exp_avg_sq)
    if weight_decay and decoupled:
        param *= 1 - lr * weight_decay
    grad = _gradient(param, grad, 0.0 if decoupled else weight_decay, maximize)
    _lerp(mean, grad, 1 - beta1)
    _keep(exp_avg, mean)
    _lerp_square(square, grad, 1 - beta2)
    _keep(exp_avg_sq, square)
    return param, grad, mean, square


def nadam_step(
    xp, params, grads, exp_avgs, exp_avg_sqs, mu_products, steps,
    lr, beta1, beta2, eps, weight_decay, momentum_decay, decoupled, maximize,
):  # fmt: skip
    """NAdam; ``mu_products`` hold the product of the momenta so far, ``decoupled`` is AdamW's decay."""
    decay = lr, beta1, beta2, weight_decay, decoupled, maximize
    for i, whole in enumerate(params):
        count = _count(steps, i)
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay)) for t in (count, count + 1))
        mu_products[i] *= mu
        product = float(mu_products[i])
        for pieces in _pieces(whole, grads[i], exp_avgs[i], exp_avg_sqs[i]):
            param, grad, mean, square = _moments(*pieces, *decay)
            root = xp.sqrt(square / (1 - beta2**count))
            root += eps
            step = grad * ((1 - mu) / (1 - product))
            step += mean * (mu_next / (1 - product * mu_next))
            step /= root
            _descend(pieces[0], param, step, lr)


def radam_step(
    xp, params, grads, exp_avgs, exp_avg_sqs, steps, lr, beta1, beta2, eps, weight_decay, decoupled, maximize
):  # fmt: skip
    """RAdam: Adam from where the variance of its scaling is known, before that a running mean of the gradient."""
    decay = lr, beta1, beta2, weight_decay, decoupled, maximize
    for i, whole in enumerate(params):
        count = _count(steps, i)
        rate, rectified = _radam_rates(count, lr, beta1, beta2)
        for pieces in _pieces(whole, grads[i], exp_avgs[i], exp_avg_sqs[i]):
            param, _, mean, square = _moments(*pieces, *decay)
            if rectified is None:
                _descend(pieces[0], param, mean * rate, 1)
                continue
            root = xp.sqrt(square)
            root += eps
            _descend(pieces[0], param, mean / root, rate * rectified)


def _radam_rates(count, lr, beta1, beta2):
    """The rate of a step, and what rectifies its scaling; None while the variance of that is not known."""
    longest = 2 / (1 - beta2) - 1  # the length of the running mean in the end
    bias2 = 1 - beta2**count
    length = longest - 2 * count * beta2**count / bias2
    rate = lr / (1 - beta1**count)
    if length <= 5:
        return rate, None
    known = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    return rate, math.sqrt(known) * math.sqrt(bias2)
