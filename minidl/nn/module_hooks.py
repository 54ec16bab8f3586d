"""Hooks of one module or of all: what runs around forward and backward, and where something is registered."""

import functools
import warnings
from typing import NamedTuple

from minidl.autograd.node import Hooks, RemovableHandle
from minidl.autograd.tensor import Tensor

EVERYWHERE = (
    Hooks()
)  # of all modules: (kind, hook) by handle id; the kinds are those of ``hooks_of`` and ``tell``
_TWO_KINDS = (
    "Cannot use both regular backward hooks and full backward hooks on a single Module. "
    "Please use only one of them."
)


class Hook(NamedTuple):
    """A registered hook and how it wants to be called. A module keeps the function, and apart what is special."""

    function: object
    with_kwargs: bool = False
    always_call: bool = False


def register(hooks, hook, prepend=False):
    """Adds ``hook`` to a dict of hooks, at its end or front. Returns the handle that removes it."""
    handle = RemovableHandle(hooks)
    before = dict(hooks) if prepend else {}
    if prepend:
        hooks.clear()
    hooks[handle.id] = hook
    hooks.update(before)
    return handle


def hooks_of(module, kind):
    """(handle id, hook) of a kind (forward, forward_pre, backward, backward_pre): those of all modules first."""
    name, state = f"_{kind}_hooks", module.__dict__
    kwargs, always = state.get(f"{name}_with_kwargs", ()), state.get(f"{name}_always_called", ())
    own = [(key, Hook(hook, key in kwargs, key in always)) for key, hook in state[name].items()]
    return [(key, hook) for key, (k, hook) in EVERYWHERE.items() if k == kind] + own if EVERYWHERE else own


def tell(kind, module, name, value):
    """Calls the hooks of a kind of registration (parameter, buffer, module). Returns the value that is registered."""
    for k, hook in list(EVERYWHERE.values()):
        if k == kind:
            changed = hook.function(module, name, value)
            value = value if changed is None else changed
    return value


class HookRegistration:
    """The part of ``Module`` that registers hooks around forward and backward."""

    def _init_hooks(self):
        object.__setattr__(self, "_is_full_backward_hook", None)
        for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"):
            object.__setattr__(self, name, Hooks())

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Calls ``hook(module, args)`` before every forward; what it returns, if anything, replaces the arguments.

        With ``with_kwargs`` it is ``hook(module, args, kwargs)`` and returns None or ``(args, kwargs)``.
        Returns a handle whose ``remove()`` takes the hook away.
        """
        return self._register_forward("_forward_pre_hooks", hook, prepend, with_kwargs=with_kwargs)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """Calls ``hook(module, args, output)`` after every forward; what it returns, if anything, replaces the output.

        With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``; ``always_call`` calls it (with
        output None) even where forward raised.

        >>> import minidl
        >>> from minidl import nn
        >>> layer = nn.ReLU()
        >>> handle = layer.register_forward_hook(lambda module, args, output: output + 1)
        >>> layer(minidl.zeros(1))
        tensor([1.])
        >>> handle.remove()
        """
        special = {"with_kwargs": with_kwargs, "always_called": always_call}
        return self._register_forward("_forward_hooks", hook, prepend, **special)

    def _register_forward(self, name, hook, prepend, **special):
        handle = register(getattr(self, name), hook, prepend)
        for word, wanted in special.items():
            if wanted:
                self.__dict__.setdefault(f"{name}_{word}", Hooks())[handle.id] = True
            else:  # an id may come again, in a module that was unpickled
                self.__dict__.get(f"{name}_{word}", {}).pop(handle.id, None)
        return handle

    def register_full_backward_hook(self, hook, prepend=False):
        """Calls ``hook(module, grad_input, grad_output)`` when the gradients of the module's inputs are known.

        Both are tuples over the positional tensor arguments and the outputs, None where there is no gradient; what the
        hook returns, if anything, replaces ``grad_input``.
        """
        return self._register_backward(hook, True, prepend)

    def register_backward_hook(self, hook):
        """As ``register_full_backward_hook``, but ``grad_input`` is that of the last operation of forward: deprecated.

        Raises ``RuntimeError`` where the module has hooks of the other kind.
        """
        return self._register_backward(hook, False, False)

    def _register_backward(self, hook, full, prepend):
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(_TWO_KINDS)
        self._is_full_backward_hook = full
        return register(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Calls ``hook(module, grad_output)`` before the module's backward; it may return another ``grad_output``."""
        return register(self._backward_pre_hooks, hook, prepend)


def call_with_hooks(module, args, kwargs):
    """``module.forward`` and all that is hooked around it."""
    called = set()
    try:
        return _call(module, args, kwargs, called)
    except Exception:
        for key, hook in hooks_of(module, "forward"):
            if hook.always_call and key not in called:
                _after_forward(module, hook, args, kwargs, None)
        raise


def _call(module, args, kwargs, called):
    for _, hook in hooks_of(module, "forward_pre"):
        args, kwargs = _before_forward(module, hook, args, kwargs)
    args, kwargs = module._accept(args, kwargs)
    watch = module._watch_backward()
    if watch is not None:
        args = watch.inputs(args)
    output = module.forward(*args, **kwargs)
    for key, hook in hooks_of(module, "forward"):
        called.add(key)
        changed = _after_forward(module, hook, args, kwargs, output)
        output = output if changed is None else changed
    if module._backward_hooks and module._is_full_backward_hook is False:
        _hook_last_operation(module, args, output)
    return output if watch is None else watch.outputs(output)


def _hook_last_operation(module, args, output):
    """Puts the hooks that are not full onto the node of the first output."""
    while not isinstance(output, Tensor):
        output = next(iter(output.values())) if isinstance(output, dict) else output[0]
    node = output.grad_fn
    if node is None:
        return
    before = {arg._edge[0] for arg in args if isinstance(arg, Tensor) and arg._edge is not None}
    if before != {edge[0] for edge in node.edges if edge is not None}:
        warnings.warn(
            "Using a non-full backward hook when the forward contains multiple autograd Nodes is deprecated and will "
            "be removed in future versions. This hook will be missing some grad_input. Please use "
            "register_full_backward_hook to get the documented behavior.",
            FutureWarning,
            stacklevel=5,
        )
    for hook in list(module._backward_hooks.values()):
        node.register_hook(functools.partial(hook, module))


def _before_forward(module, hook, args, kwargs):
    if not hook.with_kwargs:
        changed = hook.function(module, args)
        if changed is None:
            return args, kwargs
        return (changed if isinstance(changed, tuple) else (changed,)), kwargs
    changed = hook.function(module, args, kwargs)
    if changed is None:
        return args, kwargs
    if not (isinstance(changed, tuple) and len(changed) == 2):
        raise RuntimeError(
            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
        )
    return changed


def _after_forward(module, hook, args, kwargs, output):
    if hook.with_kwargs:
        return hook.function(module, args, kwargs, output)
    return hook.function(module, args, output)
