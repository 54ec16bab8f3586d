"""Layers around things that are none: a function (``Lambda``), a module of ``minidl.nn`` (``ModuleLayer``)."""

from minidl.keras.engine.layer import Layer
from minidl.keras.engine.layer_calls import symbolic_of
from minidl.keras.engine.nest import flatten, shapes_of
from minidl.keras.engine.signature import Signature
from minidl.nn.module import Module


class Lambda(Layer):
    """Computes ``function(inputs)``, or ``function(inputs, **arguments)``; it has no weights.

    Files name a function, which loading then needs in ``custom_objects``; of a lambda expression they hold the
    code, which is run only with ``safe_mode=False``. Source: Keras' ``Lambda``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Lambda(lambda x: x * 2)(np.array([[1.0, 2.0]]))
    tensor([[2., 4.]])
    """

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(
                f"Lambda takes a function, but got {function!r} of type {type(function).__name__}"
            )
        self.function = function
        self.arguments = dict(arguments or {})
        self._output_shape, self._output_mask = output_shape, mask
        self.supports_masking = mask is not None
        self.built = True
        signature = Signature(function)
        self._passes = {name for name in ("mask", "training") if name in signature.names}

    def call(self, inputs, mask=None, training=None):
        given = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: given[name] for name in self._passes})

    def compute_output_spec(self, inputs, mask=None, training=None):
        """By ``output_shape`` where it was given, else by a run on zeros."""
        if self._output_shape is None:
            return super().compute_output_spec(inputs)
        shape = self._output_shape
        if callable(shape):
            return symbolic_of(tuple(shape(shapes_of(inputs))), self.compute_dtype)
        return symbolic_of((flatten(inputs)[0].shape[0], *shape), self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        return self._output_mask(inputs, mask) if callable(self._output_mask) else self._output_mask

    def get_config(self):
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return {**super().get_config(), "function": name, "arguments": self.arguments}


class ModuleLayer(Layer):
    """A module of ``minidl.nn`` as a layer of a Keras model: its parameters are the weights, in PyTorch's layout.

    >>> import numpy as np
    >>> from minidl import keras, nn
    >>> model = keras.Sequential([keras.layers.Dense(3), nn.Linear(3, 2)])
    >>> model.predict(np.ones((4, 5)), verbose=0).shape
    (4, 2)

    With ``output_shape``, of a sample, symbolic outputs need no run of the module. Keras calls it
    ``TorchModuleWrapper``.
    """

    def __init__(self, module, name=None, output_shape=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self._output_shape = output_shape
        if not isinstance(module, Module):
            raise TypeError(f"ModuleLayer takes a minidl.nn.Module, but got {type(module).__name__}")
        self.module = module
        self.built = True

    def call(self, inputs):
        return self.module(inputs)

    def compute_output_spec(self, inputs):
        """By ``output_shape`` where it was given, else by a run on zeros."""
        if self._output_shape is None:
            return super().compute_output_spec(inputs)
        return symbolic_of((flatten(inputs)[0].shape[0], *self._output_shape), self.compute_dtype)

    def get_config(self):
        raise NotImplementedError(
            "A layer around an nn module has no config. Hint: save the weights, or rebuild the model by its code."
        )
