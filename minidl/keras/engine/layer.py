"""``Layer``: the base class of everything that Keras calls a layer."""

import difflib
import functools
import inspect

from minidl.keras import regularizers
from minidl.keras.dropped import DroppedShape, warn
from minidl.keras.engine.context import CONTEXT, name_scope
from minidl.keras.engine.layer_calls import Calls
from minidl.keras.engine.layer_losses import Losses
from minidl.keras.engine.layer_weights import Weights
from minidl.keras.engine.naming import auto_name, to_snake_case
from minidl.keras.engine.policy import get as get_policy
from minidl.keras.engine.signature import Signature
from minidl.keras.engine.tensors import named_dtype
from minidl.nn.module import Module

_SHAPE_ARGUMENTS = (
    "input_shape",
    "input_dim",
    "batch_input_shape",
    "batch_shape",
    "batch_size",
    "input_dtype",
)
_IGNORED = ("implementation", "quantization_config", "weights")
BY_NAME = {}  # minidl's own classes of layers by name: what a config's class_name refers to


class Layer(Calls, Weights, Losses, Module):
    """Base class of layers: ``build`` makes the weights when the first input is seen, ``call`` computes.

    It is a ``minidl.nn.Module`` as well. A layer of your own::

        class Scale(keras.layers.Layer):
            def __init__(self, factor=1.0, **kwargs):
                super().__init__(**kwargs)
                self.factor = factor

            def build(self, input_shape):  # input_shape: (None, ..., features)
                self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")

            def call(self, inputs, training=None, mask=None):  # training and mask only if you need them
                return inputs * self.gain * self.factor

            def compute_output_shape(self, input_shape):  # optional: found by a run on zeros otherwise
                return input_shape

            def get_config(self):
                return {**super().get_config(), "factor": self.factor}

    **Weights.** ``add_weight`` makes a tensor in Keras layout, for ``call`` to use as it is. A layer that computes by
    an ``nn`` module keeps PyTorch's layout in the module and shows Keras' with ``expose``::

        def build(self, input_shape):
            self.core = nn.Linear(input_shape[-1], self.units, bias=self.use_bias)
            self.expose(
                "kernel", self.core, "weight", layout.DENSE, self.kernel_initializer, self.kernel_regularizer
            )
            if self.use_bias:
                self.expose("bias", self.core, "bias", None, self.bias_initializer)

    The order of declaration is the order of ``get_weights`` and of files; ``trainable=False`` marks statistics.
    A layer that exposes anything declares all its weights so.

    **Shapes.** ``build(self, input_shape)`` gets the shape of ``call``'s first argument, a list of shapes where that is
    a list of tensors; ``build(self, query_shape, value_shape)`` those of the arguments ``query`` and ``value``;
    ``compute_output_shape`` likewise, with None for an unknown size.

    **Modes.** ``call(self, inputs, training=None)`` is told what the caller said, or the model around it;
    ``nn`` modules
    inside are put into that mode before ``call``.

    **Masks.** With ``supports_masking = True`` the input's mask is passed on; a layer with its own
    ``compute_mask(self, inputs, mask=None)`` supports masking and is asked for one even where the input has none.
    ``call(self, inputs, mask=None)`` gets it. A tensor's mask is its attribute ``_keras_mask``, bool, (N, T).

    **Configs.** ``get_config`` gives the arguments of ``__init__``; where it is not overridden, the arguments that the
    constructor was called with are used. ``activations.serialize`` and its sisters write the objects among them.

    Source: Keras' ``keras.layers.Layer``.

    >>> from minidl import keras
    >>> layer = keras.layers.Dense(3)
    >>> layer.build((None, 2))
    >>> [weight.shape for weight in layer.weights]
    [(2, 3), (3,)]
    """

    supports_masking = False
    _makes_mask = False
    built = called = False
    input_spec = None
    _trainable = True
    _declares_all = False
    _warned_of_mask = False
    _index = _owner = None
    input_shape, output_shape = DroppedShape("input"), DroppedShape("output")

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls._build_signature = Signature(cls.build)
            cls.build = _building(cls.build)
        if "call" in cls.__dict__:
            cls._signature = Signature(cls.call)
        if "compute_output_shape" in cls.__dict__:
            cls._shape_signature = Signature(cls.compute_output_shape)
        if "compute_mask" in cls.__dict__:
            cls._makes_mask = True
            cls.supports_masking = cls.__dict__.get("supports_masking", True)
        if cls.__module__.startswith("minidl.keras."):
            BY_NAME[cls.__name__] = cls

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        object.__setattr__(self, "_arguments", (args, kwargs))
        return self

    def __init__(
        self, *, activity_regularizer=None, trainable=True, dtype=None, autocast=True, name=None, **kwargs
    ):
        Module.__init__(self)
        put = object.__setattr__
        put(self, "_tracked", {})
        put(self, "_own_weights", [])
        put(self, "_inbound_nodes", [])
        self._init_losses()
        self._name = name if name is not None else auto_name(to_snake_case(type(self).__name__))
        if not isinstance(self._name, str) or "/" in self._name:
            raise ValueError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name} (of type "
                f"{type(name)})"
            )
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = bool(trainable)
        self.dtype_policy = dtype
        self.autocast = autocast
        self._take_input_shape(kwargs)

    def call(self, *args, **kwargs):
        """Computes the output; every subclass defines its own."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call()` method implemented.")

    # --- what it is called, and its dtypes ------------------------------------------------------------------------

    @property
    def name(self):
        """The name: given, or made of the class's, ``dense``, ``dense_1``, ..."""
        return self._name

    @name.setter
    def name(self, value):
        self._name = value

    @property
    def path(self):
        """The names of the models and layers around it and its own, joined by slashes."""
        return self.__dict__.get("_path") or self._name

    @property
    def dtype_policy(self):
        """The dtype of its computations and the one of its weights."""
        return self._policy

    @dtype_policy.setter
    def dtype_policy(self, value):
        self._policy = policy = get_policy(value)
        self._compute_dtype = named_dtype(policy.compute_dtype)
        self._mixed = policy.compute_dtype != policy.variable_dtype
        self.__dict__["_autocast"] = "float" in policy.compute_dtype

    @property
    def autocast(self):
        """Whether floating-point inputs are cast to the computations' dtype."""
        return self._autocast

    @autocast.setter
    def autocast(self, value):
        self.__dict__["_autocast"] = bool(value) and "float" in self._policy.compute_dtype

    @property
    def compute_dtype(self):
        """The name of the dtype that ``call`` computes in."""
        return self._policy.compute_dtype

    @property
    def variable_dtype(self):
        """The name of the dtype of the weights."""
        return self._policy.variable_dtype

    dtype = property(lambda self: self._policy.variable_dtype)

    # --- construction ---------------------------------------------------------------------------------------------

    def _take_input_shape(self, kwargs):
        """``input_shape``, ``input_dim``, ``batch_input_shape``: what a Sequential builds from."""
        unknown = [name for name in kwargs if name not in (*_SHAPE_ARGUMENTS, *_IGNORED)]
        if unknown:
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: "
                f"{ {name: kwargs[name] for name in unknown} }.{_nearest(unknown[0], type(self))}"
            )
        if "batch_input_shape" in kwargs:
            warn("`batch_input_shape` is deprecated: start the model with keras.Input(batch_shape=...)")
        shape = kwargs.get("batch_input_shape", kwargs.get("batch_shape"))
        if shape is None and kwargs.get("input_shape") is not None:
            given = kwargs["input_shape"]
            shape = (kwargs.get("batch_size"), *((given,) if isinstance(given, int) else given))
        if shape is None and kwargs.get("input_dim") is not None:
            shape = (kwargs.get("batch_size"), kwargs["input_dim"])
        object.__setattr__(self, "_batch_input_shape", None if shape is None else tuple(shape))
        object.__setattr__(self, "_input_dtype", kwargs.get("input_dtype"))

    def _demand_init(self):
        if "_own_weights" not in self.__dict__:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the "
                "first statement in the "
                "`__init__()` method. Go add it!"
            )

    def __getattr__(self, name):
        own = getattr(type(self), name, None)
        if isinstance(own, property):  # it raised AttributeError itself: that one tells why
            return own.fget(self)
        return super().__getattr__(name)

    def __setattr__(self, name, value):
        if isinstance(value, (Module, list, tuple, dict)):
            self._demand_init()
            self._tracked[name] = None
        if inspect.isdatadescriptor(getattr(type(self), name, None)):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def _place(self):
        """`` (layer 2 of model "sequential")`` for error messages, empty where it is in no model."""
        return "" if self._index is None else f' (layer {self._index} of model "{self._owner}")'

    # --- configs --------------------------------------------------------------------------------------------------

    def get_config(self):
        """The arguments from which ``from_config`` makes the layer again, without its weights."""
        base = {"name": self.name, "trainable": self._trainable, "dtype": self._dtype_config()}
        if self._batch_input_shape is not None:
            base["batch_shape"] = self._batch_input_shape
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is Layer.get_config and type(self).__init__ is not Layer.__init__:
            base.update(self._constructor_arguments())
        return base

    def _dtype_config(self):
        return self._policy.name

    def _constructor_arguments(self):
        args, kwargs = self._arguments
        names = Signature(type(self).__init__).names
        return {**dict(zip(names, args)), **kwargs}

    @classmethod
    def from_config(cls, config):
        """A new layer of a config."""
        if "batch_input_shape" in config:  # of Keras 2
            config = {("batch_shape" if k == "batch_input_shape" else k): v for k, v in config.items()}
        try:
            return cls(**config)
        except TypeError as error:
            raise TypeError(
                f"Error when deserializing class '{cls.__name__}' using config={config}.\n\nException encountered: "
                f"{error}"
            ) from error

    def get_build_config(self):
        """The shapes it was built with."""
        return self.__dict__.get("_build_config")

    def build_from_config(self, config):
        """Builds it with the shapes of ``get_build_config``."""
        if config:
            self.build(config["input_shape"]) if "input_shape" in config else self.build(**config)

    @property
    def input(self):
        """The symbolic input of its only call in a model. ``AttributeError`` where there was none, or several."""
        return self._only_node("input").args[0]

    @property
    def output(self):
        """The symbolic output of its only call in a model."""
        return self._only_node("output").outputs

    def _only_node(self, what):
        if len(self._inbound_nodes) != 1:
            count = "has never been called" if not self._inbound_nodes else "has multiple inbound nodes"
            raise AttributeError(
                f"The layer {self.name} {count} and thus has no defined {what}."
                + (
                    ""
                    if self._inbound_nodes
                    else " Hint: call it on a keras.Input, or build the model first."
                )
            )
        return self._inbound_nodes[0]

    def extra_repr(self):
        return f"name={self.name}, built={self.built}"

    def __repr__(self):
        return f"<{type(self).__name__} {self.extra_repr()}>"


def _building(build):
    """``build`` that notes the path and the shapes, marks the layer built, and lets ``super().build`` pass."""

    @functools.wraps(build)
    def wrapped(self, *args, **kwargs):
        if self.__dict__.get("_is_building"):
            return build(self, *args, **kwargs)
        self._demand_init()
        self.__dict__["_is_building"] = True
        named = CONTEXT.scope[-1:] == (self.name,)
        try:
            with name_scope(self.name) if not named else _Nothing():
                self.__dict__["_path"] = "/".join(CONTEXT.scope)
                build(self, *args, **kwargs)
        finally:
            self.__dict__["_is_building"] = False
        names = self._build_signature.names
        self.__dict__["_build_config"] = {**dict(zip(names, args)), **kwargs}
        self.built = True

    return wrapped


class _Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


def _nearest(name, cls):
    known = [n for base in cls.__mro__ if "__init__" in base.__dict__ for n in Signature(base.__init__).names]
    known = sorted({*known, *_SHAPE_ARGUMENTS})
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


Layer._signature = Signature(Layer.call)
Layer._build_signature = Signature(Calls.build)
Layer._shape_signature = Signature(Calls.compute_output_shape)
