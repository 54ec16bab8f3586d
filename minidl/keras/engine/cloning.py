"""``clone_model``: the same architecture with new weights."""

from minidl.keras.engine.functional import Functional
from minidl.keras.engine.inputs import InputLayer
from minidl.keras.engine.model import Model
from minidl.keras.engine.nest import flatten, pack_like
from minidl.keras.engine.sequential import Sequential


def clone_model(model, input_tensors=None, clone_function=None):
    """A model of the same layers with new weights. ``clone_function(layer)`` makes the layers' copies.

    ``ValueError`` for a subclassed model, which only its own code can make again.

    >>> from minidl import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.clone_model(model).count_params()
    8
    """
    if not isinstance(model, Model):
        raise ValueError(f"Expected `model` to be a Model, but got {type(model).__name__}")
    copy = clone_function or _copied
    if isinstance(model, Sequential):
        made = Sequential(name=model.name, trainable=model._trainable)
        for layer in model._stack:
            made.add(_copied(layer) if isinstance(layer, InputLayer) else copy(layer), rebuild=False)
        made._rebuild()
        return made
    if not isinstance(model, Functional):
        raise ValueError(
            f"Expected a Sequential or a functional model, but got a subclass, "
            f"{type(model).__name__}. Hint: make a new "
            "one by its class, and copy the weights by set_weights."
        )
    return _cloned_graph(model, input_tensors, copy)


def _copied(layer):
    return layer.from_config(layer.get_config())


def _cloned_graph(model, input_tensors, copy):
    copies = {}
    values = {}
    given = flatten(input_tensors) if input_tensors is not None else [None] * len(model.inputs)
    for symbol, tensor in zip(model.inputs, given):
        if tensor is None:
            tensor = _copied(symbol.history[0].layer)._inbound_nodes[0].outputs
        values[id(symbol)] = tensor
    for node in model.nodes:
        layer = copies.setdefault(id(node.layer), None) or copy(node.layer)
        copies[id(node.layer)] = layer
        args, kwargs = node.arguments(values)
        for symbol, value in zip(node.flat_outputs, flatten(layer(*args, **kwargs))):
            values[id(symbol)] = value
    inputs = pack_like(model._input_structure, [values[id(symbol)] for symbol in model.inputs])
    outputs = pack_like(model._output_structure, [values[id(symbol)] for symbol in model.outputs])
    return Functional(inputs, outputs, name=model.name)
