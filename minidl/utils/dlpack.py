"""DLPack by its older names: capsules in hand. New programs call ``from_dlpack`` on the other library's tensor."""

import enum

from minidl.ops.create import from_dlpack

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]


class DLDeviceType(enum.IntEnum):
    """The device types of ``__dlpack_device__`` that minidl has backends for. Source: ``torch.utils.dlpack``."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLExtDev = 12
    kDLCUDAManaged = 13


def to_dlpack(tensor):
    """A DLPack capsule, of the kind from before 1.0, over a tensor's memory; it can be taken once.

    Raises ``BufferError`` for a tensor that requires a gradient. Source: ``torch.utils.dlpack.to_dlpack``.

    >>> import minidl
    >>> from minidl.utils.dlpack import from_dlpack, to_dlpack
    >>> x = minidl.arange(3)
    >>> from_dlpack(to_dlpack(x)).add_(1)
    tensor([1, 2, 3])
    >>> x
    tensor([1, 2, 3])
    """
    return tensor.__dlpack__()
