"""How error messages of modules name what came."""

from minidl.autograd.tensor import Tensor

_TENSOR_NAMES = {
    "float32": "Float", "float64": "Double", "float16": "Half", "bfloat16": "BFloat16", "bool": "Bool",
    "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long", "uint8": "Byte",
}  # fmt: skip


def typename(value):
    """``int``, ``numpy.ndarray``, ``minidl.FloatTensor``: the name that PyTorch's ``typename`` gives.

    >>> typename(3)
    'int'
    """
    cls = value.__class__
    if cls is Tensor:
        name = value.dtype.name
        return f"minidl.{_TENSOR_NAMES.get(name, name)}Tensor"
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"
