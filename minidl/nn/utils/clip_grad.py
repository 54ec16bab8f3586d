"""Limits on gradients: by their common norm, or by value."""

import math
import warnings

from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor
from minidl.ops.create import tensor
from minidl.ops.joining import stack
from minidl.ops.pointwise import abs
from minidl.ops.reductions import amax, amin, sum

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _listed(tensors):
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _norm(values, order):
    """The vector norm of a tensor's elements, a 0-d tensor."""
    size = abs(values)
    if order == math.inf:
        return amax(size)
    if order == -math.inf:
        return amin(size)
    if order == 0:
        return sum((values != 0).to(values.dtype))
    if order == 1:
        return sum(size)
    if order == 2:
        return sum(values * values) ** 0.5
    return sum(size**order) ** (1.0 / order)


def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm, of order ``norm_type``, of all elements of ``tensors`` together: a 0-d tensor, 0 where there are none.

    ``foreach`` is accepted and changes nothing. Raises ``RuntimeError`` with ``error_if_nonfinite`` where the
    norm is not finite. Source: ``torch.nn.utils.get_total_norm``.

    >>> import minidl
    >>> minidl.nn.utils.get_total_norm([minidl.tensor([3.0]), minidl.tensor([4.0])])
    tensor(5.)
    """
    tensors, order = _listed(tensors), float(norm_type)
    if not tensors:
        return tensor(0.0)
    first = tensors[0]
    with no_grad():
        norms = [_norm(t.detach(), order).to(first.device, first.dtype) for t in tensors if t.numel()]
        total = _norm(stack(norms), order) if norms else tensor(0.0, device=first.device)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so it cannot "
            "be clipped. To "
            "disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scales the gradients of ``parameters`` in place by min(1, max_norm / (total_norm + 1e-6)).

    Source: ``torch.nn.utils.clip_grads_with_norm_``.
    """
    with no_grad():
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for parameter in _listed(parameters):
            if parameter.grad is not None:
                parameter.grad.mul_(factor.to(parameter.grad.device, parameter.grad.dtype))


def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scales the gradients of ``parameters`` in place so that their common norm is at most ``max_norm``.

    Returns the norm before. ``foreach`` is accepted and changes nothing. Raises ``RuntimeError`` with
    ``error_if_nonfinite`` where the norm is not finite.
    Source: R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013;
    ``torch.nn.utils.clip_grad_norm_``.

    >>> import minidl
    >>> x = minidl.nn.Parameter(minidl.ones(2))
    >>> x.grad = minidl.tensor([3.0, 4.0])
    >>> minidl.nn.utils.clip_grad_norm_([x], max_norm=1.0)
    tensor(5.)
    >>> x.grad
    tensor([0.6000, 0.8000])
    """
    parameters = _listed(parameters)
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """``clip_grad_norm_`` under its old name, with a ``FutureWarning``. Source: ``torch.nn.utils.clip_grad_norm``."""
    warnings.warn(
        "`minidl.nn.utils.clip_grad_norm` is now deprecated in favor of `minidl.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters, clip_value, foreach=None):
    """Limits every element of the gradients of ``parameters`` to [-clip_value, clip_value], in place.

    Source: ``torch.nn.utils.clip_grad_value_``.

    >>> import minidl
    >>> x = minidl.nn.Parameter(minidl.ones(2))
    >>> x.grad = minidl.tensor([3.0, -0.5])
    >>> minidl.nn.utils.clip_grad_value_([x], 1.0)
    >>> x.grad
    tensor([ 1.0000, -0.5000])
    """
    limit = float(clip_value)
    with no_grad():
        for parameter in _listed(parameters):
            if parameter.grad is not None:
                parameter.grad.copy_(parameter.grad.clamp(-limit, limit))
