"""How an optimizer sees a weight: the tensors that hold it, its name, its layout, and states of the same make."""

import operator

import numpy as np

from minidl import backends
from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor, make
from minidl.keras.engine.layout import from_keras, to_keras
from minidl.keras.tensors import to_tensor


class Slot:
    """A weight: a parameter, or an object of the engine with ``parameters``, ``layout``, ``path``."""

    def __init__(self, variable, number):
        self.variable = variable
        self._alone = [variable] if isinstance(variable, Tensor) else None
        self.layout = getattr(variable, "layout", None)
        if not (isinstance(self.layout, tuple) or hasattr(self.layout, "to_keras")):
            self.layout = None  # a tensor's own ``layout`` says "strided"
        name = getattr(variable, "name", None)
        self.name = name if isinstance(name, str) else f"variable_{number}" if number else "variable"
        path = getattr(variable, "path", None)
        self.path = path if isinstance(path, str) else self.name

    @property
    def parts(self):
        """The tensors, in PyTorch's layout."""
        if self._alone is not None:
            return self._alone
        held = getattr(self.variable, "parameters", None)
        if isinstance(held, (list, tuple)):
            return list(held)
        if isinstance(self.variable, Tensor):
            return [self.variable]
        value = self.variable.value
        return list(value) if isinstance(value, (list, tuple)) else [value]

    @property
    def shape(self):
        """Sizes in Keras' layout."""
        return tuple(self.variable.shape)

    def gradients(self, gradient):
        """A gradient (a tensor, or one a part) as raw arrays of the parts' dtypes; a part without one is None."""
        parts = self.parts
        if len(parts) == 1 and isinstance(gradient, Tensor):  # the usual case, at once
            array, held = gradient._array, parts[0]._array
            if array.shape == held.shape and array.dtype == held.dtype:
                return [array]
        given = list(gradient) if isinstance(gradient, (list, tuple)) else [gradient]
        if len(given) != len(parts):
            given = from_keras(self.layout, to_tensor(gradient))
        arrays = []
        for part, grad in zip(parts, given, strict=True):
            if grad is None:
                arrays.append(None)
                continue
            array = grad._array if isinstance(grad, Tensor) else to_tensor(grad, like=part)._array
            if array.shape != part._array.shape:
                raise ValueError(
                    f"The gradient of {self.path} has shape {tuple(array.shape)}, the weight {tuple(part.shape)}"
                )
            same = array.dtype == part._array.dtype
            arrays.append(array if same else backends.of(array).astype(array, part._array.dtype))
        return arrays

    def in_keras(self, tensors):
        """Tensors of the parts as one in Keras' layout, off the tape."""
        with no_grad():
            return to_keras(self.layout, [tensor.detach() for tensor in tensors])

    def write(self, tensor):
        """Overwrites the weight by a tensor in Keras' layout."""
        with no_grad():
            for part, new in zip(self.parts, from_keras(self.layout, tensor), strict=True):
                part.copy_(new)


class SlotState:
    """A state with the shape of a weight, kept a tensor a part; shown, saved and assigned in Keras' layout."""

    def __init__(self, slot, name, path, fill=0.0):
        self.slot, self.name, self.path = slot, name, path
        self.tensors = []
        for part in slot.parts:
            array = part._array
            self.tensors.append(make(backends.of(array).full(array.shape, fill, array.dtype), None))

    def arrays(self, parts):
        """The raw arrays, on the devices of the parts."""
        for i, part in enumerate(parts):
            on_host = part._array.__class__ is np.ndarray and self.tensors[i]._array.__class__ is np.ndarray
            if not on_host and self.tensors[i].device != part.device:
                self.tensors[i] = make(backends.transfer(self.tensors[i]._array, part.device), None)
        return [tensor._array for tensor in self.tensors]

    @property
    def value(self):
        """The values in Keras' layout."""
        return self.slot.in_keras(self.tensors)

    @property
    def shape(self):
        """Sizes in Keras' layout."""
        return tuple(self.value.shape)

    @property
    def dtype(self):
        """The name of the dtype."""
        return self.tensors[0].dtype.name

    def numel(self):
        """Number of elements."""
        return sum(tensor.numel() for tensor in self.tensors)

    def numpy(self):
        """The values as NumPy, in Keras' layout."""
        return self.value.cpu().contiguous().numpy().copy()

    def __array__(self, dtype=None, copy=None):
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def assign(self, value):
        """Overwrites the values, in Keras' layout. ``ValueError`` for another shape."""
        value = to_tensor(value, like=self.tensors[0])
        if tuple(value.shape) != self.shape:
            raise ValueError(
                f"Optimizer variable {self.path} has shape {self.shape}, not {tuple(value.shape)} as the value given"
            )
        with no_grad():
            for tensor, new in zip(self.tensors, from_keras(self.slot.layout, value), strict=True):
                tensor.copy_(new)
        return self

    def assign_add(self, value):
        """Adds to the values, in Keras' layout."""
        return self.assign(self.value + to_tensor(value, like=self.tensors[0]))

    def assign_sub(self, value):
        """Subtracts from the values, in Keras' layout."""
        return self.assign(self.value - to_tensor(value, like=self.tensors[0]))

    def __neg__(self):
        return -self.value

    def __repr__(self):
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"


def _values(operand):
    return operand.value if isinstance(operand, SlotState) else operand


def _binary(compute):
    def method(self, other):
        return compute(self.value, _values(other))

    def reverse(self, other):
        return compute(other, self.value)

    return method, reverse


for _name in ("add", "sub", "mul", "truediv", "pow"):
    _method, _method_reversed = _binary(getattr(operator, _name))
    setattr(SlotState, f"__{_name}__", _method)
    setattr(SlotState, f"__r{_name}__", _method_reversed)
