"""The part of ``Layer`` that is called: builds on the first input, casts, passes training and masks, records calls."""

import warnings

from minidl import nn
from minidl.autograd.tensor import TENSORS, Tensor
from minidl.keras.activations import softmax
from minidl.keras.engine.context import CONTEXT, name_scope
from minidl.keras.engine.input_spec import check_inputs
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.nest import flatten, is_nested, map_structure, shapes_of
from minidl.keras.engine.node import Node, is_symbolic
from minidl.keras.engine.signature import shape_arguments
from minidl.keras.engine.tensors import as_tensor
from minidl.keras.engine.tracing import traced_masks, traced_outputs
from minidl.keras.settings import named_dtype
from minidl.nn.module_hooks import call_with_hooks


class Calls:
    """How a layer runs on tensors, and on symbolic ones."""

    takes_integers = (
        False  # whether integer inputs are cast to the computations' dtype, as floating-point ones are
    )

    def __call__(self, *args, **kwargs):
        plain = not kwargs or (len(kwargs) == 1 and "training" in kwargs)
        if len(args) != 1 or not plain or args[0].__class__ not in TENSORS:
            self._demand_init()
            if is_symbolic(args, kwargs):
                return self._call_symbolic(*self._settled(args, kwargs))
            if args and isinstance(args[0], (list, tuple)) and _is_numbers(args[0]):
                args = (as_tensor(args[0], where=self._where()), *args[1:])
            args, kwargs = self._settled(map_structure(self._taken, args), map_structure(self._taken, kwargs))
        return self._run(args, kwargs)

    def forward(self, *args, **kwargs):
        """The same as ``call``: what ``nn`` modules that hold a layer call."""
        return self.call(*args, **kwargs)

    def _taken(self, value):
        """An argument as a tensor where it holds numbers in an array."""
        if value.__class__ in TENSORS or not (hasattr(value, "__array__") or hasattr(value, "__dlpack__")):
            return value
        return as_tensor(value, where=self._where())

    def _where(self):
        like = self._own_tensor()
        return None if like is None else like.device

    def _settled(self, args, kwargs):
        """``training`` and ``mask`` by name, and ``call``'s first argument by place."""
        names = self._signature.names
        if len(args) > 1:
            for name, value in zip(names[1:], args[1:]):
                if name in ("training", "mask"):
                    kwargs = {**kwargs, name: value}
            args = tuple(
                a for i, a in enumerate(args) if i >= len(names) or names[i] not in ("training", "mask")
            )
        if not args and names and names[0] in kwargs:
            kwargs = dict(kwargs)
            args = (kwargs.pop(names[0]),)
        return args, kwargs

    # --- on tensors -----------------------------------------------------------------------------------------------

    def _run(self, args, kwargs):
        signature, context = self._signature, CONTEXT
        outer, scope = context.training, context.scope
        training = kwargs.get("training")
        if training is None:
            training = outer if outer is not None else signature.default_training
        if not scope and self._any_added[0]:
            self._clear_losses()  # the outermost call: what the last one added is over
        context.scope = scope if scope and scope[-1] == self._name else (*scope, self._name)
        try:
            if not self.built:
                self._build_checked(args, kwargs)
            if self.input_spec is not None:
                check_inputs(self, args[0])
            if self._autocast:
                args = self._cast_all(args)
            masks = _mask_of(args[0]) if args else None
            if signature.mask or signature.masks:
                kwargs = self._with_masks(args, kwargs, masks)
            if signature.training:
                kwargs = {**kwargs, "training": training}
            elif "training" in kwargs and not signature.open:
                kwargs = {name: value for name, value in kwargs.items() if name != "training"}
            if self.training is not bool(training):
                self._set_mode(bool(training))
            context.training = training
            outputs = self._computed(args, kwargs)
        except Exception as error:
            self._explain(error, args)
            raise
        finally:
            context.training, context.scope = outer, scope
        self.__dict__["called"] = True
        if masks is not None or self._makes_mask:
            self._put_mask(args, outputs, masks)
        if self.activity_regularizer is not None:
            self._punish_activity(outputs)
        return outputs

    def _explain(self, error, args):
        """Notes on the error which layer was called on what: the innermost one alone."""
        if not hasattr(error, "__notes__"):
            shapes = ", ".join(str(tuple(leaf.shape)) for leaf in flatten(args) if hasattr(leaf, "shape"))
            error.add_note(
                f"In layer '{self.name}' ({type(self).__name__}){self._place()}, called on inputs of shape {shapes}."
            )

    def _computed(self, args, kwargs):
        call = self.call
        if self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks:
            return call_with_hooks(self, args, kwargs)
        if self._mixed:
            with self._cast_weights():
                return call(*args, **kwargs)
        return call(*args, **kwargs)

    def _cast_all(self, args):
        if len(args) == 1 and args[0].__class__ in TENSORS:
            return args if args[0]._array.dtype == self._compute_dtype.numpy else (self._cast(args[0]),)
        return map_structure(self._cast, args)

    def _cast(self, value):
        if value.__class__ in TENSORS and (self.takes_integers or value.is_floating_point()):
            wanted = self._compute_dtype
            if value.dtype != wanted:
                mask = getattr(value, "_keras_mask", None)
                value = value.to(wanted)
                if mask is not None:
                    value._keras_mask = mask
        return value

    def _set_mode(self, training):
        """The mode of this layer and of the plain ``nn`` modules in it: layers inside are told by their own call."""
        self.__dict__["training"] = training
        for module in self._modules.values():
            if isinstance(module, nn.Module) and not isinstance(module, Calls):
                module.train(training)

    def _cast_weights(self):
        modules = [self]
        for module in self._modules.values():
            if isinstance(module, nn.Module) and not isinstance(module, Calls):
                modules.extend(module.modules())
        return CastWeights(modules, self._compute_dtype)

    def activated(self, function, x):
        """``function(x)``; a softmax's output remembers x, so that the loss can be computed from the logits."""
        if function is None:
            return x
        y = function(x)
        if function is softmax:
            y._keras_logits = x
        return y

    def dtype_of_weights(self):
        """The dtype of the weights, as ``nn`` modules take it."""
        return named_dtype(self.variable_dtype)

    # --- masks ----------------------------------------------------------------------------------------------------

    def _with_masks(self, args, kwargs, masks):
        if masks is not None and self._signature.mask and kwargs.get("mask") is None:
            kwargs = {**kwargs, "mask": masks}
        for name in self._signature.masks:
            value = self._signature.named(args, kwargs).get(name[:-5])
            found = getattr(value, "_keras_mask", None)
            if found is not None and kwargs.get(name) is None:
                kwargs = {**kwargs, name: found}
        return kwargs

    def _put_mask(self, args, outputs, masks):
        if not self.supports_masking:
            if masks is not None and not self._warned_of_mask and not self._signature.mask:
                self._warned_of_mask = True
                warnings.warn(
                    f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with a mask attached to "
                    "it. However, this layer does not support masking and will therefore destroy the mask information. "
                    "Downstream layers will not see the mask.",
                    stacklevel=4,
                )
            return
        computed = self.compute_mask(args[0] if args else None, masks)
        if computed is None:
            return
        flat = flatten(outputs)
        for output, mask in zip(flat, computed if is_nested(computed) else [computed] * len(flat)):
            if isinstance(output, Tensor) and mask is not None:
                output._keras_mask = mask

    def compute_mask(self, inputs, previous_mask=None):
        """The mask of the output, given the input's: by default the same. Read where ``supports_masking`` is True."""
        return previous_mask

    # --- building -------------------------------------------------------------------------------------------------

    def build(self, input_shape):
        """Makes the weights, knowing the input's shape (None: unknown size). Called once, before the first ``call``."""

    def _build_for(self, args, kwargs):
        arguments = {name: v for name, v in kwargs.items() if name not in ("training", "mask")}
        positional, named = shape_arguments(
            self._build_signature, self._signature, args, arguments, shapes_of
        )
        self.build(*positional, **named)
        self.built = True
        where = _device_of(args)
        if where is not None and where.type != "cpu":
            self.to(where)

    def _build_checked(self, args, kwargs):
        if self.input_spec is not None and args:
            check_inputs(self, args[0])
        self._build_for(args, kwargs)

    # --- on symbolic tensors --------------------------------------------------------------------------------------

    def _call_symbolic(self, args, kwargs):
        with name_scope(self.name):
            if not self.built:
                self._build_checked(args, kwargs)
            if self.input_spec is not None:
                check_inputs(self, args[0])
            outputs = self.compute_output_spec(*args, **kwargs)
            masks = _mask_of(args[0]) if args else None
            if self.supports_masking and (masks is not None or self._makes_mask):
                for output, mask in zip(flatten(outputs), traced_masks(self, args, masks) or ()):
                    output._keras_mask = mask
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args, **kwargs):
        """The symbolic outputs of symbolic inputs: by ``compute_output_shape``, or by a run on zeros."""
        if type(self).compute_output_shape is not Calls.compute_output_shape:
            arguments = {name: v for name, v in kwargs.items() if name not in ("training", "mask")}
            positional, named = shape_arguments(
                self._shape_signature, self._signature, args, arguments, shapes_of
            )
            shapes = self.compute_output_shape(*positional, **named)
            return symbolic_of(shapes, self.compute_dtype)
        return traced_outputs(self, args, kwargs)

    def compute_output_shape(self, input_shape):
        """The output's shape of an input's (None: unknown size). By default found by a run on zeros."""
        outputs = traced_outputs(self, (symbolic_of(input_shape, self.compute_dtype),), {})
        return shapes_of(outputs)


class CastWeights:
    """While it is open, floating-point parameters and buffers of the modules read as ``dtype``, on the tape."""

    def __init__(self, modules, dtype):
        self.modules, self.dtype = modules, dtype

    def __enter__(self):
        self.kept = [(module, module._parameters) for module in self.modules]
        for module in self.modules:
            cast = {}
            for name, parameter in module._parameters.items():
                floating = parameter is not None and parameter.is_floating_point()
                cast[name] = parameter.to(self.dtype) if floating else parameter
            module.__dict__["_parameters"] = cast

    def __exit__(self, *error):
        for module, parameters in self.kept:
            module.__dict__["_parameters"] = parameters


def symbolic_of(shapes, dtype):
    """Symbolic tensors for a shape, or a structure of shapes."""
    if isinstance(shapes, dict):
        return {name: symbolic_of(shape, dtype) for name, shape in shapes.items()}
    if isinstance(shapes, (list, tuple)) and not all(d is None or isinstance(d, int) for d in shapes):
        return type(shapes)(symbolic_of(shape, dtype) for shape in shapes)
    return KerasTensor(shapes, dtype)


def _is_numbers(value):
    """Whether a nested list holds plain numbers: it is one array then, not several inputs."""
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (int, float))


def _mask_of(inputs):
    """The mask, or structure of masks, of the inputs; None where none has one."""
    if inputs.__class__ in TENSORS:
        return inputs.__dict__.get("_keras_mask")
    if not is_nested(inputs):
        return getattr(inputs, "_keras_mask", None)
    masks = [getattr(leaf, "_keras_mask", None) for leaf in flatten(inputs)]
    return masks if any(mask is not None for mask in masks) else None


def _device_of(args):
    for leaf in flatten(args):
        if isinstance(leaf, Tensor):
            return leaf.device
    return None
