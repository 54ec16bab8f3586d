"""Operators on symbolic tensors as layers: ``x + y``, ``-x``, ``x[:, 0]``, functions of ``minidl`` by ``operation``."""

import operator

from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.layer_calls import symbolic_of
from minidl.keras.engine.naming import auto_name
from minidl.keras.engine.tensors import as_tensor

_FUNCTIONS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "matmul": operator.matmul,
    "neg": operator.neg,
    "abs": operator.abs,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_NAMES = {
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "getitem": "get_item",
    "neg": "negative",
}


class Operator(Layer):
    """The layer that ``x + y`` makes of symbolic tensors; ``constant`` stands where an operand is a plain value."""

    _warned_of_mask = True  # arithmetic drops masks and says nothing, as on tensors

    def __init__(self, operation, constant=None, constant_first=False, **kwargs):
        super().__init__(**kwargs)
        self.operation, self.constant, self.constant_first = operation, constant, constant_first
        self.built = True

    def call(self, inputs):
        inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        if self.operation == "getitem":
            return inputs[0][self.constant]
        if self.operation == "reshape":
            return inputs[0].reshape(self.constant)
        if self.constant is not None:
            value = self.constant
            value = as_tensor(value, where=inputs[0].device) if hasattr(value, "shape") else value
            inputs = (value, *inputs) if self.constant_first else (*inputs, value)
        return _FUNCTIONS[self.operation](*inputs)

    def compute_output_spec(self, inputs):
        """By broadcasting, where the operation is elementwise; else by a run on zeros."""
        symbols = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        shapes = [tuple(x.shape) for x in symbols]
        if hasattr(self.constant, "shape"):
            shapes.append(tuple(self.constant.shape))
        if self.operation in ("getitem", "reshape", "matmul"):
            return super().compute_output_spec(inputs)
        dtype = "bool" if self.operation in ("lt", "le", "gt", "ge") else symbols[0].dtype
        return symbolic_of(_broadcast(shapes, self.name), dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "operation": self.operation,
            "constant": self.constant,
            "constant_first": self.constant_first,
        }


def _broadcast(shapes, name):
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    found = []
    for sizes in zip(*padded):
        fixed = {size for size in sizes if size not in (1, None)}
        if len(fixed) > 1:
            raise ValueError(f"{name}: shapes {', '.join(map(str, shapes))} cannot be broadcast together.")
        found.append(fixed.pop() if fixed else None if None in sizes else 1)
    return tuple(found)


def _apply(name, *operands, key=None, shape=None):
    symbols = [x for x in operands if isinstance(x, KerasTensor)]
    others = [x for x in operands if not isinstance(x, KerasTensor)]
    constant = others[0] if others else None
    if name == "getitem":
        constant = key
    elif name == "reshape":
        constant = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    first = bool(others) and operands[0] is others[0]
    layer = Operator(name, constant, first, name=auto_name(_NAMES.get(name, name)))
    return layer(symbols[0] if len(symbols) == 1 else symbols)


KerasTensor.operator = staticmethod(_apply)
