"""Tensor beside NumPy, CuPy, DLPack and plain Python numbers."""

import importlib

import numpy as np

from minidl import backends, dtypes
from minidl.autograd.convert import to_array

_UFUNCS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "power": "pow", "matmul": "matmul",
    "float_power": "pow", "remainder": "remainder", "floor_divide": "floor_divide", "negative": "neg",
    "absolute": "abs", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "equal": "eq",
    "not_equal": "ne", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "invert": "bitwise_not",
}  # fmt: skip  # NumPy's name for what has another one here
_MIRRORED = {
    "less": "gt",
    "less_equal": "ge",
    "greater": "lt",
    "greater_equal": "le",
    "equal": "eq",
    "not_equal": "ne",
}
_STANDARDS = ("2021.12", "2022.12", "2023.12", "2024.12")  # each contains the one before it


class Interop:
    """The conversions of Tensor: ``item``, ``numpy``, ``tolist``, and the array protocols."""

    __slots__ = ()
    __array_priority__ = 1000

    def item(self):
        """The value of a one-element tensor as a Python number. Raises ``RuntimeError`` for more or fewer elements."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        if self.is_meta:
            raise RuntimeError("Tensor.item() cannot be called on meta tensors")
        value = backends.to_numpy(self._array).reshape(())
        return value.item() if value.dtype.kind in "fiub" else float(value)

    def tolist(self):
        """Nested lists of Python numbers; a number for a 0-d tensor."""
        host = backends.to_numpy(self._array)
        return (host if host.dtype.kind in "fiub" else host.astype(np.float32)).tolist()

    def numpy(self, *, force=False):
        """The NumPy array of a cpu tensor, sharing its memory. ``force=True`` detaches and copies to the host first."""
        if self.requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        if (not isinstance(self._array, np.ndarray) or self.is_meta) and not force:
            raise TypeError(
                f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
                "memory first."
            )
        return backends.to_numpy(self._array)

    def __array__(self, dtype=None, copy=None):
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"a tensor of {self.dtype!r} cannot become {np.dtype(dtype)} without a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        fn = getattr(type(self), _UFUNCS.get(ufunc.__name__, ufunc.__name__), None)
        if method != "__call__" or kwargs or fn is None or ufunc.nout != 1:
            arrays = [x.numpy() if isinstance(x, Interop) else x for x in inputs]
            if any(isinstance(o, Interop) for o in kwargs.get("out", ())):
                return NotImplemented
            return getattr(ufunc, method)(*arrays, **kwargs)
        if ufunc.__name__ in _MIRRORED and not isinstance(
            inputs[0], Interop
        ):  # NumPy's array or number comes first
            return getattr(type(self), _MIRRORED[ufunc.__name__])(*inputs[::-1])
        known = getattr(fn, "op", None)
        if known is not None and not known.numbers:  # such as maximum, which takes no numbers
            inputs = [x if isinstance(x, Interop) else type(self)._from_array(to_array(x)) for x in inputs]
        return fn(*inputs)

    @property
    def __cuda_array_interface__(self):
        """Where the memory of a GPU's tensor lies, and the stream that it is ready on (version 3 of the interface)."""
        if isinstance(self._array, np.ndarray):
            raise AttributeError(
                f"Can't get __cuda_array_interface__ on non-CUDA tensor type: {self.type()} If CUDA data is required "
                "use tensor.cuda() to copy tensor to device memory."
            )
        if self.requires_grad:
            raise RuntimeError(
                "Can't get __cuda_array_interface__ on Variable that requires grad. If gradients aren't required, use "
                "var.detach() to get Variable that doesn't require grad."
            )
        return self._array.__cuda_array_interface__

    def __dlpack__(self, *, stream=-1, max_version=None, dl_device=None, copy=None):
        """A DLPack capsule over the tensor's memory, for another library's ``from_dlpack``.

        ``stream`` is where that library will use it: 1 or None for the legacy default stream, an address, or -1 for
        nowhere in particular. That stream waits for the current one; the host does not. ``dl_device=(1, 0)`` copies to
        the host. Raises ``BufferError`` for a tensor that requires a gradient or is not on the current GPU.
        """
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if stream is not None and type(stream) is not int:
            raise TypeError("stream must be ``int`` or ``none``")
        return backends.exported(self._array, stream, max_version, dl_device, copy)

    def __dlpack_device__(self):
        """(device type, device number) as DLPack counts them: (1, 0) on the CPU, (2, n) on GPU n."""
        return backends.exchange_device(self._array)

    def __array_namespace__(self, /, *, api_version=None):
        """``minidl.array_api``, the array API standard on tensors. Raises ``ValueError`` for a version it does not
        follow.
        """
        space = importlib.import_module("minidl.array_api")  # a room above, that only this call needs
        if api_version not in (None, *_STANDARDS):
            raise ValueError(
                f"version {api_version!r} of the array API standard is not supported; {_STANDARDS[-1]} is"
            )
        return space

    def to_device(self, device, /, *, stream=None):
        """``to(device)``, under the array API standard's name. Raises ``ValueError`` for a stream."""
        if stream is not None:
            raise ValueError("to_device() takes no stream; use `with minidl.cuda.stream(...):`")
        return self.to(device)

    def __float__(self):
        return float(self._single())

    def __int__(self):
        return int(self._single())

    def _single(self):
        if self._array.size != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars; this one has {self._array.size}"
            )
        return self.item()

    def __index__(self):
        if dtypes.is_floating(self._array.dtype) or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __complex__(self):
        return complex(self._single())

    def __contains__(self, element):
        if not isinstance(element, (Interop, bool, int, float, np.ndarray, np.generic)):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {element.__class__}."
            )
        return bool((self == element).any())
