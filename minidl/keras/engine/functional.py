"""``Functional``: a model that is a graph of layers, from symbolic inputs to symbolic outputs."""

from minidl.keras.engine.graph_config import graph_config, graph_from_config
from minidl.keras.engine.graph_order import graph_of
from minidl.keras.engine.inputs import InputLayer
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.model import Model
from minidl.keras.engine.nest import flatten, is_nested, map_structure, pack_like
from minidl.keras.engine.tensors import as_tensor


class Functional(Model):
    """``keras.Model(inputs, outputs)``: everything between the two becomes the model.

    ``inputs`` and ``outputs`` are symbolic tensors, or lists, tuples or dicts of them. A layer that is
    called several times shares its weights. Source: Keras' ``Functional``.

    >>> from minidl import keras
    >>> a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    >>> shared = keras.layers.Dense(2)
    >>> model = keras.Model([a, b], shared(a) + shared(b))
    >>> model.count_params()
    8
    """

    def __init__(self, inputs=None, outputs=None, name=None, trainable=None, registered=True, **kwargs):
        super().__init__(name=name, **({} if trainable is None else {"trainable": trainable}), **kwargs)
        put = object.__setattr__
        for leaf in flatten([inputs, outputs]):
            if not isinstance(leaf, KerasTensor):
                raise ValueError(
                    "All `inputs` and `outputs` values must be KerasTensors. Received: "
                    f"{type(leaf).__name__}. Hint: they come from keras.Input and from layers called on it."
                )
        put(self, "_input_structure", inputs)
        put(self, "_output_structure", outputs)
        put(self, "inputs", flatten(inputs))
        put(self, "outputs", flatten(outputs))
        nodes, layers = graph_of(self.inputs, self.outputs)
        put(self, "nodes", nodes)
        put(self, "_ordered", layers)
        self._register(registered)
        self.built = True

    def _register(self, registered):
        names = [layer.name for layer in self._ordered]
        for name in names:
            if names.count(name) > 1 and registered:
                raise ValueError(
                    f"The name {name!r} is used {names.count(name)} times in the model. All layer names should be "
                    "unique."
                )
        for place, layer in enumerate(self._ordered):
            self._modules[layer.name.replace(".", "_")] = layer
            if registered and not isinstance(layer, InputLayer):
                layer._index, layer._owner = place, self.name

    @property
    def layers(self):
        """All layers in Keras' order: those furthest from the outputs first. Files list weights in that order."""
        return list(self._ordered)

    @layers.setter
    def layers(self, value):
        raise AttributeError(
            "`Model.layers` attribute is reserved and should not be used. Please use another name."
        )

    def _flat_layers(self):
        own = [leaf for leaf in super()._flat_layers() if not any(leaf is layer for layer in self._ordered)]
        return self._ordered + own

    # --- running --------------------------------------------------------------------------------------------------

    def call(self, inputs, training=None, mask=None):
        """Runs the graph."""
        values = self._bound(inputs)
        if mask is not None:
            for tensor, value in zip(flatten(mask), values.values()):
                value._keras_mask = tensor
        for node in self.nodes:
            args, kwargs = node.arguments(values)
            outputs = node.layer(*args, **kwargs)
            for symbol, value in zip(node.flat_outputs, flatten(outputs)):
                values[id(symbol)] = value
        return pack_like(self._output_structure, [values[id(symbol)] for symbol in self.outputs])

    def _bound(self, inputs):
        """The symbolic inputs' values, by place or by name."""
        structure = self._input_structure
        if isinstance(inputs, dict) and not isinstance(structure, dict):
            missing = [name for name in self.input_names if name not in inputs]
            if missing:
                raise ValueError(
                    f"Model '{self.name}' takes the inputs {self.input_names}, but the dict of inputs has no "
                    f"{missing}; it has {sorted(inputs)}."
                )
            given = [inputs[name] for name in self.input_names]
        elif isinstance(inputs, dict):
            given = flatten({name: inputs[name] for name in structure if name in inputs})
        else:
            given = flatten(inputs)
        if len(given) != len(self.inputs):
            raise ValueError(
                f"Model '{self.name}' takes {len(self.inputs)} inputs {self.input_names}, but received {len(given)}."
            )
        return {
            id(symbol): self._fitted(value, symbol, place)
            for place, (value, symbol) in enumerate(zip(given, self.inputs))
        }

    def _fitted(self, value, symbol, place):
        if len(value.shape) == len(symbol.shape) - 1 and symbol.shape[-1] == 1:
            value = value.unsqueeze(-1)
        elif len(value.shape) == len(symbol.shape) + 1 and value.shape[-1] == 1:
            value = value.squeeze(-1)
        fits = len(value.shape) == len(symbol.shape) and all(
            s is None or n is None or s == n for n, s in zip(value.shape[1:], symbol.shape[1:])
        )
        if not fits:
            raise ValueError(
                f'Input {place} of model "{self.name}" (input "{symbol.name}") is incompatible: expected shape='
                f"{symbol.shape}, found shape={tuple(value.shape)}."
                " Hint: the first number is the batch; give one sample as x[np.newaxis]."
            )
        return _cast(value, symbol)

    def compute_output_spec(self, inputs, training=None, mask=None):
        """The symbolic outputs of symbolic inputs: every layer is asked in turn."""
        given = inputs
        if isinstance(inputs, dict) and not isinstance(self._input_structure, dict):
            given = [inputs[name] for name in self.input_names]
        values = {id(symbol): value for symbol, value in zip(self.inputs, flatten(given))}
        same = all(tuple(v.shape) == tuple(s.shape) for v, s in zip(flatten(given), self.inputs))
        if same:
            return map_structure(lambda t: KerasTensor(t.shape, t.dtype), self._output_structure)
        for node in self.nodes:
            args, kwargs = node.arguments(values)
            outputs = node.layer.compute_output_spec(*args, **kwargs)
            for symbol, value in zip(node.flat_outputs, flatten(outputs)):
                values[id(symbol)] = value
        return pack_like(self._output_structure, [values[id(symbol)] for symbol in self.outputs])

    def compute_output_shape(self, input_shape):
        """The shapes of the outputs for inputs of ``input_shape``."""
        flat = [input_shape] if not is_nested(self._input_structure) else list(input_shape)
        symbols = [KerasTensor(shape, symbol.dtype) for shape, symbol in zip(flat, self.inputs)]
        return map_structure(
            lambda t: t.shape, self.compute_output_spec(pack_like(self._input_structure, symbols))
        )

    def build(self, input_shape=None):
        """Nothing is left to build: the layers were built as the graph was made."""

    # --- what it says of itself -----------------------------------------------------------------------------------

    input = property(lambda self: self._input_structure)
    output = property(lambda self: self._output_structure)
    input_shape = property(lambda self: map_structure(lambda t: t.shape, self._input_structure))
    output_shape = property(lambda self: map_structure(lambda t: t.shape, self._output_structure))

    @property
    def input_names(self):
        """The inputs' names."""
        return [symbol.history[0].layer.name for symbol in self.inputs]

    @property
    def output_names(self):
        """The names of the layers that make the outputs: ``dense``; where several come of one layer,
        ``dense_1`` next."""
        names = []
        for symbol in self.outputs:
            base = name = symbol.history[0].layer.name
            count = 0
            while name in names:
                count += 1
                name = f"{base}_{count}"
            names.append(name)
        return names

    def get_config(self):
        """Name, layers with their calls, inputs and outputs: Keras 2's form, which Keras 3 reads too."""
        return graph_config(self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new model, with new weights, of ``get_config``'s dict."""
        return graph_from_config(cls, config, custom_objects)


def _cast(value, symbol):
    wanted_float = "float" in symbol.dtype
    if value.is_floating_point() == wanted_float or symbol.dtype == "bool":
        return value
    if wanted_float:
        mask = getattr(value, "_keras_mask", None)
        value = as_tensor(value, symbol.dtype)
        if mask is not None:
            value._keras_mask = mask
        return value
    return as_tensor(value, symbol.dtype)


Model.functional = Functional
