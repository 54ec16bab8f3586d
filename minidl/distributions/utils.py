"""What distributions share: parameters of one shape, probabilities and their logarithms."""

import functools
import numbers

from minidl.autograd import enable_grad
from minidl.autograd.tensor import Tensor
from minidl.dtypes import finfo, get_default_dtype
from minidl.ops.create import tensor
from minidl.ops.pointwise import sigmoid
from minidl.ops.softmax import softmax
from minidl.ops.splitting import broadcast_tensors

__all__ = ["broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits"]


def broadcast_all(*values):
    """Numbers and Tensors as Tensors of one shape; a number takes the first Tensor's dtype and device.

    Raises ``ValueError`` for anything else. Source: ``torch.distributions.utils.broadcast_all``.

    >>> import minidl
    >>> minidl.distributions.utils.broadcast_all(1, minidl.zeros(2))
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    if not all(isinstance(value, (Tensor, numbers.Number)) for value in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing "
            "__torch_function__."
        )
    first = next((value for value in values if isinstance(value, Tensor)), None)
    dtype, device = (get_default_dtype(), None) if first is None else (first.dtype, first.device)
    return tuple(
        broadcast_tensors(
            *(v if isinstance(v, Tensor) else tensor(v, dtype=dtype, device=device) for v in values)
        )
    )


def clamp_probs(probs):
    """Probabilities with 0 and 1 moved inside by the dtype's eps. Source: ``torch.distributions.utils.clamp_probs``."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(eps, 1 - eps)


def probs_to_logits(probs, is_binary=False):
    """log p, or log(p / (1 - p)) of a ``is_binary`` one. Source: ``torch.distributions.utils.probs_to_logits``."""
    inside = clamp_probs(probs)
    return inside.log() - (-inside).log1p() if is_binary else inside.log()


def logits_to_probs(logits, is_binary=False):
    """softmax over the last dimension, or sigmoid. Source: ``torch.distributions.utils.logits_to_probs``."""
    return sigmoid(logits) if is_binary else softmax(logits, -1)


class lazy_property(functools.cached_property):
    """A property that is computed when it is first read, with its gradient, also where that is within ``no_grad``.

    Source: ``torch.distributions.utils.lazy_property``.
    """

    def __get__(self, instance, owner=None):
        with enable_grad():
            return super().__get__(instance, owner)
