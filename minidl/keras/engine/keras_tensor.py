"""``KerasTensor``: the shape and dtype of a tensor that is yet to come, and the call that will make it."""

from minidl.keras.engine.naming import auto_name
from minidl.keras.engine.tensors import standardize_dtype


class KerasTensor:
    """A symbolic tensor: what ``Input`` gives and a layer called on it returns. ``None`` is an unknown size.

    ``history`` is (node, index): the call of a layer that makes it, None for an input. Arithmetic and
    indexing of symbolic tensors become layers of the model. Source: Keras' ``KerasTensor``.

    >>> from minidl import keras
    >>> x = keras.Input((4,))
    >>> keras.layers.Dense(2)(x).shape
    (None, 2)
    """

    _keras_mask = None  # the symbolic mask that the tensor will have
    operator = None  # engine/operators.py puts here what makes a layer of an operator

    def __init__(self, shape, dtype=None, name=None, sparse=False):
        self.shape = tuple(shape)
        self.dtype = standardize_dtype(dtype)
        self.name = name or auto_name("keras_tensor")
        self.sparse = sparse
        self.history = None

    @property
    def ndim(self):
        """Number of dimensions, the batch's among them."""
        return len(self.shape)

    def __repr__(self):
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse={self.sparse}, ragged=False, "
            f"name={self.name}>"
        )

    def __len__(self):
        raise TypeError(_no("len() of"))

    def __iter__(self):
        raise TypeError(_no("Iterating over"))

    def __bool__(self):
        raise TypeError(_no("The truth of"))

    def __array__(self, dtype=None, copy=None):
        raise ValueError(
            f"{_no('The values of')} Hint: wrap the computation in a Layer, or in keras.layers.Lambda."
        )

    def __getitem__(self, key):
        return KerasTensor.operator("getitem", self, key=key)

    def reshape(self, *shape):
        """The tensor in another shape."""
        return KerasTensor.operator("reshape", self, shape=shape)


def is_keras_tensor(x):
    """Whether ``x`` is symbolic."""
    return isinstance(x, KerasTensor)


def _no(what):
    return (
        f"{what} a symbolic KerasTensor are unknown: it has a shape and a dtype, its values come when the "
        "model runs."
    )


def _forward(name):
    def method(self, other):
        return KerasTensor.operator(name, self, other)

    return method


def _reverse(name):
    def method(self, other):
        return KerasTensor.operator(name, other, self)

    return method


def _unary(name):
    def method(self):
        return KerasTensor.operator(name, self)

    return method


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul", "floordiv", "mod"):
    setattr(KerasTensor, f"__{_name}__", _forward(_name))
    setattr(KerasTensor, f"__r{_name}__", _reverse(_name))
for _name in ("lt", "le", "gt", "ge"):
    setattr(KerasTensor, f"__{_name}__", _forward(_name))
for _name in ("neg", "abs"):
    setattr(KerasTensor, f"__{_name}__", _unary(_name))
