"""``torch.autograd.profiler``: the older place of ``minidl.profiler``."""

import contextlib

from minidl.profiler import profile, record_function

__all__ = ["emit_nvtx", "profile", "record_function"]


def emit_nvtx(enabled=True, record_shapes=False):
    """A context in which nothing is marked. Raises ``NotImplementedError`` where it is to mark every operation.
    Source: ``torch.autograd.profiler.emit_nvtx``.

    >>> with emit_nvtx(enabled=False):
    ...     pass
    """
    if enabled:
        raise NotImplementedError(
            "emit_nvtx: operations do not mark themselves. Hint: mark a part with minidl.cuda.nvtx.range."
        )
    return contextlib.nullcontext()
