"""``operation``: a function of tensors that, called on symbolic ones, becomes a layer of the model."""

import functools

import numpy as np

from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.naming import auto_name
from minidl.keras.engine.nest import map_structure
from minidl.keras.engine.node import is_symbolic
from minidl.keras.engine.tensors import as_tensor
from minidl.keras.tensors import to_float

FUNCTIONS = {}  # by name: what a config may refer to


class Operation(Layer):
    """The layer that ``ops.mean(x, axis=1)`` makes of a symbolic ``x``; it has no weights.

    >>> from minidl import keras
    >>> x = keras.Input((4, 3))
    >>> keras.Model(x, keras.ops.mean(x, axis=1)).output_shape
    (None, 3)
    """

    open_arguments = True  # its calls are kept as lists of arguments, whatever they are

    def __init__(self, function, settings=None, **kwargs):
        kwargs["name"] = kwargs.get("name") or auto_name(function)
        super().__init__(**kwargs)
        if function not in FUNCTIONS:
            raise ValueError(f"keras.ops has no function '{function}'")
        self.function, self.settings = function, dict(settings or {})
        self.built = True

    def __call__(self, *args, **kwargs):
        return self._call_symbolic(args, kwargs) if is_symbolic(args, kwargs) else self._run(args, kwargs)

    def _run(self, args, kwargs):
        return FUNCTIONS[self.function](*args, **{**self.settings, **kwargs})

    def get_config(self):
        return {**super().get_config(), "function": self.function, "settings": self.settings}


def operation(function=None, *, name=None):
    """Makes a function of tensors public: symbolic arguments, anywhere among the others, give symbolic results."""
    if function is None:
        return functools.partial(operation, name=name)
    name = name or function.__name__

    @functools.wraps(function)
    def called(*args, **kwargs):
        if is_symbolic(args, kwargs):
            return Operation(name)(*map_structure(_plain, args), **map_structure(_plain, kwargs))
        return function(*args, **kwargs)

    FUNCTIONS[name] = function
    called.__name__ = called.__qualname__ = name
    return called


def _plain(leaf):
    return leaf if isinstance(leaf, KerasTensor) or not isinstance(leaf, np.ndarray) else tensor(leaf)


def tensor(x, dtype=None):
    """``x`` as a tensor: arrays, numbers, nested lists, weights in Keras' layout; Python's floats become floatx."""
    if hasattr(x, "assign") and hasattr(x, "tensor"):
        x = x.tensor()
    if isinstance(x, (list, tuple)) and any(hasattr(leaf, "requires_grad") for leaf in x):
        x = [tensor(leaf) for leaf in x]
        from_parts = FUNCTIONS["stack"]
        return from_parts(x) if dtype is None else from_parts(x).to(as_tensor(0, dtype).dtype)
    if dtype is None and isinstance(x, np.ndarray) and x.dtype == np.float64:
        return as_tensor(x, "float64")
    return as_tensor(x, dtype)


def floating(x):
    """``x`` as a floating-point tensor: whole numbers and truth values become floatx."""
    return to_float(tensor(x))


def both(a, b):
    """Two operands as tensors; a Python number follows the other's dtype."""
    if isinstance(a, (bool, int, float)) and not isinstance(b, (bool, int, float)):
        b = tensor(b)
        return _following(a, b), b
    a = tensor(a)
    return a, _following(b, a) if isinstance(b, (bool, int, float)) else tensor(b)


def _following(number, like):
    whole = isinstance(number, (bool, int))
    fits = like.is_floating_point() or (
        whole and not (like.dtype.name == "bool" and not isinstance(number, bool))
    )
    name = like.dtype.name if fits else "int32" if whole else None
    made = as_tensor(number, name)
    return made.to(like.device)
