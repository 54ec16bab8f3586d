"""Names of how elements lie in memory: ``layout`` (all tensors are strided) and ``memory_format``.

>>> import minidl
>>> minidl.strided, isinstance(minidl.channels_last, minidl.memory_format)
(minidl.strided, True)
"""

from minidl.dtypes import face


class _Name(str):
    """A name that equals its text and prints as what it is called by."""

    __slots__ = ()

    def __repr__(self):
        return f"{face()}.{str.__str__(self)}"

    __str__ = __repr__
    __hash__ = str.__hash__

    def __reduce__(self):
        return self.__class__, (str.__str__(self),)


class layout(_Name):
    """``minidl.strided``: every element has its place by the strides. Others (sparse ones) are not supported."""

    __slots__ = ()


class memory_format(_Name):
    """``contiguous_format``, ``preserve_format``, ``channels_last`` (NHWC), ``channels_last_3d`` (NDHWC)."""

    __slots__ = ()


strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
