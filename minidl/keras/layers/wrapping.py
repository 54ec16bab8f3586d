"""Layers around a layer: Wrapper, Bidirectional, TimeDistributed."""

from minidl.keras.engine.layer import Layer
from minidl.keras.engine.nest import map_shapes
from minidl.keras.engine.serialization import deserialize_layer, serialize_layer
from minidl.keras.layers.arguments import Described
from minidl.ops.joining import cat

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]

_MERGE_MODES = ("sum", "mul", "ave", "concat", None)


class Wrapper(Described):
    """A layer around ``layer``: what TimeDistributed and its like are made from."""

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Layer {layer} supplied to Wrapper isn't a supported layer type. "
                "Please ensure wrapped layer is a valid Keras layer."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape):
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self):
        return {**super().get_config(), "layer": serialize_layer(self.layer)}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        return cls(deserialize_layer(config.pop("layer")), **config)


class TimeDistributed(Wrapper):
    """Applies ``layer`` to every step of (N, T, ...), all steps at once: as to a batch of N T samples.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.TimeDistributed(keras.layers.Conv2D(4, 3))(np.ones((2, 5, 8, 8, 3))).shape
    torch.Size([2, 5, 6, 6, 4])
    """

    supports_masking = True

    def build(self, input_shape):
        if len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: "
                f"{tuple(input_shape)}"
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs, training=None, mask=None):
        batch, steps = inputs.shape[:2]
        options = {"training": training} if self.layer._signature.training else {}
        if mask is not None and self.layer._signature.mask:
            options["mask"] = mask.reshape(batch * steps, *mask.shape[2:])
        out = self.layer(inputs.reshape(batch * steps, *inputs.shape[2:]), **options)
        return out.reshape(batch, steps, *out.shape[1:])

    def compute_output_shape(self, input_shape):
        inner = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (input_shape[0], input_shape[1], *inner[1:])


class Bidirectional(Described):
    """Runs a recurrent layer over the steps in both directions, and joins the outputs by ``merge_mode``.

    The mode is 'concat', 'sum', 'mul', 'ave' or None for both outputs. ``backward_layer`` is a copy of ``layer`` that
    goes backwards, where it is not given; with ``return_sequences`` its outputs are in the order of the steps.

    Weights: the forward layer's, then the backward one's. Source: M. Schuster, K. Paliwal, 1997; Keras'
    ``Bidirectional``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.layers.Bidirectional(keras.layers.LSTM(4))(np.ones((2, 5, 3))).shape
    torch.Size([2, 8])
    """

    takes_integers = True
    supports_masking = True

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        _check(layer, backward_layer, merge_mode)
        super().__init__(**kwargs)
        name = layer.name.removeprefix("forward_").removeprefix("backward_")
        forward = serialize_layer(layer)["config"]
        backward = forward | {"go_backwards": not layer.go_backwards}
        other = layer if backward_layer is None else backward_layer
        if backward_layer is not None:
            backward = serialize_layer(backward_layer)["config"]
            name_back = backward_layer.name.removeprefix("backward_")
        else:
            name_back = name
        self.forward_layer = type(layer).from_config(forward | {"name": f"forward_{name}"})
        self.backward_layer = type(other).from_config(backward | {"name": f"backward_{name_back}"})
        for inner in (self.forward_layer, self.backward_layer):
            inner.in_time_order = inner.go_backwards and inner is self.backward_layer
        self.keep(merge_mode=merge_mode)
        self._initial = weights

    layer = property(lambda self: self.forward_layer, doc="The forward layer.")
    return_sequences = property(lambda self: self.forward_layer.return_sequences)
    return_state = property(lambda self: self.forward_layer.return_state)
    stateful = property(lambda self: self.forward_layer.stateful)

    def build(self, input_shape):
        for inner in (self.forward_layer, self.backward_layer):
            if not inner.built:
                inner.build(input_shape)
        if self._initial is not None:
            self.set_weights(self._initial)

    def call(self, sequences, initial_state=None, mask=None, training=None):
        first = second = None
        if initial_state is not None:
            half = len(initial_state) // 2
            first, second = list(initial_state[:half]), list(initial_state[half:])
        y = self._one(self.forward_layer, sequences, first, mask, training)
        y_back = self._one(self.backward_layer, sequences, second, mask, training)
        states = []
        if self.return_state:
            states = [*y[1:], *y_back[1:]]
            y, y_back = y[0], y_back[0]
        if self.return_sequences and not self.backward_layer.in_time_order:
            y_back = y_back.flip(1)
        merged = self._merged(y, y_back)
        if self.return_state:
            return [*merged, *states] if isinstance(merged, list) else [merged, *states]
        return merged

    def _one(self, layer, sequences, states, mask, training):
        options = {} if states is None else {"initial_state": states}
        if mask is not None:
            options["mask"] = mask
        return layer(sequences, training=training, **options)

    def _merged(self, a, b):
        if self.merge_mode == "concat":
            return cat((a, b), -1)
        if self.merge_mode == "sum":
            return a + b
        if self.merge_mode == "ave":
            return (a + b) / 2
        return a * b if self.merge_mode == "mul" else [a, b]

    def reset_states(self):
        """Makes both layers begin with zeros again."""
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    reset_state = reset_states

    def compute_output_shape(self, input_shape):
        found = self.forward_layer.compute_output_shape(input_shape)
        found, states = (found[0], found[1:]) if self.return_state else (found, [])
        if self.merge_mode == "concat":
            found = (*found[:-1], found[-1] * 2)
        outputs = [found, found] if self.merge_mode is None else [found]
        states = [map_shapes(tuple, state) for state in (*states, *states)]
        return [*outputs, *states] if self.return_state or self.merge_mode is None else found

    def compute_mask(self, inputs, mask=None):
        own = mask if self.return_sequences else None
        outputs = [own, own] if self.merge_mode is None else [own]
        if self.return_state:
            return [*outputs, *[None] * (2 * (len(self.forward_layer.compute_output_shape((1, 1, 1))) - 1))]
        return outputs if self.merge_mode is None else own

    def get_config(self):
        return {
            **super().get_config(),
            "layer": serialize_layer(self.forward_layer),
            "backward_layer": serialize_layer(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        config["layer"] = deserialize_layer(config["layer"])
        if config.get("backward_layer") is not None:
            config["backward_layer"] = deserialize_layer(config["backward_layer"])
        return cls(**config)


def _check(layer, backward_layer, merge_mode):
    if not isinstance(layer, Layer):
        raise ValueError(
            f"Please initialize `Bidirectional` layer with a `keras.layers.Layer` instance. Received: {layer}"
        )
    if backward_layer is not None and not isinstance(backward_layer, Layer):
        raise ValueError(
            f"`backward_layer` need to be a `keras.layers.Layer` instance. Received: {backward_layer}"
        )
    if merge_mode not in _MERGE_MODES:
        raise ValueError(
            f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of {{'sum', 'mul', 'ave', 'concat', "
            "None}."
        )
    if backward_layer is None:
        return
    for name in ("stateful", "return_sequences", "return_state"):
        if getattr(layer, name) != getattr(backward_layer, name):
            raise ValueError(
                "Forward layer and backward layer are expected to have the same value for attribute "
                f'"{name}", got "{getattr(layer, name)}" for forward layer and "{getattr(backward_layer, name)}" for '
                "backward layer"
            )
    if layer.go_backwards == backward_layer.go_backwards:
        raise ValueError(
            "Forward layer and backward layer should have different `go_backwards` value. Received: "
            f"forward_layer.go_backwards={layer.go_backwards}, "
            f"backward_layer.go_backwards={backward_layer.go_backwards}"
        )
