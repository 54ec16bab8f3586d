"""The classes that PyTorch named tensors by before it had dtypes: ``FloatTensor([1, 2])``, ``LongTensor(2, 3)``.

>>> import minidl
>>> minidl.LongTensor([1, 2])
tensor([1, 2])
>>> isinstance(minidl.zeros(1), minidl.FloatTensor)
True
"""

from minidl import dtypes
from minidl.autograd import Tensor


class _Typed(type):
    """A class whose instances are the tensors of one dtype on the CPU."""

    def __call__(cls, *data):
        return Tensor(*data).to(dtypes.named(cls.dtype_name))

    def __instancecheck__(cls, value):
        return isinstance(value, Tensor) and value.dtype.name == cls.dtype_name and value.device.type == "cpu"


def _typed(name, dtype_name):
    document = f"""Tensors of {dtype_name} on the CPU: ``{name}(data)``, ``{name}(2, 3)``. Source: ``torch.{name}``."""
    return _Typed(name, (), {"dtype_name": dtype_name, "__doc__": document, "__module__": __name__})


FloatTensor, DoubleTensor, HalfTensor = (
    _typed(n, d)
    for n, d in (("FloatTensor", "float32"), ("DoubleTensor", "float64"), ("HalfTensor", "float16"))
)
BFloat16Tensor = _typed("BFloat16Tensor", "bfloat16")
LongTensor, IntTensor, ShortTensor = (
    _typed(n, d) for n, d in (("LongTensor", "int64"), ("IntTensor", "int32"), ("ShortTensor", "int16"))
)
CharTensor, ByteTensor, BoolTensor = (
    _typed(n, d) for n, d in (("CharTensor", "int8"), ("ByteTensor", "uint8"), ("BoolTensor", "bool"))
)
