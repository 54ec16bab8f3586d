"""Named ranges that NVIDIA's profilers show beside the kernels of a GPU. Source: ``torch.cuda.nvtx``.

>>> import minidl
>>> if minidl.cuda.is_available():
...     with minidl.cuda.nvtx.range("forward"):
...         pass
"""

import contextlib

from minidl.cuda import _gpu

__all__ = ["mark", "range", "range_pop", "range_push"]


def _nvtx():
    """CuPy's functions; ``DeviceError`` with the reason where there is no GPU."""
    return _gpu.cupy().cuda.nvtx


def range_push(msg):
    """Begins a range within those that are open in this thread. Source: ``torch.cuda.nvtx.range_push``."""
    _nvtx().RangePush(msg)


def range_pop():
    """Ends the range that was begun last. Source: ``torch.cuda.nvtx.range_pop``."""
    _nvtx().RangePop()


def mark(msg):
    """Marks a moment. Source: ``torch.cuda.nvtx.mark``."""
    _nvtx().Mark(msg)


@contextlib.contextmanager
def range(msg, *args, **kwargs):
    """A context that is a range named ``msg.format(*args, **kwargs)``. Source: ``torch.cuda.nvtx.range``."""
    range_push(msg.format(*args, **kwargs))
    try:
        yield
    finally:
        range_pop()
