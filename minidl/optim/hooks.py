"""Hooks of optimizers: what runs around a step, and around saving and loading the state."""

import functools
from itertools import chain

from minidl.autograd.node import Hooks
from minidl.nn.module_hooks import register

__all__ = ["register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

_step_pre_hooks, _step_post_hooks = Hooks(), Hooks()  # of all optimizers


def register_optimizer_step_pre_hook(hook):
    """Calls ``hook(optimizer, args, kwargs)`` before each step of any optimizer. Returns the handle that removes it.

    >>> import minidl
    >>> handle = minidl.optim.optimizer.register_optimizer_step_pre_hook(lambda *_: print("step"))
    >>> minidl.optim.SGD([minidl.nn.Parameter(minidl.ones(1))]).step()
    step
    >>> handle.remove()
    """
    return register(_step_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """Calls ``hook(optimizer, args, kwargs)`` after each step of any optimizer. Returns the handle that removes it."""
    return register(_step_post_hooks, hook)


class HookRegistration:
    """The part of ``Optimizer`` that registers hooks. None of them is saved or copied with it."""

    def _init_hooks(self):
        self._step_pre_hooks, self._step_post_hooks = Hooks(), Hooks()
        self._state_dict_pre_hooks, self._state_dict_post_hooks = Hooks(), Hooks()
        self._load_state_dict_pre_hooks, self._load_state_dict_post_hooks = Hooks(), Hooks()

    def register_step_pre_hook(self, hook):
        """Calls ``hook(optimizer, args, kwargs)`` before each step; it may return new ``(args, kwargs)``.

        ``args`` begins with the optimizer, as in PyTorch.
        """
        return register(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook):
        """Calls ``hook(optimizer, args, kwargs)`` after each step."""
        return register(self._step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Calls ``hook(optimizer)`` before ``state_dict``; ``prepend`` puts it before the others."""
        return register(self._state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Calls ``hook(optimizer, state_dict)`` on what ``state_dict`` gives; it may return another one."""
        return register(self._state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Calls ``hook(optimizer, state_dict)`` before a state is loaded; it may return another one."""
        return register(self._load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Calls ``hook(optimizer)`` after a state was loaded."""
        return register(self._load_state_dict_post_hooks, hook, prepend)


def replaced(hooks, optimizer, state_dict):
    """``state_dict``, or what the hooks made of it."""
    for hook in list(hooks.values()):
        changed = hook(optimizer, state_dict)
        state_dict = state_dict if changed is None else changed
    return state_dict


def with_hooks(step):
    """``step`` with the hooks around it, and a mark for schedulers that it was called."""

    @functools.wraps(step)
    def hooked(*args, **kwargs):
        self = args[0]
        if _step_pre_hooks or self._step_pre_hooks:
            args, kwargs = _before(self, step, args, kwargs)
        out = step(*args, **kwargs)
        if _step_post_hooks or self._step_post_hooks:
            for hook in list(chain(self._step_post_hooks.values(), _step_post_hooks.values())):
                hook(self, args, kwargs)
        self._opt_called = True
        return out

    return hooked


def _before(self, step, args, kwargs):
    for hook in list(chain(_step_pre_hooks.values(), self._step_pre_hooks.values())):
        changed = hook(self, args, kwargs)
        if changed is None:
            continue
        if not (isinstance(changed, tuple) and len(changed) == 2):
            raise RuntimeError(
                f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
            )
        args, kwargs = changed
    return args, kwargs
