"""Orders of a tensor's elements in memory: row-major, channels-last, or those of another tensor.

A format is about strides alone: sizes, indices and values are the same in each. Convolution, pooling, normalisation and
elementwise functions give results in the format of what they are given.
"""

from minidl.autograd import function, op
from minidl.backends.memory_order import in_order, is_laid, order_of
from minidl.layouts import contiguous_format, preserve_format


@op(input=lambda g: g, aliases=())
def clone(input, *, memory_format=None):
    """A copy of its own storage, in the order of the input's elements or in ``memory_format``; gradients pass.

    Raises ``RuntimeError`` for a format of another number of dimensions. Source: ``torch.clone``.

    >>> import minidl
    >>> minidl.ones(2).clone()
    tensor([1., 1.])
    >>> minidl.ones(2, 3, 4, 4).clone(memory_format=minidl.channels_last).stride()
    (48, 1, 12, 3)
    """
    return in_order(input, order_of(input, memory_format))


@function(faces=())
def contiguous(input, memory_format=contiguous_format):
    """The tensor itself where its elements lie in the order of ``memory_format``, else a copy. Source:
    ``torch.Tensor.contiguous``.

    >>> import minidl
    >>> minidl.zeros(2, 3).t().contiguous().is_contiguous()
    True
    """
    if is_laid(input._array, memory_format):
        return input
    if memory_format == preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    return clone(input, memory_format=memory_format)


@function(faces=())
def is_contiguous(input, memory_format=contiguous_format):
    """Whether the elements lie in the order of ``memory_format`` without gaps. Source:
    ``torch.Tensor.is_contiguous``.

    >>> import minidl
    >>> minidl.zeros(2, 4, 4, 3).permute(0, 3, 1, 2).is_contiguous(memory_format=minidl.channels_last)
    True
    """
    return is_laid(input._array, memory_format)
