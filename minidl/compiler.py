"""``torch.compiler`` for programs that use it: programs run as they are written, so its switches change nothing.

>>> import minidl
>>> minidl.compiler.is_compiling()
False
"""

from types import SimpleNamespace

from minidl.settings import compile

__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable", "is_compiling",
    "is_dynamo_compiling", "is_exporting", "list_backends", "reset",
]  # fmt: skip

# Of ``torch._dynamo`` and ``torch._inductor``, which are this module too: whatever is set is kept, nothing reads it.
config = SimpleNamespace(suppress_errors=False, verbose=False, cache_size_limit=8, recompile_limit=8)


def disable(fn=None, recursive=True, *, reason=None):
    """``fn`` itself; also a decorator. Source: ``torch.compiler.disable``."""
    return fn if fn is not None else lambda decorated: decorated


def allow_in_graph(fn):
    """``fn`` itself. Source: ``torch.compiler.allow_in_graph``."""
    return fn


def assume_constant_result(fn):
    """``fn`` itself. Source: ``torch.compiler.assume_constant_result``."""
    return fn


def reset():
    """Does nothing: there is no cache. Source: ``torch.compiler.reset``."""


def cudagraph_mark_step_begin():
    """Does nothing: there are no graphs. Source: ``torch.compiler.cudagraph_mark_step_begin``."""


def is_compiling():
    """False. Source: ``torch.compiler.is_compiling``."""
    return False


def is_dynamo_compiling():
    """False. Source: ``torch.compiler.is_dynamo_compiling``."""
    return False


def is_exporting():
    """False. Source: ``torch.compiler.is_exporting``."""
    return False


def list_backends(exclude_tags=()):
    """None: an empty list. Source: ``torch.compiler.list_backends``."""
    return []
