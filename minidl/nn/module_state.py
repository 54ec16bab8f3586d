"""``state_dict`` and ``load_state_dict``: a module's tensors by dotted name, with PyTorch's names."""

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from typing import NamedTuple

from minidl import backends
from minidl.autograd.convert import to_array
from minidl.autograd.inplace import bump
from minidl.autograd.modes import no_grad
from minidl.autograd.node import Hooks
from minidl.autograd.size import Size
from minidl.autograd.tensor import Tensor, make
from minidl.nn.module_hooks import register
from minidl.nn.parameter import Parameter, is_lazy

_EXTRA = "_extra_state"


class _IncompatibleKeys(namedtuple("_IncompatibleKeys", "missing_keys unexpected_keys")):
    """What ``load_state_dict`` returns: the names that did not match."""

    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class _StateHook(NamedTuple):
    """A hook after ``state_dict``, and whether what it returns replaces the dict."""

    function: object
    may_replace: bool = False


class _WithoutModule(NamedTuple):
    """A hook that is called without its first argument, the module."""

    function: object

    def __call__(self, module, *args):
        return self.function(*args)


class State:
    """The part of ``Module`` that gives and takes its state."""

    _version = 1

    def _init_state_hooks(self):
        for name in (
            "_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
        ):  # fmt: skip
            object.__setattr__(self, name, Hooks())

    # --- giving -------------------------------------------------------------------------------------------------

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """All parameters and persistent buffers by dotted name. The tensors share the module's memory.

        ``keep_vars`` gives the parameters themselves rather than detached tensors.

        >>> from minidl import nn
        >>> list(nn.Sequential(nn.Linear(2, 1)).state_dict())
        ['0.weight', '0.bias']
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead: destination, prefix, keep_vars.",
                FutureWarning,
                stacklevel=2,
            )
            defaults = destination, prefix, keep_vars
            destination, prefix, keep_vars = (*args, *defaults[len(args) :])
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            changed = hook.function(self, destination, prefix, metadata)
            if changed is not None and not hook.may_replace:
                raise RuntimeError("state_dict post-hook must return None. Hint: change the dict in place.")
            destination = destination if changed is None else changed
        return destination

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        """Puts this module's own tensors, not its children's, into ``destination``."""
        for name, tensor in self._own_state().items():
            destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
        if _has_extra_state(self):
            destination[prefix + _EXTRA] = self.get_extra_state()

    def _own_state(self):
        held = {**self._parameters}
        held.update((n, b) for n, b in self._buffers.items() if n not in self._non_persistent_buffers_set)
        return {name: tensor for name, tensor in held.items() if tensor is not None}

    def get_extra_state(self):
        """What ``state_dict`` is to hold beside tensors; override together with ``set_extra_state``."""
        raise NotImplementedError(
            f"{self._get_name()} sets extra state but does not define get_extra_state()"
        )

    def set_extra_state(self, state):
        """Takes back what ``get_extra_state`` gave."""
        raise NotImplementedError(
            f"{self._get_name()} gives extra state but does not define set_extra_state()"
        )

    # --- taking -------------------------------------------------------------------------------------------------

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copies values into this module and those below it. Returns the names that did not match.

        Values are tensors or anything with ``__array__``; they are cast to the parameter's dtype and device.
        ``strict`` raises ``RuntimeError`` listing every missing, unexpected and mis-shaped name at once
        (mis-shaped ones also without it). ``assign`` takes the tensors themselves in place of copying. Raises
        ``TypeError`` where ``state_dict`` is no mapping.

        >>> from minidl import nn
        >>> layer = nn.Linear(2, 1)
        >>> layer.load_state_dict(nn.Linear(2, 1).state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing, unexpected, errors = [], [], []
        metadata = getattr(state_dict, "_metadata", None)
        remaining = OrderedDict(state_dict)
        if metadata is not None:
            remaining._metadata = metadata
        _load(self, remaining, "", (missing, unexpected, errors), assign)
        if strict:
            if unexpected:
                errors.insert(0, _listed("Unexpected", unexpected))
            if missing:
                errors.insert(0, _listed("Missing", missing))
        if errors:
            listing = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {self._get_name()}:\n\t{listing}")
        return _IncompatibleKeys(missing, unexpected)

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        """Takes this module's own tensors, not its children's; appends to the three lists what does not fit."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        own = self._own_state()
        for name, tensor in own.items():
            key = prefix + name
            if key in state_dict:
                error = self._load_one(name, tensor, state_dict[key], key, assign)
                error_msgs.extend([] if error is None else [error])
            elif strict:
                missing_keys.append(key)
        self._load_extra_state(state_dict, prefix + _EXTRA, strict, missing_keys, unexpected_keys)
        for key in state_dict if strict else ():
            name, *below = key[len(prefix) :].split(".", 1)
            if not key.startswith(prefix) or name == _EXTRA:
                continue
            if name not in self._modules if below else name not in own:
                unexpected_keys.append(key)

    def _load_one(self, name, tensor, value, key, assign):
        """Takes one value; returns the line for the error message where it does not fit."""
        if not isinstance(value, Tensor) and not hasattr(value, "__array__"):
            return (
                f'While copying the parameter named "{key}", expected minidl.Tensor or Tensor-like object '
                f"from checkpoint but received {type(value)}"
            )
        if is_lazy(value) and is_lazy(tensor):
            return None
        array = to_array(
            value if not is_lazy(value) else value.shape
        )  # that of one without a shape is an error
        if tensor.ndim == 0 and array.shape == (1,):  # files from before 0-d tensors existed
            array = array[0:1].reshape(())
        if array.shape != tensor._array.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {Size(array.shape)} from checkpoint, "
                f"the shape in current model is {tensor.shape}."
            )
        if assign:
            _assign(self, name, tensor, value if isinstance(value, Tensor) else make(array, None))
        else:
            space = backends.of(tensor._array)
            if tensor.is_meta and backends.of(array) is not space:
                warnings.warn(
                    f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the "
                    "current model, which is a no-op. (Did you mean to pass `assign=True` to assign items in the state "
                    "dictionary to their corresponding key in the module instead of copying them in place?)",
                    stacklevel=2,
                )
            space.assign(tensor._array, backends.transfer(array, tensor.device))
            bump(tensor)
        return None

    def _load_extra_state(self, state_dict, key, strict, missing_keys, unexpected_keys):
        if type(self).set_extra_state is not State.set_extra_state:
            if key in state_dict:
                self.set_extra_state(state_dict[key])
            elif strict:
                missing_keys.append(key)
        elif strict and key in state_dict:
            unexpected_keys.append(key)

    # --- hooks --------------------------------------------------------------------------------------------------

    def register_state_dict_pre_hook(self, hook):
        """Calls ``hook(module, prefix, keep_vars)`` before ``state_dict`` collects this module's tensors."""
        return register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook):
        """Calls ``hook(module, state_dict, prefix, local_metadata)`` after this module's tensors were collected."""
        return register(self._state_dict_hooks, _StateHook(hook))

    def _register_state_dict_hook(self, hook):
        """As ``register_state_dict_post_hook``; another dict that the hook returns takes the place of the first."""
        return register(self._state_dict_hooks, _StateHook(hook, may_replace=True))

    def register_load_state_dict_pre_hook(self, hook):
        """Calls ``hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)`` before loading."""
        return register(self._load_state_dict_pre_hooks, hook)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        """As ``register_load_state_dict_pre_hook``; without ``with_module`` the hook does not get the module."""
        return register(self._load_state_dict_pre_hooks, hook if with_module else _WithoutModule(hook))

    def register_load_state_dict_post_hook(self, hook):
        """Calls ``hook(module, incompatible_keys)`` after loading; it may change the two lists in place."""
        return register(self._load_state_dict_post_hooks, hook)


def _load(module, state_dict, prefix, report, assign):
    """Loads a module and, each with its part of the dict, its children. ``report`` is the three lists."""
    missing, unexpected, errors = report
    metadata = dict(getattr(state_dict, "_metadata", None) or {}).get(prefix[:-1], {})
    local = {**metadata, "assign_to_params_buffers": assign}
    module._load_from_state_dict(state_dict, prefix, local, True, missing, unexpected, errors)
    for name, child in module._modules.items():
        if child is not None:
            below = f"{prefix}{name}."
            part = OrderedDict((k, v) for k, v in state_dict.items() if k.startswith(below))
            part._metadata = getattr(state_dict, "_metadata", None)
            _load(child, part, below, report, assign)
    incompatible = _IncompatibleKeys(missing, unexpected)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, incompatible) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return "
                "new values, if incompatible_keys need to be modified, it should be done inplace."
            )


def _assign(module, name, old, value):
    """Makes ``value`` itself the module's tensor ``name``."""
    with no_grad():
        if isinstance(old, Parameter):
            fits = isinstance(value, Parameter) and value.requires_grad == old.requires_grad
            module._parameters[name] = value if fits else Parameter(value, requires_grad=old.requires_grad)
        else:
            module._buffers[name] = value


def _listed(kind, keys):
    quoted = ", ".join(f'"{key}"' for key in keys)
    return f"{kind} key(s) in state_dict: {quoted}. "


def _has_extra_state(module):
    return type(module).get_extra_state is not State.get_extra_state
