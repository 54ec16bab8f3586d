"""``torch.backends.cudnn``, whose switches programs set: there is no cuDNN here, so they change nothing.

Results do not differ from run to run unless ``use_deterministic_algorithms(False)`` allowed it.
"""

import contextlib

enabled, benchmark, deterministic, allow_tf32 = True, False, False, True
benchmark_limit = 10


def is_available():
    """False."""
    return False


def version():
    """None."""
    return None


@contextlib.contextmanager
def flags(enabled=False, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True):
    """Sets the switches within. Source: ``torch.backends.cudnn.flags``."""
    chosen = {
        "enabled": enabled,
        "benchmark": benchmark,
        "benchmark_limit": benchmark_limit,
        "deterministic": deterministic,
        "allow_tf32": allow_tf32,
    }
    before = {name: globals()[name] for name in chosen}
    globals().update(chosen)
    try:
        yield
    finally:
        globals().update(before)
