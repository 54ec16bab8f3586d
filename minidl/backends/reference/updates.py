"""What the steps of optimizers share. State is updated in place where it is computed in its own width.

The two-byte floats are computed in float32: ``_wide`` copies them then, and ``_keep`` writes back.
"""

from minidl.backends.reference.precision import _wide


def _gradient(param, grad, weight_decay, maximize):
    """What to step along: may be ``grad`` itself, so it is not to be written."""
    grad = _wide(grad)
    if maximize:
        grad = -grad
    return grad + weight_decay * param if weight_decay else grad


def _lerp(mean, value, weight):
    """mean += weight (value - mean)"""
    difference = value - mean
    difference *= weight
    mean += difference


def _lerp_square(mean, value, weight):
    """mean = (1 - weight) mean + weight value^2"""
    square = value * value
    square *= weight
    mean *= 1 - weight
    mean += square


def _keep(target, value):
    """Stores what was computed in a wider copy."""
    if value is not target:
        target[...] = value


def _descend(target, param, step, rate):
    """target = param - rate * step; overwrites ``step``."""
    step *= rate
    param -= step
    _keep(target, param)


def _count(steps, i):
    """The number of this step: one more than so far."""
    steps[i] += 1
    return float(steps[i])
