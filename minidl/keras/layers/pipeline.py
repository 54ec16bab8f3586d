"""``Pipeline``: preparing layers, one after another."""

from minidl.keras.engine.layer import Layer
from minidl.keras.engine.serialization import deserialize_layer, serialize_layer

__all__ = ["Pipeline"]


class Pipeline(Layer):
    """Applies layers one after another, in training unless ``training=False`` is said: for preparing data.

    Source: Keras' ``Pipeline``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> prepare = keras.layers.Pipeline([keras.layers.Rescaling(1 / 255), keras.layers.CenterCrop(4, 4)])
    >>> prepare(np.ones((2, 8, 8, 3))).shape
    torch.Size([2, 4, 4, 3])
    """

    def __init__(self, layers, name=None):
        super().__init__(name=name)
        self._pipeline_layers = list(layers)
        self.built = True

    @property
    def layers(self):
        """The layers."""
        return self._pipeline_layers

    def call(self, inputs, training=True, mask=None):
        for layer in self._pipeline_layers:
            options = {"training": training} if layer._signature.training and training is not None else {}
            inputs = layer(inputs, **options)
        return inputs

    def compute_output_shape(self, input_shape):
        for layer in self._pipeline_layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self):
        return {"layers": [serialize_layer(layer) for layer in self._pipeline_layers], "name": self.name}

    @classmethod
    def from_config(cls, config):
        layers = config.get("layers")
        if not isinstance(layers, (list, tuple)):
            raise ValueError(
                "`Pipeline` config must contain a `layers` key mapping to a list of serialized layers. Received "
                f"config with layers={layers}."
            )
        return cls(**{**config, "layers": [deserialize_layer(layer) for layer in layers]})
