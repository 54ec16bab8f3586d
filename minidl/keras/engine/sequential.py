"""``Sequential``: a model that is a list of layers."""

from minidl.keras.engine.functional import Functional
from minidl.keras.engine.inputs import Input, InputLayer
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.model import Model
from minidl.keras.engine.nest import flatten, map_shapes
from minidl.keras.engine.serialization import deserialize_layer, serialize_layer
from minidl.keras.engine.wrapping import Lambda, ModuleLayer
from minidl.nn.module import Module


class Sequential(Model):
    """A stack of layers: each one's output is the next one's input.

    The first layer may tell the input's shape (``Input``, ``InputLayer``, or a layer with ``input_shape``); else the
    weights are made on the first call. Source: Keras' ``keras.Sequential``.

    >>> from minidl import keras
    >>> model = keras.Sequential(
    ...     [keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)]
    ... )
    >>> model.count_params()
    49
    """

    def __init__(self, layers=None, trainable=True, name=None, **kwargs):
        super().__init__(trainable=trainable, name=name, **kwargs)
        object.__setattr__(self, "_stack", [])
        object.__setattr__(self, "_graph", None)
        object.__setattr__(self, "_symbols", [])  # the symbolic output of each layer, once the input is known
        if layers is not None and not isinstance(layers, (list, tuple)):
            layers = [layers]
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._rebuild()

    def add(self, layer, rebuild=True):
        """Puts a layer on top. ``ValueError`` for what is no layer, or one whose name is there already."""
        if isinstance(layer, KerasTensor) and layer.history is not None:
            layer = layer.history[0].layer
        if not isinstance(layer, Layer):
            if isinstance(layer, Module):
                layer = ModuleLayer(layer)
            elif hasattr(layer, "__array__") or not callable(layer) or isinstance(layer, type):
                hint = " Hint: make an instance of it, with ()." if isinstance(layer, type) else ""
                raise ValueError(
                    "Only instances of `keras.Layer` can be added to a Sequential model. "
                    f"Received: {layer} (of type {type(layer)}){hint}"
                )
            else:
                layer = Lambda(layer)
        if isinstance(layer, InputLayer) and self._stack and isinstance(self._stack[0], InputLayer):
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use input shape "
                f"{self._stack[0].batch_shape}. You cannot add a different Input layer to it."
            )
        if any(layer.name == other.name for other in self._stack):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name "
                f'"{layer.name}" is already the name of a layer in this model. Update the `name` argument to pass a '
                "unique name."
            )
        if not self._stack and layer._batch_input_shape is not None and not isinstance(layer, InputLayer):
            shape = layer._batch_input_shape
            self._stack.append(
                Input(batch_shape=shape, dtype=layer._input_dtype or _input_dtype(layer)).history[0].layer
            )
        self._stack.append(layer)
        layer._index, layer._owner = len(self.layers) - 1, self.name
        self._register()
        if rebuild:
            self._rebuild()

    def pop(self, rebuild=True):
        """Takes the top layer off and returns it."""
        if not self.layers:
            raise ValueError("There are no layers in the model to pop.")
        layer = self._stack.pop()
        self._register()
        if self._graph is None:
            return layer
        layer._inbound_nodes.remove(flatten(self._symbols.pop())[0].history[0])
        if self._symbols:
            self._close(self._graph._input_structure)
        else:
            self.built = False
            object.__setattr__(self, "_graph", None)
        return layer

    def _register(self):
        for place, layer in enumerate(self.layers):
            self._modules[str(place)] = layer
        for place in range(len(self.layers), len(self._modules)):
            self._modules.pop(str(place), None)
        self._tracked.clear()
        self._tracked.update(dict.fromkeys(self._modules))

    @property
    def layers(self):
        """The layers, without the input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    @layers.setter
    def layers(self, value):
        raise AttributeError(
            "`Sequential.layers` attribute is reserved and should not be used. Use `add()` and "
            "`pop()` to change the layers in this model."
        )

    def _flat_layers(self):
        return self.layers

    # --- building and running -------------------------------------------------------------------------------------

    def _rebuild(self):
        if not self._stack:
            return
        first = self._stack[0]
        if self._graph is not None:
            self.build(self._graph.input_shape)
        elif isinstance(first, InputLayer) and len(self._stack) > 1:
            self.build(first.batch_shape)
        elif isinstance(first, Functional) or (isinstance(first, Sequential) and first._graph is not None):
            self.build(first.input_shape)

    def build(self, input_shape=None):
        """Makes the weights for inputs of ``input_shape``, (None, ...) with the batch."""
        if input_shape is None or not self.layers:
            return
        if isinstance(self._stack[0], InputLayer):
            source = self._stack[0]._inbound_nodes[0].outputs
        elif self._graph is not None and _same(self._graph.input_shape, input_shape):
            source = self._graph._input_structure
        else:
            source = map_shapes(
                lambda shape: Input(batch_shape=(None, *shape[1:]), dtype=_input_dtype(self._stack[0])),
                input_shape,
            )
        if self._graph is None or source is not self._graph._input_structure:
            self._symbols.clear()
        for layer in self.layers[len(self._symbols) :]:
            symbol = layer(self._symbols[-1] if self._symbols else source)
            self._symbols.append(symbol)
        self._close(source)

    def _close(self, source):
        graph = Functional(source, self._symbols[-1], name=self.name, registered=False)
        object.__setattr__(self, "_graph", graph)

    def __call__(self, *args, **kwargs):
        if args and isinstance(args[0], (list, tuple)) and len(args[0]) == 1 and hasattr(args[0][0], "shape"):
            args = (args[0][0], *args[1:])  # a list of one input
        return super().__call__(*args, **kwargs)

    def call(self, inputs, training=None, mask=None):
        """Runs the layers one after the other."""
        x = inputs
        for layer in self.layers:
            if mask is not None and layer._signature.mask:
                x = layer(x, training=training, mask=mask)
            else:
                x = layer(x, training=training) if layer._signature.training else layer(x)
            mask = None
        return x

    def compute_output_shape(self, input_shape):
        """The shape of the output for inputs of ``input_shape``."""
        shape = input_shape
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def _demand_graph(self, what):
        if self._graph is None:
            raise AttributeError(
                f"Sequential model '{self.name}' has no defined {what} yet: its input shape is not "
                "known. Hint: give it an "
                "Input first, build it with model.build((None, features)), or call it on data."
            )
        return self._graph

    inputs = property(lambda self: self._demand_graph("inputs").inputs)
    outputs = property(lambda self: self._demand_graph("outputs").outputs)
    input = property(lambda self: self._demand_graph("input").input)
    output = property(lambda self: self._demand_graph("output").output)
    input_shape = property(lambda self: self._demand_graph("input shape").input_shape)
    output_shape = property(lambda self: self._demand_graph("output shape").output_shape)
    input_names = property(lambda self: self._demand_graph("input names").input_names)

    @property
    def output_names(self):
        """The name of the last layer, in a list."""
        return [self.layers[-1].name] if self.layers else []

    # --- configs --------------------------------------------------------------------------------------------------

    def get_config(self):
        """Name and the configs of all layers."""
        layers = [serialize_layer(layer) for layer in self._stack]
        return {"name": self.name, "trainable": self._trainable, "dtype": self._policy.name, "layers": layers}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new model, with new weights, of ``get_config``'s dict."""
        model = cls(name=config.get("name"))
        for layer in config["layers"] if isinstance(config, dict) else config:
            model.add(deserialize_layer(layer, custom_objects), rebuild=False)
        model._rebuild()
        return model


def _same(a, b):
    return map_shapes(lambda shape: shape[1:], a) == map_shapes(lambda shape: shape[1:], b)


def _input_dtype(layer):
    return "int32" if type(layer).__name__ == "Embedding" else None
