"""One optimizer step over a list of parameters, written into them and their states.

The arrays of each parameter have one shape and dtype; 16-bit floats are computed in float32.
"""

import math


def _wide(xp, array):
    return array.astype(xp.float32) if array.dtype.itemsize == 2 else array


def adam_step(
    xp, params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, steps,
    lr, beta1, beta2, eps, weight_decay, decoupled, maximize,
):  # fmt: skip
    """Adam, AdamW (``decoupled``) and AMSGrad (``max_exp_avg_sqs`` not None).

    ``steps`` are float32 host arrays of one element, which count this call too. See csrc/cpu/optim.h for the equations.
    """
    for i, target in enumerate(params):
        steps[i] += 1
        step = float(steps[i])
        param, grad = _wide(xp, target), _wide(xp, grads[i])
        grad = -grad if maximize else grad
        if weight_decay and decoupled:
            param = param * (1 - lr * weight_decay)
        elif weight_decay:
            grad = grad + weight_decay * param
        mean, square = _wide(xp, exp_avgs[i]), _wide(xp, exp_avg_sqs[i])
        mean = mean + (1 - beta1) * (grad - mean)
        square = beta2 * square + (1 - beta2) * (grad * grad)
        exp_avgs[i][...] = mean
        exp_avg_sqs[i][...] = square
        if max_exp_avg_sqs is not None:
            square = xp.maximum(_wide(xp, max_exp_avg_sqs[i]), square)
            max_exp_avg_sqs[i][...] = square
        root = math.sqrt(1 - beta2**step)
        target[...] = param - lr / (1 - beta1**step) * (mean / (xp.sqrt(square) / root + eps))


def sgd_step(
    xp, params, grads, momentum_buffers, fresh, lr, momentum, dampening, nesterov, weight_decay, maximize
):  # fmt: skip
    """Gradient descent; ``momentum_buffers`` is None without momentum, ``fresh`` says which hold no value yet."""
    for i, target in enumerate(params):
        param, grad = _wide(xp, target), _wide(xp, grads[i])
        grad = -grad if maximize else grad
        if weight_decay:
            grad = grad + weight_decay * param
        if momentum_buffers is not None:
            buffer = grad if fresh[i] else momentum * _wide(xp, momentum_buffers[i]) + (1 - dampening) * grad
            momentum_buffers[i][...] = buffer
            grad = grad + momentum * buffer if nesterov else buffer
        target[...] = param - lr * grad
