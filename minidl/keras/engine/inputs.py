"""``Input`` and ``InputLayer``: where a graph begins."""

from minidl.keras.dropped import warn
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.node import Node
from minidl.keras.engine.tensors import standardize_dtype


class InputLayer(Layer):
    """The layer that stands for a model's input: its shape without the batch, or ``batch_shape`` with it.

    >>> from minidl import keras
    >>> keras.Sequential([keras.layers.InputLayer(shape=(4,)), keras.layers.Dense(2)]).output_shape
    (None, 2)
    """

    def __init__(
        self, shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None, input_tensor=None,
        optional=False, name=None, input_shape=None, batch_input_shape=None, **kwargs,
    ):  # fmt: skip
        older = {"input_shape": input_shape, "batch_input_shape": batch_input_shape}
        older = [name for name, value in older.items() if value is not None]
        if older:
            warn(f"Argument `{older[0]}` is deprecated. Use `{older[0].replace('input_', '')}` instead.")
        shape = shape if shape is not None else input_shape
        batch_shape = batch_shape if batch_shape is not None else batch_input_shape
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        if shape is None and batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        if shape is not None and batch_shape is not None and input_tensor is None:
            raise ValueError(
                f"You cannot pass both `shape` and `batch_shape` at the same time. Received: shape={shape}, "
                f"batch_shape={batch_shape}"
            )
        super().__init__(name=name or None)
        if batch_shape is None:
            batch_shape = (batch_size, *((shape,) if isinstance(shape, int) else tuple(shape)))
        self.batch_shape = tuple(batch_shape)
        self.sparse, self.optional = bool(sparse), bool(optional)
        self._input_kind = standardize_dtype(dtype)
        self.built = True
        output = (
            input_tensor
            if input_tensor is not None
            else KerasTensor(self.batch_shape, self._input_kind, self.name)
        )
        Node(self, (), {}, output)

    dtype = property(lambda self: self._input_kind)

    def call(self):
        """Never called: the graph begins here."""

    def get_config(self):
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._input_kind,
            "sparse": self.sparse,
            "name": self.name,
        }


def Input(
    shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None, name=None, tensor=None,
    optional=False,
):  # fmt: skip
    """A symbolic tensor, (batch, \\*shape): layers are called on it and ``Model`` makes a network of what comes out.

    >>> from minidl import keras
    >>> inputs = keras.Input(shape=(4,), name="features")
    >>> model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    >>> model.output_shape
    (None, 2)
    """
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged, batch_shape=batch_shape,
        name=name, input_tensor=tensor, optional=optional,
    )  # fmt: skip
    return layer._inbound_nodes[0].outputs
