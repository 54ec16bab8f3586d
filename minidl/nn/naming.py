"""How error messages of modules name what came."""

from minidl import dtypes
from minidl.autograd.tensor import Tensor


def typename(value):
    """``int``, ``numpy.ndarray``, ``minidl.FloatTensor``: the name that PyTorch's ``typename`` gives.

    >>> typename(3)
    'int'
    """
    cls = value.__class__
    if cls is Tensor:
        return f"{dtypes.face()}.{dtypes.scalar_name(value._array.dtype)}Tensor"
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"
