"""``torch.jit`` for programs that use it: what is decorated, scripted or traced stays the Python that it is.

Programs run as they are written, so nothing has to be compiled for a result; files of ``torch.jit.save`` hold programs
and are not read.

>>> import minidl
>>> @minidl.jit.script
... def double(x):
...     return x * 2
>>> double(minidl.ones(1))
tensor([2.])
"""

from typing import Final

from minidl.jit import annotations as annotations
from minidl.nn.module import Module

__all__ = [
    "Final", "ScriptModule", "annotate", "export", "freeze", "ignore", "is_scripting", "is_tracing", "load",
    "optimize_for_inference", "save", "script", "script_if_tracing", "script_method", "trace", "trace_module", "unused",
]  # fmt: skip


class ScriptModule(Module):
    """A ``Module``, by the name that classes of scripted programs derive from. Source: ``torch.jit.ScriptModule``."""


def script(obj, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """``obj``, a function, module or class, itself. Source: ``torch.jit.script``."""
    if not callable(obj):
        raise TypeError(f"script() takes a module, a function or a class, not {type(obj).__name__}")
    return obj


def trace(func, example_inputs=None, optimize=None, check_trace=True, *args, **kwargs):
    """``func``, a function or module, itself: it is not run. Source: ``torch.jit.trace``."""
    return script(func)


def trace_module(mod, inputs, *args, **kwargs):
    """``mod`` itself. Source: ``torch.jit.trace_module``."""
    return script(mod)


def script_method(fn):
    """``fn`` itself. Source: ``torch.jit.script_method``."""
    return fn


def script_if_tracing(fn):
    """``fn`` itself. Source: ``torch.jit.script_if_tracing``."""
    return fn


def ignore(drop=False, **kwargs):
    """Decorates a method; the method itself. With or without parentheses. Source: ``torch.jit.ignore``."""
    return drop if callable(drop) else lambda fn: fn


def unused(fn):
    """``fn`` itself. Source: ``torch.jit.unused``."""
    return fn


def export(fn):
    """``fn`` itself. Source: ``torch.jit.export``."""
    return fn


def freeze(mod, preserved_attrs=None, optimize_numerics=True):
    """``mod`` itself. Raises ``RuntimeError`` in training mode, as PyTorch does. Source: ``torch.jit.freeze``."""
    if getattr(mod, "training", False):
        raise RuntimeError(
            "Freezing module in training mode is not yet supported. Hint: call its eval() method first."
        )
    return mod


def optimize_for_inference(mod, other_methods=None):
    """``mod`` itself, in eval mode. Source: ``torch.jit.optimize_for_inference``."""
    return mod.eval() if hasattr(mod, "eval") else mod


def _overload_method(func):
    """``func`` itself: a signature beside the method that follows it. Source: ``torch.jit._overload_method``."""
    return func


_overload, _script_if_tracing = _overload_method, script_if_tracing


def annotate(the_type, the_value):
    """``the_value``. Source: ``torch.jit.annotate``."""
    return the_value


def is_scripting():
    """False. Source: ``torch.jit.is_scripting``."""
    return False


def is_tracing():
    """False. Source: ``torch.jit.is_tracing``."""
    return False


_PROGRAM = "programs are not stored in files: {} state_dict() with minidl.save, and the class is that of your program"


def save(m, f, _extra_files=None):
    """Raises ``NotImplementedError``: a file of weights is made by ``minidl.save(m.state_dict(), f)``."""
    raise NotImplementedError(_PROGRAM.format("save the module's"))


def load(f, map_location=None, _extra_files=None, _restore_shapes=False):
    """Raises ``NotImplementedError``: such a file holds a program."""
    raise NotImplementedError(_PROGRAM.format("in PyTorch, save the module's"))
