"""Between Tensors and raw arrays at the border of an op: the cases beside the hot path."""

import numbers

import numpy as np

from minidl import backends, dtypes
from minidl.autograd.tensor import TENSORS, make
from minidl.autograd.views import fresh_edge
from minidl.device import mixed


def operand(value, op, index):
    """The raw form of an argument that is no Tensor: None, a Python number, an array beside Tensors. Else TypeError."""
    name = op.tensors[index]
    cls = value.__class__
    if value is None and op.parameters[name].default is None:
        return None
    if name in op.numbers:
        if cls is float or cls is int or cls is bool:
            return value
        if isinstance(value, np.generic) or (
            isinstance(value, numbers.Real) and not isinstance(value, np.ndarray)
        ):
            dtypes.of(np.asarray(value).dtype)
            return value.item() if isinstance(value, np.generic) else float(value)
        if backends.is_array(value):
            dtypes.of(value.dtype)
            return value
    raise not_a_tensor(op.name.lstrip("_"), name, index + 1, value)


def not_a_tensor(name, parameter, position, value):
    """PyTorch's error for an argument that should be a Tensor."""
    cls = value.__class__
    module = "" if cls.__module__ == "builtins" else cls.__module__ + "."
    return TypeError(
        f"{name}(): argument '{parameter}' (position {position}) must be Tensor, not {module}{cls.__name__}. "
        "Hint: minidl.tensor(...) makes one."
    )


def foreign(value, numbers_too=False):
    """Whether an operator gives way to what is no array, and no number unless ``numbers_too``: the other class may
    know what to do.
    """
    if isinstance(value, (int, float, np.generic, numbers.Real)):
        return numbers_too
    return value is None or not backends.is_array(value)


def unbox_list(values, op, index):
    """Arrays, edges and cells of a list of Tensors on one device."""
    name = op.tensors[index]
    if not isinstance(values, (list, tuple)):
        raise TypeError(
            f"{op.name}(): argument '{name}' (position {index + 1}) must be tuple of Tensors, not "
            f"{values.__class__.__name__}"
        )
    arrays, edges, cells, first = [], [], [], None
    for position, value in enumerate(values):
        if value.__class__ not in TENSORS:
            raise TypeError(
                f"expected Tensor as element {position} in argument {index}, but got {value.__class__.__name__}"
            )
        array = value._array
        first = array.__class__ if first is None else first
        if array.__class__ is not first:
            check_devices(values[0]._array, array)
        arrays.append(array)
        edges.append(value._edge if value._view is None else fresh_edge(value))
        cells.append(value._cell)
    return arrays, edges, cells


def check_devices(*arrays):
    """Raises ``DeviceError`` where arrays (numbers and None aside) live on different devices."""
    real = [a for a in arrays if backends.is_array(a)]
    for other in real[1:]:
        if other.__class__ is not real[0].__class__:
            raise mixed(backends.device_of(real[0]), backends.device_of(other))


def box_many(op, arrays, node):
    """Tensors of an op's several outputs; integer and boolean ones are off the tape."""
    if node is not None:
        node.shape = [None if a is None else a.shape for a in arrays]
        node.dtype = [None if a is None else a.dtype for a in arrays]
    out = [
        None
        if a is None
        else make(a, (node, i) if node is not None and dtypes.is_floating(a.dtype) else None)
        for i, a in enumerate(arrays)
    ]
    return op.returns(*out) if op.returns else tuple(out)
