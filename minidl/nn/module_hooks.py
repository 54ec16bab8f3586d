"""Hooks of a module: what runs around its forward and its backward."""

from typing import NamedTuple

from minidl.autograd.node import Hooks, RemovableHandle


class Hook(NamedTuple):
    """A registered hook and how it wants to be called."""

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


class HookRegistration:
    """The part of ``Module`` that registers hooks around forward and backward."""

    def _init_hooks(self):
        for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"):
            object.__setattr__(self, name, Hooks())

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Calls ``hook(module, args)`` before every forward; what it returns, if anything, replaces the arguments.

        With ``with_kwargs`` it is ``hook(module, args, kwargs)`` and returns None or ``(args, kwargs)``.
        Returns a handle whose ``remove()`` takes the hook away.
        """
        return register(self._forward_pre_hooks, Hook(hook, with_kwargs), prepend)

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
        return register(self._forward_hooks, Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """Calls ``hook(module, grad_input, grad_output)`` when the gradients of the module's inputs are known.

        Both are tuples over the positional tensor arguments and the outputs, None where there is no gradient; what the
        hook returns, if anything, replaces ``grad_input``.
        """
        return register(self._backward_hooks, Hook(hook), prepend)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Calls ``hook(module, grad_output)`` before the module's backward; it may return another ``grad_output``."""
        return register(self._backward_pre_hooks, Hook(hook), prepend)


def call_with_hooks(module, args, kwargs):
    """``module.forward`` and all that is hooked around it."""
    called = set()
    try:
        return _call(module, args, kwargs, called)
    except Exception:
        for key, hook in list(module._forward_hooks.items()):
            if hook.always_call and key not in called:
                _after_forward(module, hook, args, kwargs, None)
        raise


def _call(module, args, kwargs, called):
    for hook in list(module._forward_pre_hooks.values()):
        args, kwargs = _before_forward(module, hook, args, kwargs)
    args, kwargs = module._accept(args, kwargs)
    watch = None
    if module._backward_hooks or module._backward_pre_hooks:
        watch = module._watch_backward()
        args = watch.inputs(args)
    output = module.forward(*args, **kwargs)
    for key, hook in list(module._forward_hooks.items()):
        called.add(key)
        changed = _after_forward(module, hook, args, kwargs, output)
        output = output if changed is None else changed
    return output if watch is None else watch.outputs(output)


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
