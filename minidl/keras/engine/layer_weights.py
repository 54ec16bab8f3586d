"""The part of ``Layer`` that owns weights: declares them, lists them in Keras' order, reads and writes them."""

from minidl import nn
from minidl.keras import constraints, initializers, regularizers
from minidl.keras.dropped import warn
from minidl.keras.engine.context import CONTEXT
from minidl.keras.engine.naming import auto_name
from minidl.keras.engine.nest import flatten
from minidl.keras.engine.tensors import as_numpy, as_tensor, standardize_dtype
from minidl.keras.engine.variable import Variable, Weight


class Weights:
    """Weights of a layer, in Keras layout. A layer declares them in ``build`` with ``add_weight`` or ``expose``."""

    def add_weight(
        self,
        shape=None,
        initializer=None,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        aggregation="none",
        overwrite_with_gradient=False,
        name=None,
    ):
        """A weight of the layer's own: a tensor to compute with in ``call``, in whatever layout ``call`` wants.

        ``initializer`` is a name, an object, or a function of (shape, dtype); None is ``'glorot_uniform'`` for
        floats and ``'zeros'`` else.
        """
        self._demand_init()
        if isinstance(shape, str):  # Keras 2's order: add_weight(name, shape, ...)
            warn("add_weight(name, shape, ...) is Keras 2's order; say add_weight(shape=..., name=...)")
            name, shape, initializer, dtype = shape, initializer, dtype, None
            if callable(dtype) or isinstance(dtype, str):
                dtype = None
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        dtype = standardize_dtype(dtype) if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        value = as_tensor(initializers.get(initializer)(shape, dtype=dtype), dtype)
        made = Variable(
            value, dtype=dtype, trainable=trainable, name=name or auto_name("variable"),
            regularizer=regularizers.get(regularizer), constraint=constraints.get(constraint),
        )  # fmt: skip
        self._adopt(made)
        return made

    add_variable = add_weight

    def expose(
        self,
        name,
        module,
        attribute,
        layout=None,
        initializer=None,
        regularizer=None,
        constraint=None,
        trainable=True,
    ):
        """Declares a parameter or buffer of an inner ``nn`` module as this layer's weight ``name``.

        ``layout`` says how PyTorch's order reads in Keras' (``engine/layout.py``); ``attribute`` may be a tuple
        of names where the layout joins several parameters into one weight. ``initializer`` gives its values,
        in Keras layout. The weight is returned and is the layer's attribute ``name``.
        """
        attributes = (attribute,) if isinstance(attribute, str) else tuple(attribute)
        made = Weight(
            name, [(module, a) for a in attributes], layout, trainable, regularizers.get(regularizer),
            constraints.get(constraint),
        )  # fmt: skip
        if initializer is not None:
            made._write_tensor(as_tensor(initializers.get(initializer)(made.shape, dtype=made.dtype)))
        self._declares_all = True
        self._adopt(made)
        object.__setattr__(self, name, made)
        return made

    def _adopt(self, weight):
        scope = (
            CONTEXT.scope if CONTEXT.scope and CONTEXT.scope[-1] == self.name else (*CONTEXT.scope, self.name)
        )
        weight.path = "/".join((*scope, weight.name))
        self._own_weights.append(weight)
        if not self._trainable:
            for parameter in weight.parameters:
                parameter.requires_grad_(False)

    # --- lists, in Keras' order: own trainable ones, own others, then each inner layer's -----------------------

    def _declared_weights(self):
        """Own weights, with parameters of plain ``nn`` modules and tensors that nothing declared."""
        known = {id(p) for weight in self._own_weights for p in weight.parameters}
        found = list(self._own_weights)
        for name, parameter in self._parameters.items():
            if parameter is not None and id(parameter) not in known:
                found.append(self._shown(name, self, name))
        for prefix, module in self._modules.items():
            if module is None or isinstance(module, Weights):
                continue
            for inner_name, inner in module.named_modules():
                for name, tensor in (*inner._parameters.items(), *inner._buffers.items()):
                    if tensor is not None and id(tensor) not in known:
                        path = ".".join(filter(None, (prefix, inner_name, name)))
                        found.append(self._shown(path, inner, name))
        return found

    def _shown(self, name, module, attribute):
        """The ``Weight`` of a tensor that was not declared: the same object each time."""
        kept = self.__dict__.setdefault("_shown_weights", {})
        weight = kept.get(name)
        if weight is None:
            learns = attribute in module._parameters and module._parameters[attribute].requires_grad
            weight = Weight(name, [(module, attribute)], trainable=learns)
            weight.path = f"{self.path}/{name}"
            kept[name] = weight
        return weight

    def _own_by_kind(self):
        own = self._own_weights if self._declares_all else self._declared_weights()
        return [w for w in own if w.declared], [w for w in own if not w.declared]

    @property
    def weights(self):
        """All weights: the layer's trained ones, its others, then those of the layers inside."""
        trained, others = self._own_by_kind()
        found, seen = [], set()
        for weight in [*trained, *others, *(w for layer in self._flat_layers() for w in layer.weights)]:
            key = id(weight.parameters[0])
            if key not in seen:
                seen.add(key)
                found.append(weight)
        return found

    @property
    def variables(self):
        """The same as ``weights``."""
        return self.weights

    @property
    def trainable_weights(self):
        """The weights that an optimizer updates: none where the layer is frozen."""
        if not self._trainable:
            return []
        found = self._own_by_kind()[0] + [w for layer in self._flat_layers() for w in layer.trainable_weights]
        return _unique(found)

    trainable_variables = property(lambda self: self.trainable_weights)

    @property
    def non_trainable_weights(self):
        """All other weights: statistics, and everything where the layer is frozen."""
        if not self._trainable:
            return self.weights
        found = self._own_by_kind()[1] + [
            w for layer in self._flat_layers() for w in layer.non_trainable_weights
        ]
        return _unique(found)

    non_trainable_variables = property(lambda self: self.non_trainable_weights)

    def _flat_layers(self):
        """The layers inside, in the order in which they were assigned."""
        found = {}
        for name in list(self._tracked):
            value = self._modules.get(name, self.__dict__.get(name))
            for leaf in flatten(value) if isinstance(value, (list, tuple, dict)) else [value]:
                if isinstance(leaf, Weights) and leaf is not self:
                    found.setdefault(id(leaf), leaf)
                    if leaf is not value and not any(leaf is m for m in self._modules.values()):
                        self._modules[f"{name}_{len(self._modules)}"] = leaf  # nn's traversals find it there
        return list(found.values())

    # --- values ---------------------------------------------------------------------------------------------------

    def get_weights(self):
        """The values of all weights: NumPy arrays in Keras layout, in ``weights``' order."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights):
        """Overwrites all weights by arrays in ``weights``' order. ``ValueError`` for another number or shape."""
        own = self.weights
        weights = list(weights)
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting {len(own)} weights"
                + (
                    f": {', '.join(w.path for w in own)}."
                    if own
                    else ". Hint: build it first, by a call or build()."
                )
            )
        arrays = [as_numpy(value) for value in weights]
        for weight, array in zip(own, arrays):
            if tuple(weight.shape) != tuple(array.shape):
                raise ValueError(
                    f"Layer {self.name} weight shape {tuple(weight.shape)} is not compatible with provided weight "
                    f"shape {tuple(array.shape)} (weight '{weight.path}')."
                )
        for weight, array in zip(own, arrays):
            weight.assign(array)

    def count_params(self):
        """The number of values in all weights. ``ValueError`` where there are none yet."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't built. You can build "
                "it manually via: `layer.build(input_shape)`, or by calling it on data."
            )
        return sum(weight.numel() for weight in self.weights)

    # --- frozen or not --------------------------------------------------------------------------------------------

    @property
    def trainable(self):
        """Whether training changes the weights. Setting it sets it for every layer inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        value = bool(value)
        self._trainable = value
        for weight in self._own_weights:
            for parameter in weight.parameters:
                if parameter.is_floating_point():
                    parameter.requires_grad_(value and weight.declared)
        for module in self._modules.values():
            if isinstance(module, nn.Module) and not isinstance(module, Weights) and not self._declares_all:
                module.requires_grad_(value)
        for layer in self._flat_layers():
            layer.trainable = value


def _unique(weights):
    seen, found = set(), []
    for weight in weights:
        key = id(weight.parameters[0])
        if key not in seen:
            seen.add(key)
            found.append(weight)
    return found
