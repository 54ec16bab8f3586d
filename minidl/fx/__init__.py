"""``torch.fx`` for programs that only mark functions for it: programs run as they are written, there are no graphs.

>>> import minidl
>>> @minidl.fx.wrap
... def double(x):
...     return 2 * x
>>> double(1)
2
>>> minidl.fx.symbolic_trace(minidl.nn.ReLU())
Traceback (most recent call last):
NotImplementedError: programs are not traced...
"""

from minidl import absent as _absent


def wrap(fn_or_name):
    """``fn_or_name`` itself: a function, or the name of one. Source: ``torch.fx.wrap``."""
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError("Unsupported type for global function! Must be either a callable or string name")
    return fn_or_name


def symbolic_trace(root, concrete_args=None):
    """Raises ``NotImplementedError``: what reads a graph can read ``root.named_modules()`` instead."""
    raise NotImplementedError(
        "programs are not traced into graphs. Hint: walk over named_modules(), or use forward hooks."
    )


def __getattr__(name):
    raise AttributeError(f"module 'minidl.fx' has no attribute {name!r}: {_absent.TRACED}")
