"""Weights as Keras shows them: ``Variable`` is a tensor in Keras layout, ``Weight`` shows an ``nn`` parameter in it."""

import numpy as np

from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor
from minidl.keras.engine.layout import from_keras, to_keras
from minidl.keras.engine.naming import auto_name
from minidl.keras.engine.tensors import as_numpy, as_tensor, standardize_dtype
from minidl.nn.parameter import Parameter


class _Face:
    """What every weight answers: its names, its values as NumPy, assignment, what acts on it."""

    regularizer = constraint = None

    def assign(self, value):
        """Overwrites the values, in Keras layout. ``ValueError`` for another shape."""
        array = as_numpy(value)
        if tuple(array.shape) != tuple(self.shape):
            raise ValueError(
                "The shape of the target variable and the shape of the target value in "
                f"`variable.assign(value)` must match. variable.shape={tuple(self.shape)}, Received: "
                f"value.shape={tuple(array.shape)}. Target variable: {self.path}"
            )
        self._write(array)
        return self

    def assign_add(self, value):
        """Adds ``value`` in place."""
        return self.assign(self.numpy() + as_numpy(value))

    def assign_sub(self, value):
        """Subtracts ``value`` in place."""
        return self.assign(self.numpy() - as_numpy(value))

    def constrain(self):
        """Projects the values by the weight's constraint, where it has one."""
        if self.constraint is not None:
            with no_grad():
                self._write_tensor(self.constraint(self.tensor().detach()))


class Variable(_Face, Parameter):
    """A tensor that a layer owns, made by ``layer.add_weight``: use it in ``call`` like any tensor.

    ``name``, ``path``, ``trainable``, ``regularizer`` and ``constraint`` say what it is; ``numpy()``,
    ``assign(value)``, ``assign_add`` and ``assign_sub`` read and write it. Source: Keras' ``Variable``.

    >>> from minidl import keras
    >>> v = keras.Variable([1.0, 2.0], name="v")
    >>> _ = v.assign_add([1.0, 1.0])
    >>> v.numpy()
    array([2., 3.], dtype=float32)
    """

    def __new__(
        cls, initializer, shape=None, dtype=None, trainable=True, name=None, regularizer=None, constraint=None
    ):
        if callable(initializer) and not isinstance(initializer, Tensor):
            initializer = initializer(tuple(shape or ()), dtype=standardize_dtype(dtype))
        made = as_tensor(initializer, dtype).detach().clone()
        self = super().__new__(cls, made, requires_grad=bool(trainable) and made.is_floating_point())
        self._declare(name or auto_name("variable"), trainable, regularizer, constraint)
        return self

    def _declare(self, name, trainable, regularizer, constraint, path=None):
        self.name, self.path = name, path or name
        self.declared = bool(trainable)
        self.regularizer, self.constraint = regularizer, constraint

    @property
    def trainable(self):
        """Whether the optimizer updates it."""
        return self.declared

    @trainable.setter
    def trainable(self, value):
        self.declared = bool(value)
        if self.is_floating_point():
            self.requires_grad_(bool(value))

    @property
    def value(self):
        """The tensor: itself."""
        return self

    @property
    def parameters(self):
        """The tensors that hold it: itself."""
        return [self]

    def tensor(self):
        """The values as a tensor of the tape, in Keras layout."""
        return self

    def numpy(self, **kwargs):
        """The values as a NumPy array, a copy."""
        return as_numpy(self).copy()

    def __array__(self, dtype=None, copy=None):
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def _write(self, array):
        with no_grad():
            self.copy_(as_tensor(array, self.dtype, self.device))

    def _write_tensor(self, tensor):
        self.copy_(tensor)

    def __reduce_ex__(self, protocol):
        state = dict(self.__dict__.items())
        return _rebuild, (as_numpy(self), standardize_dtype(self.dtype), self.requires_grad, state)

    def __repr__(self, **_):
        return (
            f"<Variable path={self.path}, shape={tuple(self.shape)}, dtype={standardize_dtype(self.dtype)}, "
            f"value={as_numpy(self)}>"
        )

    __str__ = __repr__
    __hash__ = object.__hash__


def _rebuild(array, dtype, requires_grad, state):
    out = Variable(array, dtype=dtype, trainable=False)
    out.__dict__.update(state)
    return out.requires_grad_(requires_grad)


class Weight(_Face):
    """A parameter or buffer of an ``nn`` module as Keras lays it out: ``kernel`` (in, out) of a (out, in) ``weight``.

    ``value`` is the parameter itself, in PyTorch's layout: what the optimizer updates; ``tensor()`` is on the
    tape in Keras layout; ``numpy()``, ``assign()`` and ``shape`` are in Keras layout. It finds the
    parameter anew each time by module and attribute, so it survives ``.to(device)``, copying and pickling.
    """

    def __init__(self, name, places, layout=None, trainable=True, regularizer=None, constraint=None):
        self.name = self.path = name
        self.places, self.layout = places, layout
        self.declared = bool(trainable)
        self.regularizer, self.constraint = regularizer, constraint

    @property
    def parameters(self):
        """The tensors that hold it, in PyTorch's layout."""
        found = []
        for module, attribute in self.places:
            own = module._parameters.get(attribute)  # a buffer is found by getattr
            found.append(getattr(module, attribute) if own is None else own)
        return found

    @property
    def value(self):
        """The tensor that holds it, in PyTorch's layout."""
        found = self.parameters
        return found[0] if len(found) == 1 else found

    @property
    def grad(self):
        """The gradient, in PyTorch's layout; a list where several tensors hold the weight."""
        found = [parameter.grad for parameter in self.parameters]
        return found[0] if len(found) == 1 else found

    def tensor(self):
        """The values as a tensor of the tape, in Keras layout."""
        return to_keras(self.layout, self.parameters)

    @property
    def shape(self):
        """Sizes in Keras layout."""
        return tuple(self.tensor().shape)

    @property
    def dtype(self):
        """The name of the dtype."""
        return standardize_dtype(self.parameters[0].dtype)

    @property
    def device(self):
        """Where it lies."""
        return self.parameters[0].device

    @property
    def trainable(self):
        """Whether the optimizer updates it."""
        return self.declared

    @trainable.setter
    def trainable(self, value):
        self.declared = bool(value)
        for parameter in self.parameters:
            parameter.requires_grad_(bool(value))

    def numel(self):
        """Number of elements."""
        return sum(parameter.numel() for parameter in self.parameters)

    def numpy(self):
        """The values as a NumPy array in Keras layout, a copy."""
        with no_grad():
            return np.ascontiguousarray(as_numpy(self.tensor())).copy()

    def __array__(self, dtype=None, copy=None):
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def _write(self, array):
        self._write_tensor(as_tensor(array, self.dtype, self.device))

    def _write_tensor(self, tensor):
        with no_grad():
            for parameter, part in zip(self.parameters, from_keras(self.layout, tensor), strict=True):
                parameter.copy_(part)

    def __repr__(self):
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.numpy()}>"
