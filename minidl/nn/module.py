"""``Module``: the base class of all layers and networks."""

from minidl import backends, dtypes
from minidl.autograd.convert import to_array
from minidl.autograd.tensor import TENSORS, Tensor, make
from minidl.device import CPU
from minidl.nn.backward_hooks import watch_backward
from minidl.nn.module_conversion import Conversion
from minidl.nn.module_hooks import EVERYWHERE, HookRegistration, call_with_hooks, tell
from minidl.nn.module_state import State
from minidl.nn.module_traversal import Traversal
from minidl.nn.naming import typename
from minidl.nn.parameter import Buffer, Parameter

__all__ = ["Module"]

_STORES = ("_parameters", "_buffers", "_modules")


class Module(Traversal, HookRegistration, State, Conversion):
    """Base class of layers and networks: owns parameters, buffers and other modules, and maps inputs by ``forward``.

    Subclasses call ``super().__init__()``, assign parameters and modules to attributes, and define
    ``forward``. Calling the module runs ``forward`` and its hooks. Array-likes among the arguments (NumPy
    arrays, data frames) become tensors on the module's device, float64 ones of the module's dtype. Source:
    PyTorch's ``torch.nn.Module``.

    >>> import minidl
    >>> from minidl import nn
    >>> class Twice(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = nn.Linear(3, 3, bias=False)
    ...
    ...     def forward(self, x):
    ...         return self.layer(self.layer(x))
    >>> net = Twice()
    >>> net(minidl.ones(2, 3)).shape
    torch.Size([2, 3])
    >>> net
    Twice(
      (layer): Linear(in_features=3, out_features=3, bias=False)
    )
    """

    call_super_init = False  # whether __init__ goes on to the next class, with its arguments

    def __init__(self, *args, **kwargs):
        if not self.call_super_init and (args or kwargs):
            raise TypeError(_too_many(type(self).__name__, args, kwargs))
        put = super().__setattr__
        put("training", True)
        put("_parameters", {})
        put("_buffers", {})
        put("_non_persistent_buffers_set", set())
        put("_modules", {})
        self._init_hooks()
        self._init_state_hooks()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def __setstate__(self, state):
        """Takes the attributes that a pickle or a copy holds; the hooks' places are there whatever it lacks."""
        self._init_hooks()
        self._init_state_hooks()
        self.__dict__.update(state)

    def forward(self, *input):
        """Computes the output; every subclass defines its own."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args, **kwargs):
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or EVERYWHERE
        ):
            return call_with_hooks(self, args, kwargs)
        for value in args:
            if value.__class__ not in TENSORS and hasattr(value, "__array__"):
                args, kwargs = self._accept(args, kwargs)
                break
        return self.forward(*args, **kwargs)

    def _watch_backward(self):
        return watch_backward(self)

    def _accept(self, args, kwargs):
        """The arguments with array-likes made tensors that fit the module's parameters."""
        return tuple(map(self._accepted, args)), {
            name: self._accepted(value) for name, value in kwargs.items()
        }

    def _accepted(self, value):
        if value.__class__ in TENSORS or not hasattr(value, "__array__"):
            return value
        like = self._own_tensor()
        array = to_array(value, where=CPU if like is None else like.device)
        if array.dtype == dtypes.FLOAT64:
            floating = like is not None and like.is_floating_point()
            array = backends.of(array).astype(array, like._array.dtype if floating else dtypes.get_default())
        return make(array, None)

    # --- what it owns -------------------------------------------------------------------------------------------

    def register_parameter(self, name, param):
        """Adds a parameter, or the place of one (None). Raises ``TypeError``, ``KeyError`` or ``ValueError``."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name(name, "parameter", self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (minidl.nn.Parameter or "
                "None required). "
                "Hint: wrap it, nn.Parameter(tensor)."
            )
        if param is not None and not param.is_leaf:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                "explicitly. To "
                f"express '{name}' as a function of another Tensor, compute the value in the forward() "
                "method."
            )
        self._parameters[name] = tell("parameter", self, name, param)

    def register_buffer(self, name, tensor, persistent=True):
        """Adds a buffer: state that is not trained. One that is not ``persistent`` is left out of ``state_dict``."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name(name, "buffer", self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (minidl Tensor or None "
                "required)"
            )
        self._buffers[name] = tell("buffer", self, name, tensor)
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(
            name
        )

    def add_module(self, name, module):
        """Adds a child module, or the place of one (None)."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name(name, "module", self._modules)
        self._modules[name] = tell("module", self, name, module)

    def register_module(self, name, module):
        """The same as ``add_module``."""
        self.add_module(name, module)

    def _check_name(self, name, kind, store):
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if name not in store and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')

    # --- attributes ---------------------------------------------------------------------------------------------

    def __getattr__(self, name):
        own = self.__dict__
        for store in _STORES:
            if store in own and name in own[store]:
                return own[store][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __setattr__(self, name, value):
        own = self.__dict__
        if isinstance(value, Parameter):
            self._demand("_parameters", "parameters")
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._demand("_modules", "module")
            self._forget(name, "_parameters", "_buffers")
            self.add_module(name, value)
        elif isinstance(value, Buffer) and name not in own.get("_parameters", ()):
            self._demand("_buffers", "buffer")
            self._forget(name, "_modules")
            self.register_buffer(name, value, value.__dict__.get("persistent", True))
        elif name in own.get("_parameters", ()):
            if value is not None:
                raise TypeError(_refusal(value, "parameter", name, "minidl.nn.Parameter or None"))
            self._parameters[name] = None
        elif name in own.get("_modules", ()):
            if value is not None:
                raise TypeError(_refusal(value, "child module", name, "minidl.nn.Module or None"))
            self._modules[name] = None
        elif name in own.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(_refusal(value, "buffer", name, "minidl.nn.Buffer, minidl.Tensor or None"))
            self._buffers[name] = value
        else:
            super().__setattr__(name, value)

    def _demand(self, store, what):
        if store not in self.__dict__:
            raise AttributeError(
                f"cannot assign {what} before Module.__init__() call. Hint: begin __init__ with "
                "super().__init__()."
            )

    def _forget(self, name, *stores):
        self.__dict__.pop(name, None)
        for store in stores:
            self.__dict__.get(store, {}).pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __delattr__(self, name):
        for store in _STORES:
            if name in self.__dict__.get(store, ()):
                del self.__dict__[store][name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self):
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[:1].isdigit())

    # --- mode and text ------------------------------------------------------------------------------------------

    def train(self, mode=True):
        """Puts this module and all below it into training mode, or evaluation mode. Returns the module."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self):
        """Puts this module and all below it into evaluation mode: dropout off, batch norm by its running statistics."""
        return self.train(False)

    def extra_repr(self):
        """What stands between the parentheses of the module's repr."""
        return ""

    def _get_name(self):
        return type(self).__name__

    def __repr__(self):
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indented(repr(module))}" for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"


def _too_many(name, args, kwargs):
    if kwargs:
        return f"{name}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
    return f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given"


def _indented(text):
    return text.replace("\n", "\n  ")


def _refusal(value, what, name, expected):
    return f"cannot assign '{typename(value)}' as {what} '{name}' ({expected} expected)"
