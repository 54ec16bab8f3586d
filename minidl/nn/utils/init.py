"""Modules without their first values."""

import inspect

from minidl.nn.module import Module
from minidl.ops.generator import fork_rng

__all__ = ["skip_init"]


def skip_init(module_cls, *args, **kwargs):
    """A module of ``module_cls`` whose parameters and buffers may hold any values, and that takes no random numbers.

    The arguments are those of the class. Raises ``RuntimeError`` where it is no module or takes no ``device``.
    Source: ``torch.nn.utils.skip_init``.

    >>> import minidl
    >>> minidl.nn.utils.skip_init(minidl.nn.Linear, 5, 1)
    Linear(in_features=5, out_features=1, bias=True)
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with fork_rng():
        return module_cls(*args, **kwargs)
