"""Whether kernels may add in any order, which ``minidl.use_deterministic_algorithms(False)`` says."""

any_order = False


def allow_any_order(allowed):
    """With ``allowed``, a faster kernel may give other last bits in every run."""
    global any_order
    any_order = allowed
