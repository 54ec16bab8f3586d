"""Layers that everything is made of: Dense, Activation, Flatten."""

from minidl import nn
from minidl.keras import activations, constraints, initializers, regularizers
from minidl.keras.engine import layout
from minidl.keras.engine.input_spec import InputSpec
from minidl.keras.engine.layer import Layer
from minidl.keras.settings import standardize_data_format

__all__ = ["Activation", "Dense", "Flatten"]


class Dense(Layer):
    """activation(inputs @ kernel + bias).

    Shapes: inputs (N, ..., in), output (N, ..., units), ``kernel`` (in, units), ``bias`` (units,). Starts with
    glorot_uniform and zeros. Source: Keras' ``Dense``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Dense(4, activation="relu")(np.ones((2, 3))).shape
    torch.Size([2, 4])
    """

    takes_integers = True

    def __init__(
        self, units, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if isinstance(units, bool) or int(units) != units or units <= 0:
            raise ValueError(
                f"Received an invalid value for `units`, expected a positive integer. Received: units={units}"
            )
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        size = input_shape[-1]
        if size is None:
            raise ValueError(
                f"Layer '{self.name}' needs the size of the last dimension of its input, but got shape {input_shape}."
            )
        self.core = nn.Linear(size, self.units, bias=self.use_bias, dtype=self.dtype_of_weights())
        self.expose(
            "kernel", self.core, "weight", layout.DENSE, self.kernel_initializer, self.kernel_regularizer,
            self.kernel_constraint,
        )  # fmt: skip
        if self.use_bias:
            self.expose(
                "bias",
                self.core,
                "bias",
                None,
                self.bias_initializer,
                self.bias_regularizer,
                self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})

    def call(self, inputs, training=None):
        return self.activated(self.activation, self.core(inputs))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Activation(Layer):
    """An activation function, by name or as a function, elementwise (softmax: over the last dimension)."""

    takes_integers = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True
        self.built = True

    def call(self, inputs):
        return self.activated(self.activation, inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class Flatten(Layer):
    """(N, ...) as (N, features), in Keras' order: channels last."""

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self.built = True

    def call(self, inputs):
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = inputs.permute(0, *range(2, inputs.ndim), 1)
        return inputs.reshape(inputs.shape[0], -1)

    def compute_output_shape(self, input_shape):
        size = 1
        for n in input_shape[1:]:
            size = None if n is None or size is None else size * n
        return (input_shape[0], size)

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
