"""The classes that PyTorch named tensors by before it had dtypes: ``FloatTensor([1, 2])``, ``LongTensor(2, 3)``.

>>> import minidl
>>> minidl.LongTensor([1, 2])
tensor([1, 2])
>>> isinstance(minidl.zeros(1), minidl.FloatTensor)
True
"""

from minidl import dtypes
from minidl.autograd import Tensor
from minidl.device import device as as_device
from minidl.device import set_default_device


class _Typed(type):
    """A class whose instances are the tensors of one dtype on one kind of device."""

    def __call__(cls, *data, device=None):
        if device is not None and as_device(device).type != cls.device_type:
            raise RuntimeError(
                f"legacy constructor expects device type: {cls.device_type} but device type: {as_device(device).type} "
                "was passed"
            )
        return Tensor(*data).to(cls.device_type, dtypes.named(cls.dtype_name))

    def __instancecheck__(cls, value):
        return (
            isinstance(value, Tensor)
            and value.dtype.name == cls.dtype_name
            and value.device.type == cls.device_type
        )


def _typed(name, dtype_name, device_type="cpu"):
    where = "on the CPU" if device_type == "cpu" else "on the current GPU"
    below = "torch" if device_type == "cpu" else f"torch.{device_type}"
    document = f"""Tensors of {dtype_name} {where}: ``{name}(data)``, ``{name}(2, 3)``. Source: ``{below}.{name}``."""
    names = {"dtype_name": dtype_name, "device_type": device_type, "__doc__": document, "__module__": below}
    return _Typed(name, (), names)


_DTYPES = {
    "FloatTensor": "float32", "DoubleTensor": "float64", "HalfTensor": "float16", "BFloat16Tensor": "bfloat16",
    "LongTensor": "int64", "IntTensor": "int32", "ShortTensor": "int16", "CharTensor": "int8", "ByteTensor": "uint8",
    "BoolTensor": "bool",
}  # fmt: skip
FloatTensor, DoubleTensor, HalfTensor, BFloat16Tensor, LongTensor, IntTensor, ShortTensor, CharTensor, ByteTensor, \
    BoolTensor = (_typed(name, dtype_name) for name, dtype_name in _DTYPES.items())  # fmt: skip
ON_GPU = {name: _typed(name, dtype_name, "cuda") for name, dtype_name in _DTYPES.items()}


def set_default_tensor_type(t):
    """Makes the class ``t``, or that of its name, say which dtype and device new floating-point tensors have.

    Raises ``TypeError`` for a class of integers. Deprecated in favour of ``set_default_dtype`` and
    ``set_default_device``. Source: ``torch.set_default_tensor_type``.

    >>> import minidl
    >>> minidl.set_default_tensor_type(minidl.DoubleTensor)
    >>> minidl.zeros(1).dtype == minidl.float64
    True
    >>> minidl.set_default_tensor_type("torch.FloatTensor")
    """
    if isinstance(t, str):
        below, _, name = t.rpartition(".")
        t = (ON_GPU if below.endswith(".cuda") else globals()).get(name, t)
    if not isinstance(t, _Typed):
        raise TypeError("invalid type object")
    found = dtypes.named(t.dtype_name)
    if not found.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    dtypes.set_default_dtype(found)
    set_default_device(t.device_type)
