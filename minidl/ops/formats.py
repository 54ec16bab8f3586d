"""Copies, and the order in which elements lie in memory: rows, or the channels of a picture last (NHWC, NDHWC)."""

from minidl.autograd import function, op
from minidl.backends import of

_CHANNELS_LAST = {
    "channels_last": (0, 2, 3, 1),
    "channels_last_3d": (0, 2, 3, 4, 1),
}  # dimensions as they lie
_CHANNELS_SECOND = {"channels_last": (0, 3, 1, 2), "channels_last_3d": (0, 4, 1, 2, 3)}  # and back


def _lies(array, format):
    return (
        array.ndim == len(_CHANNELS_LAST[format])
        and array.transpose(_CHANNELS_LAST[format]).flags.c_contiguous
    )


def _kept(array):
    """The format of an array whose channels lie last; else None."""
    if array.ndim < 4 or array.flags.c_contiguous:
        return None
    return next((format for format in _CHANNELS_LAST if _lies(array, format)), None)


def _checked(format, ndim):
    """``format`` where it puts the channels last; None where it means rows, or the order that there is."""
    if format in _CHANNELS_LAST:
        rank = len(_CHANNELS_LAST[format])
        if ndim != rank:
            raise RuntimeError(f"required rank {rank} tensor to use {str.__str__(format)} format")
        return format
    if format not in (None, "contiguous_format", "preserve_format"):
        raise TypeError(
            f"argument 'memory_format' must be torch.memory_format, not {format.__class__.__name__}"
        )
    return None


def arranged(shape, memory_format, make):
    """The array of ``shape`` that ``make``, of a shape in the order of memory, gives."""
    name = _checked(memory_format, len(shape))
    if name is None:
        return make(shape)
    return make(tuple(shape[i] for i in _CHANNELS_LAST[name])).transpose(_CHANNELS_SECOND[name])


@op(input=lambda g: g)
def clone(input, *, memory_format=None):
    """A copy of its own storage; gradients pass. ``memory_format=minidl.channels_last`` (of N, C, H, W) and
    ``channels_last_3d`` (of N, C, D, H, W) say that the channels lie last, as do those of an input without one.
    Raises ``RuntimeError`` for tensors of another rank. Source: ``torch.clone``.

    >>> import minidl
    >>> minidl.ones(2).clone()
    tensor([1., 1.])
    >>> minidl.zeros(1, 3, 2, 2).clone(memory_format=minidl.channels_last).stride()
    (12, 1, 6, 3)
    """
    name = _checked(memory_format, input.ndim)
    if memory_format in (None, "preserve_format"):
        name = _kept(input)
    if name is None:
        return of(input).copy(input)
    return of(input).copy(input.transpose(_CHANNELS_LAST[name])).transpose(_CHANNELS_SECOND[name])


@function(faces=())
def contiguous(input, memory_format="contiguous_format"):
    """The tensor itself where its elements lie in order, else a copy. Source: ``torch.Tensor.contiguous``.

    >>> import minidl
    >>> minidl.zeros(2, 3).t().contiguous().is_contiguous()
    True
    """
    _checked(memory_format, input.ndim)
    return input if is_contiguous(input, memory_format) else clone(input, memory_format=memory_format)


@function(faces=())
def is_contiguous(input, memory_format="contiguous_format"):
    """Whether the elements lie without gaps in row-major order, or with the channels last.
    Source: ``torch.Tensor.is_contiguous``.
    """
    if memory_format in _CHANNELS_LAST:
        return bool(_lies(input._array, memory_format))
    return bool(input._array.flags.c_contiguous)


def formatted(tensor, memory_format):
    """``tensor``, or a copy where its elements lie in another order than ``memory_format`` says; None keeps them."""
    if memory_format in (None, "preserve_format"):
        return tensor
    return contiguous(tensor, memory_format)
