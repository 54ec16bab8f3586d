"""``Model``: a layer that is made of layers, and can be trained, summarised, saved."""

import difflib
import json

from minidl.keras import dropped
from minidl.keras.engine import persistence
from minidl.keras.engine.context import CONTEXT
from minidl.keras.engine.layer import Layer
from minidl.keras.engine.layer_calls import symbolic_of
from minidl.keras.engine.nest import map_structure
from minidl.keras.engine.node import is_symbolic
from minidl.keras.engine.searching import Searchable
from minidl.keras.engine.serialization import serialize_layer
from minidl.keras.engine.summary import print_summary
from minidl.keras.engine.tracing import traced_outputs


class Model(Searchable, Layer):
    """A network with ``compile``, ``fit``, ``evaluate``, ``predict``.

    ``Model(inputs, outputs)`` makes one of symbolic tensors (``engine/functional.py``). A subclass makes
    its layers in ``__init__`` and computes in ``call(self, inputs, training=None, mask=None)``; it may
    override ``train_step(data)``, ``test_step(data)``, ``predict_step(data)`` and ``compute_loss``.
    Source: Keras' ``keras.Model``.

    >>> from minidl import keras
    >>> class Net(keras.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = keras.layers.Dense(8, activation="relu")
    ...         self.out = keras.layers.Dense(1)
    ...
    ...     def call(self, inputs):
    ...         return self.out(self.hidden(inputs))
    >>> import numpy as np
    >>> Net().predict(np.ones((2, 3)), verbose=0).shape
    (2, 1)
    """

    functional = None  # engine/functional.py puts here the class that Model(inputs, outputs) makes

    def __new__(cls, *args, **kwargs):
        if cls is Model and _is_graph(args, kwargs):
            cls = Model.functional
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args, **kwargs):
        if _is_graph(args, kwargs):  # a subclass that makes its graph in __init__
            _become_graph(type(self))
            Model.functional.__init__(self, *args, **kwargs)
            return
        if args:
            raise TypeError(
                f"Model() takes symbolic tensors as `inputs` and `outputs`, but got "
                f"{[type(a).__name__ for a in args]}. "
                "Hint: make them with keras.Input and layers called on it; a list of layers makes a keras.Sequential."
            )
        super().__init__(**kwargs)
        self._init_trainer()

    def call(self, *args, **kwargs):
        """Computes the outputs; every subclass defines its own."""
        raise NotImplementedError(f"Model {type(self).__name__} does not have a `call()` method implemented.")

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new model of ``get_config``'s dict; ``keras.Model`` itself reads that of a graph of layers."""
        if cls is Model and "layers" in config and "input_layers" in config:
            return Model.functional.from_config(config, custom_objects)
        return super().from_config(config)

    # --- its layers -----------------------------------------------------------------------------------------------

    @property
    def layers(self):
        """The layers right below it, in order."""
        return [layer for layer in self._flat_layers() if isinstance(layer, Layer)]

    @layers.setter
    def layers(self, value):
        raise AttributeError(
            "`Model.layers` attribute is reserved and should not be used. Please use another name."
        )

    def get_layer(self, name=None, index=None):
        """The layer of a name, or at a place. ``ValueError`` with the names where there is none."""
        layers = self.layers
        if index is not None and name is not None:
            raise ValueError(
                f"Provide only a layer name or a layer index. Received: index={index}, name={name}."
            )
        if index is not None:
            if len(layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        if name is None:
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        close = difflib.get_close_matches(str(name), names, n=1)
        raise ValueError(
            f"No such layer: {name}. Existing layers are: {names}."
            + (f" Did you mean {close[0]!r}?" if close else "")
        )

    def summary(
        self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
        layer_range=None,
    ):  # fmt: skip
        """Prints the layers, the shapes of their outputs, and how many parameters there are."""
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def count_params(self):
        """The number of values in all weights."""
        if not self.built and not self.weights:
            raise ValueError(
                f"You tried to call `count_params` on model '{self.name}', but it isn't built yet: "
                "its input shape is not "
                "known. Hint: model.build((None, features)), an Input first, or a call on data."
            )
        return sum(weight.numel() for weight in self.weights)

    def build(self, input_shape=None):
        """Makes the weights of all layers by a run on zeros of ``input_shape``, (None, ...) with the batch."""
        if input_shape is not None:
            self.built = True
            traced_outputs(self, (symbolic_of(input_shape, self.compute_dtype),), {})

    def _build_for(self, args, kwargs):
        if type(self).build is Model.build:  # its layers are built as call runs them
            self.__dict__["_path"] = "/".join(CONTEXT.scope)
            if args:  # what a file needs to build it again; the batch stays open
                shapes = map_structure(
                    lambda x: (None, *x.shape[1:]) if hasattr(x, "shape") else None, args[0]
                )
                self.__dict__["_build_config"] = {"input_shape": shapes}
            self.built = True
        else:
            super()._build_for(args, kwargs)

    def reset_states(self):
        """Forgets the states that stateful layers keep between batches."""
        for layer in self._all_layers():
            for name in ("reset_states", "reset_state"):
                if hasattr(layer, name) and not isinstance(layer, Model):
                    getattr(layer, name)()
                    break

    def __setstate__(self, state):
        self.__dict__.update(state)
        optimizer = self.__dict__.get("optimizer")
        for known in (optimizer, getattr(optimizer, "inner_optimizer", None)):
            if getattr(known, "_slots", None):  # it knows weights by identity, which a copy has not
                known._index = {id(slot.variable): i for i, slot in enumerate(known._slots)}

    # --- files ----------------------------------------------------------------------------------------------------

    def save(self, filepath, overwrite=True, include_optimizer=True, save_format=None, zipped=None, **kwargs):
        """Writes architecture, weights and optimizer to a ``.keras`` or ``.h5`` file."""
        persistence.save(self, filepath, overwrite=overwrite, include_optimizer=include_optimizer, **kwargs)

    def save_weights(self, filepath, overwrite=True, save_format=None):
        """Writes the weights to a ``.weights.h5``, ``.h5``, ``.npz`` or ``.safetensors`` file."""
        persistence.save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath, by_name=False, skip_mismatch=False, **kwargs):
        """Reads what ``save_weights`` or ``save`` wrote."""
        persistence.load_weights(self, filepath, by_name=by_name, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs):
        """The architecture as JSON text: ``keras.models.model_from_json`` makes it again."""
        return json.dumps(serialize_layer(self), default=_plain, **kwargs)

    # --- names that Keras dropped ---------------------------------------------------------------------------------

    def predict_classes(self, x, batch_size=32, verbose=0):
        """The classes of the samples: > 0.5 for one output, else the largest. Keras 2's name."""
        _dropped("predict_classes(x)", "(model.predict(x) > 0.5).astype(int) or model.predict(x).argmax(-1)")
        found = self.predict(x, batch_size=batch_size, verbose=verbose)
        return found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype("int32")

    def predict_proba(self, x, batch_size=32, verbose=0):
        """The same as ``predict``. Keras 2's name."""
        _dropped("predict_proba(x)", "model.predict(x)")
        return self.predict(x, batch_size=batch_size, verbose=verbose)

    def fit_generator(self, generator, steps_per_epoch=None, epochs=1, verbose=1, callbacks=None, **kwargs):
        """The same as ``fit``. Keras 2's name."""
        _dropped("fit_generator(generator)", "model.fit(generator)")
        for name in ("workers", "use_multiprocessing", "max_queue_size", "pickle_safe"):
            kwargs.pop(name, None)
        epochs = kwargs.pop("nb_epoch", epochs)
        return self.fit(
            generator,
            steps_per_epoch=steps_per_epoch,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            **kwargs,
        )

    def evaluate_generator(self, generator, steps=None, callbacks=None, verbose=0, **kwargs):
        """The same as ``evaluate``. Keras 2's name."""
        _dropped("evaluate_generator(generator)", "model.evaluate(generator)")
        return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose)

    def predict_generator(self, generator, steps=None, callbacks=None, verbose=0, **kwargs):
        """The same as ``predict``. Keras 2's name."""
        _dropped("predict_generator(generator)", "model.predict(generator)")
        return self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose)


def _dropped(old, new):
    dropped.warn(f"model.{old} is a name that Keras dropped: use {new}")


def _plain(value):
    """What JSON does not know: tuples come by themselves, arrays and numbers of NumPy as lists and numbers."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _is_graph(args, kwargs):
    return (len(args) >= 2 and is_symbolic(args[:2])) or (
        "outputs" in kwargs and (len(args) == 1 or "inputs" in kwargs)
    )


def _become_graph(cls):
    """Puts ``Functional`` in the place of ``Model`` among the bases: the class's own methods still come first."""
    if cls is Model or issubclass(cls, Model.functional):
        return
    cls.__bases__ = tuple(Model.functional if base is Model else base for base in cls.__bases__)
    for base in cls.__bases__:
        if issubclass(base, Model):
            _become_graph(base)
